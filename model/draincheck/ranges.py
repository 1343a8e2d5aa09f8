"""Systems that somebody has built by hand, made safe to explore: what the modelling language always adds, and a hand may forget."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from draincheck.errors import ModelError
from draincheck.expr import IntExpr, any_, bounds
from draincheck.lang.alike import refuse_unlike
from draincheck.naturals import is_natural
from draincheck.properties import FAULTS
from draincheck.system import Action, Fault, FaultKind, Outside, TransitionSystem

__all__ = ["guarded"]


def guarded(system: TransitionSystem) -> TransitionSystem:
    """The system with a fault wherever a store may leave its variable's range: engines would take such a value for another.

    Raises ModelError for a property with a name of `FAULTS`, for initial values that a variable cannot have, for actions whose index is not
    their position, for components that are not interchangeable, and for a reduced system.
    """
    for item in system.properties:
        if item.name in FAULTS:
            raise ModelError(f"{system.name}: {item.name!r} is demanded of every system; name yours otherwise")
    for variable in system.variables:
        starts = variable.initial
        ends = (starts[0], starts[-1]) if isinstance(starts, range) and starts else starts
        if any(not variable.sort.low <= value <= variable.sort.high for value in ends):
            raise ModelError(f"{system.name}: {variable.name} starts with a value that is not {variable.sort}")
    for position, action in enumerate(system.actions):
        if action.index != position:
            raise ModelError(
                f"{system.name}: action {position} has the index {action.index}", action.line, action.process
            )
    _check_components(system)
    missing = [tuple(_missing(action)) for action in system.actions]
    if not any(missing):
        return system
    actions = zip(system.actions, missing, strict=True)
    return replace(system, actions=tuple(replace(a, faults=(*a.faults, *more)) for a, more in actions))


def _check_components(system: TransitionSystem) -> None:
    """Raise ModelError for components that are not interchangeable, and for a system of representatives, which engines take for another."""
    if system.sorts:
        raise ModelError(f"{system.name} is reduced: check the system that it was made of, with reductions=...")
    refuse_unlike(system)


def _missing(action: Action) -> Iterator[Fault]:
    """A fault for each store that may leave its range; none for an action that has some of that kind, as the language makes them."""
    if any(fault.kind is FaultKind.RANGE for fault in action.faults):
        return
    for update in action.updates:
        variable, value, sort = update.variable, update.value, update.variable.sort
        low, high = bounds(value)
        if isinstance(value, IntExpr) and not is_natural(sort) and (low < sort.low or high > sort.high):
            outside = any_(value < sort.low, value > sort.high)
            yield Fault(FaultKind.RANGE, outside, Outside(variable, value), action.line, (variable, value))

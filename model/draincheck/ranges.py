"""Systems that somebody has built by hand, made safe to explore: what the modelling language always adds, and a hand may forget."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from draincheck.errors import ModelError
from draincheck.expr import IntExpr, any_, bounds
from draincheck.lang.alike import refuse_unlike
from draincheck.naturals import is_natural
from draincheck.properties import FAULTS
from draincheck.system import Action, Fault, FaultKind, Outside, TransitionSystem, Variable

__all__ = ["guarded"]


def guarded(system: TransitionSystem) -> TransitionSystem:
    """The system with a fault wherever a store may leave its variable's range: engines would take such a value for another.

    Raises ModelError for what engines would read each in its own way: properties of one name, or with a name of `FAULTS`; initial values that
    a variable cannot have, or none; actions whose index is not their position, or that store twice in a variable; values and variables that
    there are not; components that are not interchangeable; and a reduced system.
    """
    _check_names(system)
    _check_starts(system)
    for position, action in enumerate(system.actions):
        if action.index != position:
            raise _slip(system, action, f"action {position} has the index {action.index}")
        _check_stores(system, action)
    _check_fairness(system)
    _check_components(system)
    missing = [tuple(_missing(action)) for action in system.actions]
    if not any(missing):
        return system
    actions = zip(system.actions, missing, strict=True)
    return replace(system, actions=tuple(replace(a, faults=(*a.faults, *more)) for a, more in actions))


def _slip(system: TransitionSystem, action: Action, what: str) -> ModelError:
    return ModelError(f"{system.name}: {what}", action.line, action.process)


def _check_names(system: TransitionSystem) -> None:
    """Raise ModelError for a name that two properties have, or a property and an error of runs: verdicts are kept by name."""
    names = set[str]()
    for item in system.properties:
        if item.name in FAULTS:
            raise ModelError(f"{system.name}: {item.name!r} is demanded of every system; name yours otherwise")
        if item.name in names:
            raise ModelError(f"{system.name}: there are two properties {item.name!r}")
        names.add(item.name)


def _check_starts(system: TransitionSystem) -> None:
    """Raise ModelError for a variable that is there twice, or starts with a value that it cannot have, or, where they can be listed, with none."""
    if len(system.position) < len(system.variables):
        raise ModelError(f"{system.name}: a variable stands twice among its variables")
    for variable in system.variables:
        starts, sort = variable.initial, variable.sort
        if not starts and not is_natural(sort):
            raise ModelError(
                f"{system.name}: {variable.name} starts with no value: name them, all are range({sort.low}, {sort.high + 1})"
            )
        if isinstance(starts, range) and starts.step != 1:
            raise ModelError(
                f"{system.name}: {variable.name} starts with a range that does not go up one by one: name its values"
            )
        ends = (starts[0], starts[-1]) if isinstance(starts, range) and starts else starts
        if any(not sort.low <= value <= sort.high for value in ends):
            raise ModelError(f"{system.name}: {variable.name} starts with a value that is not {sort}")


def _check_stores(system: TransitionSystem, action: Action) -> None:
    """Raise ModelError for an action that stores in a variable twice, in one that there is not, or a value that the sort does not have."""
    stored = set[Variable]()
    for update in action.updates:
        variable, (low, high) = update.variable, bounds(update.value)
        if variable in stored:
            raise _slip(system, action, f"{variable.name} is written twice in one action")
        if variable not in system.position:
            raise _slip(system, action, f"{variable.name} is no variable of the system")
        if not isinstance(update.value, IntExpr) and (low < variable.sort.low or high > variable.sort.high):
            raise _slip(system, action, f"a value is stored in {variable.name} that is not {variable.sort}")
        stored.add(variable)


def _check_fairness(system: TransitionSystem) -> None:
    """Raise ModelError for an assumption about actions that there are not."""
    for item in system.fairness:
        if any(not 0 <= index < len(system.actions) for index in item.actions):
            raise ModelError(f"{system.name}: {item} is about actions that there are not")


def _check_components(system: TransitionSystem) -> None:
    """Raise ModelError for components that are not interchangeable, and for a system of representatives, which engines take for another."""
    if system.sorts:
        raise ModelError(f"{system.name} is reduced: check the system that it was made of, with reductions=...")
    refuse_unlike(system)


def _missing(action: Action) -> Iterator[Fault]:
    """A fault for each store that may leave its range, where none is about that variable, as those are that the language makes."""
    known = {fault.stores[0] for fault in action.faults if fault.kind is FaultKind.RANGE and fault.stores is not None}
    for update in action.updates:
        variable, value, sort = update.variable, update.value, update.variable.sort
        low, high = bounds(value)
        if variable in known or not isinstance(value, IntExpr) or is_natural(sort):
            continue
        if low < sort.low or high > sort.high:
            outside = any_(value < sort.low, value > sort.high)
            yield Fault(FaultKind.RANGE, outside, Outside(variable, value), action.line, (variable, value))

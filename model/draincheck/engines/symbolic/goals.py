"""What a property means for an engine that looks at single states: the states that show it violated, or a goal met."""

from __future__ import annotations

from draincheck.expr import FALSE, BoolExpr, all_, any_, not_
from draincheck.system import (
    Action,
    Always,
    Assertion,
    FaultKind,
    NoDeadlock,
    Property,
    Reachable,
    State,
    TransitionSystem,
)

__all__ = ["fault_found", "faultless", "last_action", "shown_by"]


def shown_by(system: TransitionSystem, item: Property) -> BoolExpr | None:
    """The states that show a property to be violated (met, for `Reachable`); None for properties that no single state shows.

    For an assertion these are the states in which an action can be taken that breaks it: see `last_action`.
    """
    match item:
        case Always(holds=condition):
            return not_(condition)
        case Reachable(goal=condition):
            return condition
        case Assertion(name=name):
            return any_(*(all_(faultless(a), _broken(a, name)) for a in system.actions))
        case NoDeadlock():
            return not_(any_(system.final, *(action.guard for action in system.actions)))
    return None


def last_action(system: TransitionSystem, item: Property, state: State) -> tuple[int, ...]:
    """The action to take in a state that shows an assertion to be violated; none for other properties."""
    if not isinstance(item, Assertion):
        return ()
    breaking = (a for a in system.actions if system.holds(all_(faultless(a), _broken(a, item.name)), state))
    return (next(breaking).index,)


def faultless(action: Action) -> BoolExpr:
    """Where an action can be taken."""
    return all_(action.guard, *(not_(fault.when) for fault in action.faults))


def fault_found(system: TransitionSystem, bound: bool) -> BoolExpr:
    """The states that enable a faulty action: one that passes a bound, or one that is an error of the model.

    Only the first fault of an action counts, as in `TransitionSystem.fault`.
    """
    found: list[BoolExpr] = []
    for action in system.actions:
        before: list[BoolExpr] = [action.guard]
        for fault in action.faults:
            if (fault.kind is FaultKind.BOUND) == bound:
                found.append(all_(*before, fault.when))
            before.append(not_(fault.when))
    return any_(*found)


def _broken(action: Action, name: str) -> BoolExpr:
    """Where one of an action's checks of an assertion is false."""
    return any_(*(not_(check.holds) for check in action.checks if check.property == name)) if action.checks else FALSE

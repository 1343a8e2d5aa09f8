"""What puts a property to the test: without it, whatever holds was never asked. The reference interpreter has a reading of its own.

An assertion is asked by the steps that pass one of its checks, `LeadsTo` wherever its trigger is true, and everything else by any step that
can matter to a demand (`influence.bearing`): in a model that never moves nothing is asked, nor where threads move that do nothing. What is
violated is so, asked or not: a goal out of reach, a bad initial state.

Who matters is influenced by nobody who does not. So if a step that matters can ever be taken, one can be in an initial state.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from draincheck.expr import BoolExpr, all_, any_
from draincheck.influence import bearing
from draincheck.names import close_names
from draincheck.properties import Assertion, LeadsTo, Property
from draincheck.reason import NeverAsked, Unasked
from draincheck.run import Run
from draincheck.semantics.violation import faultless
from draincheck.system import Action, Check, State, TransitionSystem

__all__ = ["asked_by", "asking", "asking_step", "checks_of", "matters", "moves_on", "unasked", "without_check"]

#: how much alike names are that may have been mixed up
CLOSE = 0.75


def checks_of(system: TransitionSystem, item: Assertion) -> Iterator[tuple[Action, Check]]:
    """The checks of an assertion, with the actions that they stand in."""
    return ((action, check) for action in system.actions for check in action.checks if check.property == item.name)


def asking(system: TransitionSystem, item: Property) -> BoolExpr:
    """The states in which a property of states or steps is put to the test; a step with a fault is not taken, and asks nothing."""
    match item:
        case Assertion():
            return any_(*(all_(faultless(action), check.asked) for action, check in checks_of(system, item)))
        case _:
            return moves_on(system, item)


def moves_on(system: TransitionSystem, item: Property | None = None) -> BoolExpr:
    """The states in which a step can be taken that can matter to some demand, or to this one."""
    names = set(bearing(system, item))
    return any_(*(faultless(action) for action in system.actions if action.process in names))


def matters(system: TransitionSystem, taken: Collection[int], item: Property | None = None) -> bool:
    """Whether one of the actions that were taken can matter to some demand, or to this one."""
    movers = {system.actions[index].process for index in taken}
    return bool(movers) and any(name in movers for name in bearing(system, item))


def asking_step(system: TransitionSystem, item: Property, state: State) -> int | None:
    """The first action that can be taken in a state and puts a property of states or steps to the test; None if none does."""
    sound = (action for action in system.enabled(state) if system.fault(state, action) is None)
    return next((action.index for action in sound if _asks(system, item, state, action)), None)


def asked_by(run: Run, item: Property) -> bool:
    """Whether the last step of a run puts a property of states or steps to the test."""
    if not run.steps:
        return False
    last = run.steps[-1]
    return _asks(run.system, item, last.before, run.system.actions[last.action])


def _asks(system: TransitionSystem, item: Property, state: State, action: Action) -> bool:
    """Whether an action, taken in a state, puts a property to the test."""
    if not isinstance(item, Assertion):
        return matters(system, (action.index,), item)
    return any(check.property == item.name and system.holds(check.asked, state) for check in action.checks)


def without_check(system: TransitionSystem, item: Property) -> NeverAsked | None:
    """That an assertion has no check anywhere, which needs no search, or None."""
    if not isinstance(item, Assertion) or any(True for _ in checks_of(system, item)):
        return None
    asked = dict.fromkeys(check.property for action in system.actions for check in action.checks)
    return NeverAsked(Unasked.NO_CHECK, tuple(_close_to(item.name, asked)))


def _close_to(name: str, names: Collection[str]) -> Sequence[str]:
    """Those of some names that this one may have been meant to be."""
    alike = [other for other in names if 2 * (Counter(name) & Counter(other)).total() >= CLOSE * len(name + other)]
    if not alike:  # none has as many letters in common as it takes
        return ()
    return close_names(name, names, CLOSE)


def unasked(system: TransitionSystem, item: Property, taken: Collection[int] | None = None) -> NeverAsked:
    """Why a property is never asked that no reachable state puts to the test; `taken`: the actions that can be, if that is known."""
    match item:
        case Assertion():
            lines = dict.fromkeys(str(check.line) for _, check in checks_of(system, item))
            return without_check(system, item) or NeverAsked(Unasked.UNREACHED, tuple(lines))
        case LeadsTo() if taken and matters(system, taken, item):
            return NeverAsked(Unasked.NO_TRIGGER)
        case _:
            idles = not set(bearing(system, item)).issuperset(action.process for action in system.actions)
            return NeverAsked(Unasked.IDLE if (taken or taken is None) and idles else Unasked.NO_STEP)

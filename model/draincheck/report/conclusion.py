"""What the end of a trace says about its property, asked from the system again: no report repeats a claim it has not seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from draincheck.expr import BoolExpr
from draincheck.system import (
    Always,
    Assertion,
    CanAlwaysFinish,
    Eventually,
    LeadsTo,
    NoDeadlock,
    Property,
    Reachable,
    State,
    TransitionSystem,
)
from draincheck.trace import Step, Trace

__all__ = ["Reason", "reasons_of", "shows", "states_of"]


class Reason(NamedTuple):
    """A condition that decided, the state it is about, and what it has to do with the property; None: the whole state."""

    words: str
    condition: BoolExpr | None
    state: State


def states_of(trace: Trace, steps: Sequence[Step]) -> list[State]:
    """The states a trace passes, the first and the last included."""
    return [trace.initial, *(step.after for step in steps)]


def shows(system: TransitionSystem, item: Property, trace: Trace, steps: Sequence[Step]) -> bool:
    """Whether an executed trace violates a property, or reaches its goal.

    Two things no trace can show, and the engine is trusted: that a goal is out of reach (`CanAlwaysFinish`), and that a loop is fair.
    """
    states = states_of(trace, steps)
    match item:
        case Always(holds=holds):
            return not system.holds(holds, states[-1])
        case Assertion():
            return bool(steps) and item.name in steps[-1].broken
        case Reachable(goal=goal):
            return system.holds(goal, states[-1])
        case NoDeadlock():
            return not system.holds(system.final, states[-1]) and not _moves(system, states[-1])
        case CanAlwaysFinish(goal=goal):
            return not system.holds(goal, states[-1])
        case Eventually() | LeadsTo():
            return (trace.loop is not None or not _moves(system, states[-1])) and _waiting(
                system, item, trace, states
            ) is not None
        case _:
            return False


def reasons_of(system: TransitionSystem, item: Property, trace: Trace, steps: Sequence[Step]) -> Iterator[Reason]:
    """The conditions that decide, where `shows` is true."""
    states = states_of(trace, steps)
    match item:
        case Always(holds=condition):
            yield Reason("must hold", condition, states[-1])
        case Assertion():
            yield Reason("must hold before it", _failed(system, item, steps[-1]), steps[-1].before)
        case Reachable(goal=condition):
            yield Reason("goal", condition, states[-1])
        case CanAlwaysFinish(goal=condition):
            yield Reason("out of reach from here", condition, states[-1])
        case NoDeadlock():
            yield Reason("no process can take a step", None, states[-1])
        case Eventually(goal=goal):
            yield Reason("never true", goal, states[-1])
        case LeadsTo(trigger=trigger, goal=goal):
            since = _waiting(system, item, trace, states) or 0
            yield Reason(f"true after step {since}" if since else "true initially", trigger, states[since])
            yield Reason("never true from then on", goal, states[-1])
        case _:
            return


def _moves(system: TransitionSystem, state: State) -> bool:
    return next(system.enabled(state), None) is not None


def _failed(system: TransitionSystem, item: Assertion, step: Step) -> BoolExpr:
    checks = system.actions[step.action].checks
    return next(c.holds for c in checks if c.property == item.name and not system.holds(c.holds, step.before))


def _waiting(system: TransitionSystem, item: Eventually | LeadsTo, trace: Trace, states: list[State]) -> int | None:
    """The number of the first state from which the run waits for its goal for ever, or None if it does not."""
    met = [system.holds(item.goal, state) for state in states]
    since = max((number + 1 for number, good in enumerate(met) if good), default=0)
    # What lies in the loop comes again: the goal must be missing in all of it, wherever the waiting begins.
    if trace.loop is not None and since > trace.loop:
        return None
    if isinstance(item, Eventually):
        return None if since else 0
    return next((n for n in range(since, len(states)) if system.holds(item.trigger, states[n])), None)

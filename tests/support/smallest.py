"""The cheapest run that shows a property, found by trying everything again until nothing gets cheaper: what `trace minimize` is held against."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from draincheck.properties import Always, Assertion, CanAlwaysFinish, NoDeadlock, NoFault, Property, Reachable
from draincheck.run import Run
from draincheck.system import Action, State, TransitionSystem

__all__ = ["cheapest", "costs"]

#: a state, for each coroutine the thread that entered it last, and the thread of the last step (None before the first)
Place: TypeAlias = tuple[State, frozenset[tuple[str, str]], str | None]
#: switches, steps
Costs: TypeAlias = tuple[int, int]
#: whether a run ends that has come to a state, or (with an action) takes that action there
Ends: TypeAlias = Callable[[State, Action | None], bool]


def cheapest(run: Run, item: Property) -> Costs | None:
    """The fewest switches and then steps of all runs that show a property as this one does, which ends where it does."""
    system, ends = run.system, _ending_like(run, item)
    found: dict[Place, Costs] = {(state, frozenset(), None): (0, 0) for state in system.initial}
    best = [cost for (state, _, _), cost in found.items() if ends(state, None)]
    todo = set(found)
    while todo:
        places, todo = todo, set()
        for place in places:
            for action, after in _moves(system, place):
                switch = place[2] is not None and place[2] != after[2]
                cost = found[place][0] + switch, found[place][1] + 1
                if ends(place[0], action) or ends(after[0], None):
                    best.append(cost)
                if after not in found or cost < found[after]:
                    found[after] = cost
                    todo.add(after)
    return min(best, default=None)


def costs(run: Run) -> Costs:
    """The switches and steps of a run, counted along it."""
    place: Place = run.trace.initial, frozenset(), None
    switches = 0
    for step in run.steps:
        after = next(after for action, after in _moves(run.system, place) if action.index == step.action)
        switches += place[2] is not None and place[2] != after[2]
        place = after
    return switches, len(run.steps)


def _sound(system: TransitionSystem, state: State) -> Iterator[Action]:
    for action in system.actions:
        if system.holds(action.guard, state) and system.fault(state, action) is None:
            yield action


def _moves(system: TransitionSystem, place: Place) -> Iterator[tuple[Action, Place]]:
    state, entered, _ = place
    for action in _sound(system, state):
        thread = dict(entered).get(action.process, action.process)
        new = {part.enters: thread for part in action.parts if part.enters and system.holds(part.when, state)}
        yield action, (system.step(state, action), frozenset({**dict(entered), **new}.items()), thread)


def _ending_like(run: Run, item: Property) -> Ends:
    system, last = run.system, run.states[-1]
    match item:
        case Always(holds=condition):
            return lambda state, action: action is None and not system.holds(condition, state)
        case Reachable(goal=condition):
            return lambda state, action: action is None and system.holds(condition, state)
        case Assertion():
            end = run.steps[-1]
            lines = _broken(system, end.before, system.actions[end.action], item.name)
            return lambda state, action: action is not None and bool(lines & _broken(system, state, action, item.name))
        case NoFault():
            error = _error(system, last, item)
            return lambda state, action: action is None and _error(system, state, item) == error
        case CanAlwaysFinish(goal=goal):
            return lambda state, action: (
                action is None and not any(system.holds(goal, s) for s in _ahead(system, state))
            )
        case NoDeadlock():
            stuck = _stuck(system, last)
            return lambda state, action: (
                action is None and bool(_stuck(system, state)) and _stuck(system, state) == stuck
            )
    raise AssertionError(item)


def _broken(system: TransitionSystem, state: State, action: Action, name: str) -> set[str]:
    return {str(c.line) for c in action.checks if c.property == name and not system.holds(c.holds, state)}


def _error(system: TransitionSystem, state: State, item: NoFault) -> str:
    """The first error of a kind that a state runs into, in words."""
    for action in system.actions:
        if system.holds(action.guard, state):
            fault = system.fault(state, action)
            if fault is not None and fault.kind is item.kind:
                return f"{fault.message} {fault.line}"
    return ""


def _ahead(system: TransitionSystem, state: State) -> set[State]:
    """All states that can come, this one included."""
    known: dict[State, set[State]] = vars(system).setdefault("ahead of", {})
    if state not in known:
        seen, todo = {state}, [state]
        while todo:
            here = todo.pop()
            new = {system.step(here, action) for action in _sound(system, here)} - seen
            seen |= new
            todo += new
        known[state] = seen
    return known[state]


def _stuck(system: TransitionSystem, state: State) -> frozenset[str]:
    """Who can never move again, is not at rest, and waits for no final state; of a system that says nothing of rest: nothing moves at all."""
    if not system.at_rest:
        moves = any(system.holds(action.guard, state) for action in system.actions)
        return frozenset() if moves or system.holds(system.final, state) else frozenset({"all"})
    return frozenset(
        name
        for name, rests in system.at_rest
        if not any(_fine(system, here, name) or system.holds(rests, here) for here in _ahead(system, state))
    )


def _fine(system: TransitionSystem, state: State, name: str) -> bool:
    enabled = [action for action in system.actions if system.holds(action.guard, state)]
    error = any(system.fault(state, action) is not None for action in enabled)
    return error or system.holds(system.final, state) or any(action.process == name for action in enabled)

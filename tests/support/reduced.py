"""Reduced searches held against the reference interpreter, and against every order of interchangeable components."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

from msgspec.structs import replace

from draincheck import interpreter
from draincheck.engines.explicit import decide, states
from draincheck.errors import EvidenceError
from draincheck.native.tiers import Tier
from draincheck.reason import NeverAsked, Stuck
from draincheck.reductions.wanted import Reductions
from draincheck.run import Run
from draincheck.semantics.stuck import going_on
from draincheck.system import Interchangeable, State, TransitionSystem
from draincheck.verdict import Exploration, Limits, Verdict

__all__ = ["MOST", "classes", "disagreements", "stored"]

#: states that the interpreter may store; of larger systems nothing is asked
MOST = Limits(states=3000)


def disagreements(system: TransitionSystem, reductions: Reductions, tier: Tier = Tier.PYTHON) -> list[str]:
    """Where a reduced search says something else than the interpreter."""
    expected = interpreter.explore(system, MOST)
    if expected.statistics.queue:
        return []
    try:
        found = decide(system, system.properties, tier=tier, reductions=reductions)
    except EvidenceError as error:
        return [str(error)]
    return [*_differing(system, expected, found)]


def _differing(system: TransitionSystem, expected: Exploration, found: Exploration) -> Iterator[str]:
    if expected.verdicts.keys() != found.verdicts.keys():
        yield f"verdicts on {[*found.verdicts]} instead of {[*expected.verdicts]}"
        return
    if expected.statistics.fired != found.statistics.fired:
        yield f"taken are {found.statistics.fired} instead of {expected.statistics.fired}"
    exact = "confluent" not in found.reduction
    for name, verdict in expected.verdicts.items():
        if not _is_same(verdict, found.verdicts[name], exact):
            yield f"{name}: {found.verdicts[name]} instead of {verdict}"
        elif trace := found.verdicts[name].trace:
            run, reason = Run.of(system, trace), found.verdicts[name].reason
            if isinstance(reason, Stuck) and set(reason.processes) != (lost := _stuck(system, run.states[-1])):
                yield f"{name}: {reason.processes} can never move again, instead of {lost}"


def _stuck(system: TransitionSystem, state: State) -> set[str]:
    """The processes that nothing which can come after a state lets go on."""
    seen, todo = {state}, [state]
    for here in todo:
        sound = [system.step(here, action) for action in system.enabled(here) if system.fault(here, action) is None]
        todo += dict.fromkeys(after for after in sound if after not in seen)
        seen |= set(sound)
    return {name for name, goal in going_on(system).items() if not any(system.holds(goal, here) for here in seen)}


def _is_same(expected: Verdict, found: Verdict, exact: bool) -> bool:
    """Whether a verdict is the expected one; traces are as long, or longer where that is allowed."""
    if expected.outcome is not found.outcome:
        return False
    if isinstance(expected.reason, NeverAsked) or isinstance(found.reason, NeverAsked):
        return expected.reason == found.reason
    if expected.trace is None or found.trace is None:
        return expected.trace is found.trace
    lengths = len(expected.trace.actions), len(found.trace.actions)
    return lengths[0] == lengths[1] if exact else lengths[0] <= lengths[1]


def stored(system: TransitionSystem) -> int:
    """How many states a search stores that symmetry alone reduces."""
    return decide(
        replace(system, properties=()), (), tier=Tier.PYTHON, reductions=Reductions.SYMMETRY
    ).statistics.states


def classes(system: TransitionSystem) -> int:
    """How many classes of reachable states there are, found by trying every order of what is interchangeable."""
    return len({_least(system, state) for state in states(system)})


def _least(system: TransitionSystem, state: State) -> State:
    """The least state that some order of interchangeable components makes of this one."""
    found = {state}
    for group in system.interchangeable:
        found = {other for each in found for other in _orders(system, group, each)}
    return min(found)


def _orders(system: TransitionSystem, group: Interchangeable, state: State) -> Iterator[State]:
    places = [[system.position[variable] for variable in component] for component in group.components]
    for order in permutations(places):
        values = list(state)
        for there, here in zip(places, order, strict=True):
            for to, place in zip(there, here, strict=True):
                values[to] = state[place]
        yield tuple(values)

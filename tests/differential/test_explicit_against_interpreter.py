"""The explicit engine against the reference interpreter, on random systems."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from draincheck import interpreter
from draincheck.engines import explicit
from draincheck.exploration.loop import Loop
from draincheck.properties import FAULTS, Always
from draincheck.run import rerun
from draincheck.system import TransitionSystem
from draincheck.verdict import Limits, Outcome
from tests.support.samples import sampled
from tests.support.strategies import limits, random_system, systems, tries

RANDOM = tries(25)


@pytest.mark.parametrize("part", sampled(range(48), 1, 24))
@RANDOM
@given(systems(), limits())
def test_explorations_are_equal(part: int, system: TransitionSystem, limit: Limits) -> None:
    """Statistics, verdicts, traces and faults of the engine are exactly those of the interpreter."""
    assert explicit.explore(system, limit) == interpreter.explore(system, limit)


@pytest.mark.parametrize("part", sampled(range(12), 1, 3))
@RANDOM
@given(systems(), limits())
def test_states_are_equal(part: int, system: TransitionSystem, limit: Limits) -> None:
    """Engine and interpreter find the same states, in the same order."""
    expected = interpreter.states(system, limit)
    assert explicit.states(system, limit) == expected
    assert set(explicit.states(system, limit)) == frozenset(expected)


@pytest.mark.parametrize("part", sampled(range(12), 1, 3))
@RANDOM
@given(systems(), limits())
def test_traces_can_be_executed(part: int, system: TransitionSystem, limit: Limits) -> None:
    """Every trace, that to a fault too, is one of the system, and one property alone gets the verdict it gets among all."""
    verdicts = explicit.explore(system, limit).verdicts
    for name, verdict in verdicts.items():
        assert explicit.check(system, name, limit) == verdict
        if verdict.trace is not None:
            rerun(system, verdict.trace)


@pytest.mark.parametrize("part", sampled(range(16), 1))
@RANDOM
@given(systems(careless=70), st.integers(0, 2**32 - 1))
def test_steps_are_equal_in_any_state(part: int, system: TransitionSystem, seed: int) -> None:
    """Generated code enables the same actions with the same effects as the system does, in unreachable states too."""
    conditions = [item.holds for item in system.properties if isinstance(item, Always)]
    loop = Loop(system, (), conditions)
    random = Random(seed)
    for _ in range(40):
        state = tuple(random.randint(v.sort.low, v.sort.high) for v in system.variables)
        packed = loop.layout.pack(state)
        loop.expand((packed,))
        taken = [action for action in system.enabled(state) if system.fault(state, action) is None]
        expected = [(action.index, loop.layout.pack(system.step(state, action))) for action in taken]
        assert sorted(zip(loop.actions, loop.targets, strict=True)) == expected
        assert loop.dead == ([] if any(True for _ in system.enabled(state)) else [packed])
        assert [where((packed,)) == [packed] for where in loop.conditions] == [
            system.holds(c, state) for c in conditions
        ]


@pytest.mark.slow
def test_random_systems_show_everything() -> None:
    """Among some random systems are all kinds of fault, every outcome of every kind of property, and long traces."""
    seen: set[tuple[str, str]] = set()
    longest = most = 0
    for seed in range(400):
        system = random_system(seed, data=3, processes=2, depth=2, folded=seed % 2 == 0)
        kinds = {item.name: type(item).__name__ for item in (*system.properties, *FAULTS.values())}
        found = explicit.explore(system, Limits(states=400))
        seen |= {("fault", FAULTS[name].kind.name) for name in FAULTS if name in found.verdicts}
        seen |= {(kinds[name], verdict.outcome.name) for name, verdict in found.verdicts.items()}
        longest = max([longest, *(len(v.trace.actions) for v in found.verdicts.values() if v.trace is not None)])
        most = max(most, found.statistics.states)
    kinds_of_property = ("Always", "Assertion", "Reachable", "NoDeadlock", "CanAlwaysFinish")
    every = {(kind, outcome.name) for kind in kinds_of_property for outcome in Outcome}
    every -= {(kind, "NEVER_ASKED") for kind in ("Reachable", "CanAlwaysFinish")}  # a model that never moves is rare
    every |= {("NoFault", "VIOLATED"), ("WithinBounds", "VIOLATED")}
    assert seen == every | {("fault", kind) for kind in ("RANGE", "REENTRY", "BOUND")}
    assert longest >= 6
    assert most >= 300

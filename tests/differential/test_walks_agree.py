"""Random walks by machine code are those that Python takes, and those of a walker that knows nothing but the system's own rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from msgspec import Struct

from draincheck.budget import NO_LIMITS
from draincheck.engines.simulation import _Walks, simulate
from draincheck.exploration import loop as loops
from draincheck.native import code, expand, system
from draincheck.native.tiers import Tier
from draincheck.properties import FAULTS, Always, Assertion, NoDeadlock, Property, Reachable
from draincheck.system import State, TransitionSystem
from draincheck.verdict import SILENT
from tests.support.breaking import kernel
from tests.support.layouts import GAPS, Spread, spread_out
from tests.support.machines import event_loop
from tests.support.samples import sampled
from tests.support.strategies import random_system, systems, tries

RANDOM = tries(8, HealthCheck.function_scoped_fixture)


@pytest.fixture(params=sampled(GAPS, [0, 40]))
def spread(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """States have gaps between their fields."""
    spread_out(monkeypatch, request.param)
    yield


# -- a walker of its own ----------------------------------------------------------------------------


class Came(Struct, frozen=True):
    """What walks come to: how many were taken, their steps, the longest, the actions taken, and for each property where its first walk shows it."""

    taken: int
    steps: int
    longest: int
    fired: frozenset[int]
    shown: dict[str, tuple[State, State]]


class Drawing:
    """SplitMix64, as its authors write it."""

    def __init__(self, seed: int, walk: int) -> None:
        self.x = self.scrambled((self.scrambled(seed % 2**64) + walk) % 2**64)

    @staticmethod
    def scrambled(z: int) -> int:
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) % 2**64
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) % 2**64
        return z ^ (z >> 31)

    def one_of(self, number: int) -> int:
        assert number < 2**15
        self.x = (self.x + 0x9E3779B97F4A7C15) % 2**64
        return (self.scrambled(self.x) // 2**32) * number // 2**32


class Walker:
    """Walks through a system, step by step."""

    def __init__(self, system: TransitionSystem, items: Sequence[Property]) -> None:
        self.system = system
        asked = {check.property for action in system.actions for check in action.checks}
        kinds = (Always, Reachable, NoDeadlock)
        self.open: list[Property] = [
            i for i in items if isinstance(i, kinds) or (isinstance(i, Assertion) and i.name in asked)
        ]
        self.shown: dict[str, tuple[State, State]] = {}
        self.steps = self.longest = self.taken = 0
        self.fired: set[int] = set()

    def series(self, walks: int, depth: int, seed: int) -> Came:
        while self.taken < walks and self.open:
            self.one(Drawing(seed, self.taken), depth)
        return Came(self.taken, self.steps, self.longest, frozenset(self.fired), self.shown)

    def one(self, drawing: Drawing, depth: int) -> None:
        starts = list(self.system.initial)
        start = state = starts[drawing.one_of(len(starts))]
        self.look(start, state)
        length = 0
        while length < depth:
            enabled = list(self.system.enabled(state))
            if not enabled:
                rests = self.system.holds(self.system.final, state) or (
                    self.system.at_rest and all(self.system.holds(where, state) for _, where in self.system.at_rest)
                )
                self.show([i for i in self.open if isinstance(i, NoDeadlock) and not rests], start, state)
                break
            action = enabled[drawing.one_of(len(enabled))]
            if (fault := self.system.fault(state, action)) is not None:
                name = next(item.name for item in FAULTS.values() if item.kind is fault.kind)
                self.shown.setdefault(name, (start, state))
                break
            broken = self.system.broken_checks(state, action)
            state, length = self.system.step(state, action), length + 1
            self.fired.add(action.index)
            self.show([i for i in self.open if isinstance(i, Assertion) and i.name in broken], start, state)
            self.look(start, state)
        self.taken += 1
        self.steps += length
        self.longest = max(self.longest, length)

    def look(self, start: State, state: State) -> None:
        holds = self.system.holds
        bad = [i for i in self.open if isinstance(i, Always) and not holds(i.holds, state)]
        good = [i for i in self.open if isinstance(i, Reachable) and holds(i.goal, state)]
        self.show([*bad, *good], start, state)

    def show(self, items: Sequence[Property], start: State, state: State) -> None:
        for item in items:
            self.shown[item.name] = start, state
            self.open.remove(item)


def walked(system: TransitionSystem, tier: Tier, walks: int, depth: int, seed: int) -> Came:
    """What a tier comes to, for the system's own properties."""
    made = _Walks(system, system.properties, depth, seed, NO_LIMITS.begun())
    made.walk_often(walks, SILENT, tier)
    shown = {
        item.name: (run.trace.initial, run.steps[-1].after if run.steps else run.trace.initial)
        for item, run in made.found.items()
    }
    return Came(made.taken, made.steps, made.longest, frozenset(made.fired), shown)


@pytest.mark.slow
@pytest.mark.parametrize("part", sampled(range(75), 1, 4))
@RANDOM
@given(systems(careless=20), st.integers(0, 2**64 - 1), st.integers(1, 40))
def test_walks_are_those_of_the_rules(spread: None, part: int, system: TransitionSystem, seed: int, depth: int) -> None:
    """Python and machine code take them step by step as a walker does that reads the system alone, and come upon the same."""
    Spread.seed = seed
    expected = Walker(system, system.properties).series(70, depth, seed)
    assert [walked(system, tier, 70, depth, seed) for tier in (Tier.PYTHON, Tier.NATIVE)] == [expected, expected]


@pytest.mark.parametrize("part", sampled(range(38), 1, 4))
@RANDOM
@given(systems(careless=20), st.integers(0, 2**32 - 1))
def test_what_is_made_of_walks_is_equal(spread: None, part: int, system: TransitionSystem, seed: int) -> None:
    """Verdicts, with their traces and reasons, and all numbers."""
    Spread.seed = seed
    python, native = (simulate(system, runs=70, depth=30, seed=seed, tier=t) for t in (Tier.PYTHON, Tier.NATIVE))
    assert native == python


# -- negative controls ------------------------------------------------------------------------------


def _acts_on_others(patch: pytest.MonkeyPatch) -> None:
    act = expand._Listing._act
    patch.setattr(expand._Listing, "_act", lambda self, index: act(self, index ^ 1))


def _notes_one(patch: pytest.MonkeyPatch) -> None:
    note = expand._Listing._note
    patch.setattr(expand._Listing, "_note", lambda self, number: note(self, 0))


BROKEN = {
    "the greatest is first": kernel("acts[other] < acts[at]", "acts[at] < acts[other]"),
    "faults are not drawn": kernel("if faulty[met[at]]", "if 0"),
    "one number is drawn for all": kernel("chances[at] = following(chances[at])", "chances[at] += 0"),
    "what was noted is forgotten": kernel("if wanted[met[at]] and", "if 0 and"),
    "notes are of other actions": kernel("action_of[met[at]] == action", "action_of[met[at]] < action"),
    "ends are not looked at": kernel("return shows(shared, at, shared[IN_STATES], shared[IN_ALL])", "return 0"),
    "states are not looked at": kernel(
        "if shows(shared, at, 0, shared[IN_STATES]):\n        return 1\n    return 2", "return 2"
    ),
    "beginnings are not looked at": kernel("if lengths[at] == 0 and", "if lengths[at] == 1 and"),
    "walks are a step too long": kernel("lengths[at] < shared[DEPTH]", "lengths[at] <= shared[DEPTH]"),
    "nothing was taken": kernel("fired[acts[place]] = 1", "fired[acts[place]] = 0"),
    "notes pile up": kernel("met[0] = 0", "met[0] += 0"),
    "actions are taken for others": _acts_on_others,
    "notes are taken for others": _notes_one,
}

#: systems among which one shows what is broken
SAMPLE = 60


def differs(seed: int) -> bool:
    """Whether walks by machine code come to something else in one of them."""
    Spread.seed, Spread.widest = seed, 25 * (seed % 2)
    system = random_system(seed, data=3, processes=1 + seed % 3, depth=2, folded=True, careless=30)
    runs, depth = (40, 5) if seed % 2 else (5, 40)
    python, native = (walked(system, tier, runs, depth, seed) for tier in (Tier.PYTHON, Tier.NATIVE))
    return python != native


@pytest.mark.parametrize("what", sampled(BROKEN, list(BROKEN)[::8]))
def test_machine_code_that_is_wrong_is_noticed(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part, broken on purpose, shows in some system of the sample, which unbroken it does not."""
    monkeypatch.setattr(loops, "Layout", Spread)
    monkeypatch.setattr(code, "kept", lambda key, make: make())
    system._kernel.cache_clear()
    with monkeypatch.context() as patch:
        BROKEN[what](patch)
        wrong = next((seed for seed in range(SAMPLE) if differs(seed)), None)
        system._kernel.cache_clear()
    assert wrong is not None
    assert not differs(wrong)


@pytest.mark.slow
def test_a_series_goes_on_where_python_has_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Machine code takes over in the middle of a series, and nobody can tell."""
    monkeypatch.setattr("draincheck.engines.simulation.SOME", 100)
    monkeypatch.setattr("draincheck.engines.simulation.MANY", 100)
    made = event_loop(2, 2, buggy=True)
    python, by_size = (simulate(made, runs=500, tier=t) for t in (Tier.PYTHON, Tier.BY_SIZE))
    assert by_size == python

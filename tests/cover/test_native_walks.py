"""The kernel of random walks, run as the Python that it is, and what is done with what machine code says."""

from __future__ import annotations

from collections.abc import MutableSequence
from typing import Any

import pytest

from draincheck import budget
from draincheck.budget import NO_LIMITS
from draincheck.chance import CHOICES, Chance, beginning
from draincheck.engines import simulation
from draincheck.engines.simulation import _Walks, simulate
from draincheck.errors import ModelError
from draincheck.exploration.loop import Loop
from draincheck.native import kernel_walks, parts, tiers, walking
from draincheck.native.tiers import Tier
from draincheck.native.walking import NativeWalks
from draincheck.system import TransitionSystem
from draincheck.verdict import Limits
from tests.support.machines import counter, event_loop, philosophers

Numbers = MutableSequence[int]

WALKS, DEPTH = 20, 30


def block(system: TransitionSystem, loop: Loop) -> list[Any]:
    """What kernel and caller share, with arrays of Python's own; nothing is looked for."""

    def listed(order: Numbers, index: int, out: Numbers, count: int, *more: Numbers) -> int:
        acts, met = more
        loop.expand((order[index],))
        out[count : count + len(loop.targets)] = loop.targets
        acts[count : count + len(loop.targets)] = loop.actions
        for number, _ in loop.noted:
            met[0] += 1
            met[met[0]] = number
        return 2 * len(loop.targets) + (not loop.dead)

    shared: list[Any] = [0] * parts.SHARED
    begun = [Chance(beginning(0, walk)) for walk in range(WALKS)]
    starts = [system.initial[chance.below(system.initial.number)] for chance in begun]
    shared[parts.ORDER] = [loop.layout.pack(start) for start in starts]
    shared[parts.CHANCES] = [chance.state for chance in begun]
    shared[parts.LENGTHS], shared[parts.DEPTH], shared[parts.UNTIL] = [0] * WALKS, DEPTH, WALKS
    for name in (parts.OUT, parts.ACTS, parts.MET, parts.FIRED):
        shared[name] = [0] * 100
    shared[parts.LISTED], shared[parts.WANTED] = listed, [0] * (len(loop.notes) + 1)
    shared[parts.FAULTY] = [int(note.fault is not None) for note in loop.notes]
    shared[parts.ACTION_OF] = [note.action.index for note in loop.notes]
    return shared


@pytest.mark.parametrize("system", [event_loop(1, 2), philosophers(), counter(5, guarded=False)])
def test_the_text_takes_the_walks_that_the_engine_takes(system: TransitionSystem) -> None:
    """As many steps, the same actions, the same longest walk."""
    expected = _Walks(system, (), DEPTH, 0, NO_LIMITS.begun())
    for _ in range(WALKS):
        expected.walk()
    shared = block(system, expected.loop)
    assert kernel_walks.going_on(shared, 10**9) == 0
    fired = {index for index, taken in enumerate(shared[parts.FIRED]) if taken}
    assert (shared[parts.STEPS], shared[parts.LONGEST]) == (expected.steps, expected.longest)
    assert fired == expected.fired


def test_a_walk_goes_on_where_it_was_stopped() -> None:
    """In pieces of any size walks are the same."""
    system = event_loop(1, 2)
    loop = Loop(system)
    whole, pieces = block(system, loop), block(system, loop)
    assert kernel_walks.going_on(whole, 10**9) == 0
    told = [2]
    while told[-1] == 2:
        told.append(kernel_walks.going_on(pieces, 7))
    assert len(told) > WALKS * DEPTH // 7 and told[-1] == 0
    for name in (parts.ORDER, parts.CHANCES, parts.LENGTHS, parts.STEPS, parts.LONGEST):
        assert pieces[name] == whole[name]


def test_a_walk_that_comes_upon_something_stops_the_others() -> None:
    """It is told which one that is; its steps are not counted."""
    system = counter(5, guarded=False)
    shared = block(system, Loop(system))
    shared[parts.CONDITIONS], shared[parts.IN_STATES] = [lambda order, at: order[at] == 3], 1
    shared[parts.LENGTHS][0] = 3  # the first walk has been there before
    shared[parts.ORDER][0] = 4
    assert kernel_walks.going_on(shared, 10**9) == 1
    assert (shared[parts.AT], shared[parts.STEPS]) == (1, 4)


@pytest.mark.parametrize("tier", [Tier.PYTHON, Tier.NATIVE])
def test_the_clock_is_looked_at_within_a_walk(tier: Tier, monkeypatch: pytest.MonkeyPatch) -> None:
    """A walk without an end is given up, by whoever takes it, and was not taken."""
    monkeypatch.setattr(walking, "PIECE", 50)
    monkeypatch.setattr(simulation, "STEPS", 50)
    times = iter(range(1000))
    monkeypatch.setattr(budget, "perf_counter", lambda: float(next(times)))
    system = event_loop(1, 1)
    found = simulate(system, runs=1, depth=10**9, limits=Limits(seconds=9), tier=tier)
    assert (found.runs, found.steps) == (0, 0)
    assert len(found.never_fired) < len(system.actions)
    assert "time limit" in str(found.verdicts["drained"].reason)


def test_machine_code_takes_over_where_many_steps_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """And not for the rest of a series that is nearly done."""
    made: list[int] = []
    begin = NativeWalks.__init__

    def noted(self: NativeWalks, *arguments: Any) -> None:
        made.append(1)
        begin(self, *arguments)

    monkeypatch.setattr(NativeWalks, "__init__", noted)
    monkeypatch.setattr(simulation, "SOME", 100)
    monkeypatch.setattr(simulation, "MANY", 1000)
    for runs, times in ((109, 0), (300, 1)):
        made.clear()
        simulate(event_loop(1, 1), runs=runs, depth=10)
        assert len(made) == times


def test_without_llvmlite_python_goes_on_and_says_what_would_have_helped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it took long; who demands machine code is told at once."""
    monkeypatch.setattr(simulation, "SOME", 100)
    monkeypatch.setattr(simulation, "MANY", 1000)
    monkeypatch.setattr(simulation, "WAITED", 2500)
    monkeypatch.setattr(simulation, "is_installed", lambda: False)
    advice = [simulate(event_loop(1, 1), runs=runs, depth=10).advice for runs in (110, 200, 300)]
    assert advice == ["", "", f"Python alone took 3000 steps: {tiers.MISSING}"]


@pytest.mark.slow
def test_where_no_machine_code_can_be_made_python_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """And says why."""

    def broken(*_: object) -> None:
        raise ImportError("no such file")

    monkeypatch.setattr(walking, "NativeLoop", broken)
    system = event_loop(1, 1)
    by_size = simulate(system, runs=300, tier=Tier.BY_SIZE)
    assert by_size.advice.endswith("no such file")
    assert by_size == simulate(system, runs=300, tier=Tier.PYTHON)
    with pytest.raises(ModelError, match="no such file"):
        simulate(system, runs=300, tier=Tier.NATIVE)


def test_more_actions_than_a_number_can_choose_from_are_refused() -> None:
    """By name; as is a system that is refused anyway."""
    with pytest.raises(ModelError, match="too many for walks"):
        NativeWalks(Loop(event_loop(1, 1)), (), CHOICES, 1, 1)

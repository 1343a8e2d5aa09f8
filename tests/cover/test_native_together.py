"""Threads that search together: who is first at a slot, what is done where there is no room, how many there are."""

from __future__ import annotations

from collections.abc import Callable, MutableSequence
from threading import Event, Thread

import pytest

from draincheck.engines import explicit
from draincheck.exploration.explorer import Explorer
from draincheck.native import explorer, kernel_together, parts, states, team
from draincheck.native.explorer import NativeExplorer
from draincheck.native.kernel_together import advance_together, insert_together
from draincheck.native.tiers import Tier
from draincheck.verdict import Limits
from tests.cover.test_native_kernel import searching
from tests.support.machines import event_loop

Claim = Callable[[MutableSequence[int], int, int], int]


def overtaken(by: int) -> Claim:
    """An exchange before which somebody else, once, has stored a state."""
    whole, others = parts.claim, [by]

    def claim(table: MutableSequence[int], slot: int, key: int) -> int:
        if others:
            table[slot] = others.pop() + 1
        return whole(table, slot, key)

    return claim


def test_a_state_that_somebody_else_has_stored_in_between_is_not_new(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is stored once, and one thread alone is told that it is new."""
    monkeypatch.setattr(kernel_together, "claim", overtaken(by=5))
    table = [0] * (2 * parts.SLOTS)
    assert insert_together(table, 2, 0, 5) == 0
    assert [slot for slot in table if slot] == [6]


def test_a_slot_that_somebody_else_has_taken_is_left_to_him(monkeypatch: pytest.MonkeyPatch) -> None:
    """The state goes into the next one."""
    monkeypatch.setattr(kernel_together, "claim", overtaken(by=7))
    table = [0] * (2 * parts.SLOTS)
    assert insert_together(table, 2, 0, 5) == 1
    assert table[:3] == [8, 6, 0]


def test_a_bucket_that_somebody_else_has_filled_is_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind the last bucket comes the first."""
    monkeypatch.setattr(kernel_together, "claim", overtaken(by=7))
    table = [0] * parts.SLOTS + [*range(100, 100 + parts.SLOTS - 1), 0]
    assert insert_together(table, 2, 1, 5) == 1
    assert (table[0], table[-1]) == (6, 8)


def test_one_thread_does_what_the_text_says() -> None:
    """Alone, `advance_together` finds what there is, as Python executes it."""
    system = event_loop(1, 2)
    shared = searching(system)
    while shared[parts.AT] < shared[parts.STORED]:
        shared[parts.UNTIL] = shared[parts.STORED]
        assert advance_together(shared, shared) == 0
        shared[parts.AT] = shared[parts.UNTIL]
    found = explicit.decide(system, (), tier=Tier.PYTHON).statistics
    assert (shared[parts.STORED], shared[parts.TRANSITIONS]) == (found.states, found.transitions)


def test_room_is_left_for_every_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that is nearly full grows before a thread begins what may not fit; nothing is lost."""
    monkeypatch.setattr(team, "ENOUGH", 1)
    monkeypatch.setattr(team, "processors", lambda: 4)
    monkeypatch.setattr(states, "FIRST", 64)
    system = event_loop(2, 1)
    expected = explicit.decide(system, system.properties, tier=Tier.PYTHON)
    assert explicit.decide(system, system.properties, tier=Tier.NATIVE) == expected


@pytest.mark.parametrize(
    ("words", "number", "threads"), [(1, 10, 1), (1, 3 << 16, 3), (1, 1 << 30, 5), (2, 1 << 30, 1)]
)
def test_threads_have_enough_to_do(words: int, number: int, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as there are processors, at most; states of several words are left to one."""
    monkeypatch.setattr(team, "processors", lambda: 5)
    native = NativeExplorer(Explorer(event_loop(1, 1)), ())
    native.states.words = words
    assert native._team.wanted(number) == threads


def test_a_limit_of_states_is_kept_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which states there are at the limit does not depend on who was first."""
    monkeypatch.setattr(team, "ENOUGH", 1)
    monkeypatch.setattr(team, "processors", lambda: 4)
    monkeypatch.setattr(explorer, "LARGE_PIECE", 16)
    system, limit = event_loop(2, 1), Limits(states=500)
    expected = explicit.decide(system, system.properties, limit, tier=Tier.PYTHON)
    assert explicit.decide(system, system.properties, limit, tier=Tier.NATIVE) == expected


def test_threads_that_cannot_be_started_are_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that there are do their part."""

    def refused(thread: Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(team, "ENOUGH", 1)
    monkeypatch.setattr(team, "processors", lambda: 4)
    monkeypatch.setattr(Thread, "start", refused)
    system = event_loop(2, 1)
    expected = explicit.decide(system, system.properties, tier=Tier.PYTHON)
    assert explicit.decide(system, system.properties, tier=Tier.NATIVE) == expected


def test_an_interrupt_waits_for_every_thread() -> None:
    """What they work with is there until the last has ended."""
    go_on, interrupts = Event(), [KeyboardInterrupt()]

    class Waited(Thread):
        def join(self, timeout: float | None = None) -> None:
            if interrupts:
                raise interrupts.pop()
            go_on.set()
            super().join(timeout)

    thread = Waited(target=go_on.wait)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        team._join([thread])
    assert not thread.is_alive()

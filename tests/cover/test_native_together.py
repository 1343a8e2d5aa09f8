"""Threads that search together: who is first at a slot, what is done where there is no room, how many there are."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, MutableSequence, Sequence
from ctypes import Array, addressof, c_uint64
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from random import Random
from threading import Barrier, Event, Thread

import pytest

from draincheck.engines import explicit
from draincheck.exploration.explorer import Explorer
from draincheck.native import code, explorer, kernel_together, parts, states, team
from draincheck.native import system as compiled
from draincheck.native.explorer import NativeExplorer
from draincheck.native.kernel_together import advance_together, insert_together
from draincheck.native.memory import Pages
from draincheck.native.states import read, write
from draincheck.native.tiers import Tier
from draincheck.verdict import Limits
from tests.cover.test_native_kernel import searching
from tests.support.machines import event_loop
from tests.support.samples import sampled

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


@pytest.mark.parametrize(("number", "threads"), [(10, 1), (3 << 16, 3), (1 << 30, 5)])
def test_threads_have_enough_to_do(number: int, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as there are processors, at most."""
    monkeypatch.setattr(team, "processors", lambda: 5)
    native = NativeExplorer(Explorer(event_loop(1, 1)), ())
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


# -- as machine code, whatever the width of a state -------------------------------------------------

WIDTHS = 1, 2, 3, 8

SOURCE = """
def insert_all(shared: Shared, mine: Shared) -> Word:
    table: States = shared[TABLE]
    order: States = mine[ORDER]
    buckets = shared[BUCKETS]
    new = 0
    at = 0
    while at < mine[UNTIL]:
        new += insert_together(table, buckets, bucket_of(order[at], buckets), order[at])
        at += 1
    return new
"""


@cache
def machine_code(words: int) -> code.Code:
    """The kernel of the search, and a function that stores many states."""
    room = Path(parts.__file__).parent
    sources = [(room / name).read_text() for name in ("kernel.py", "kernel_together.py")]
    return code.loaded(f"a test of {words} words", lambda: compiled._kernel_text([*sources, SOURCE], words), 1)


class Table:
    """A table, and threads that store states in it."""

    def __init__(self, words: int, buckets: int) -> None:
        self.words, self.width, self.buckets = words, words * 8, buckets
        self.code = machine_code(words)  # not by the threads: ast.parse of Python 3.11 is not made for several
        self.pages = Pages(buckets * parts.slots(words) * self.width)
        self.shared = self.block({parts.TABLE: self.pages.address, parts.BUCKETS: buckets})

    def block(self, values: Mapping[int, int]) -> Array[c_uint64]:
        made = (c_uint64 * parts.SHARED)()
        for name, value in values.items():
            made[name] = value
        return made

    def insert(self, states: Sequence[int]) -> int:
        """Store states: how many were new."""
        order = Pages(max(1, len(states)) * self.width)
        write(order, 0, states, self.words)
        mine = self.block({parts.ORDER: order.address, parts.UNTIL: len(states)})
        return self.code.call("insert_all", addressof(self.shared), addressof(mine))

    def slots(self) -> list[int]:
        """What is in each slot."""
        return list(read(self.pages, 0, self.buckets * parts.slots(self.words), self.words))


def some_states(random: Random, words: int, number: int) -> list[int]:
    """States with many words in common: of each, most words are zero or what others have there."""
    values = [0, 1, (1 << 62) - 1, random.getrandbits(62)]
    found: set[int] = set()
    while len(found) < number:
        parts_of = [random.choice(values) if random.random() < 0.7 else random.getrandbits(62) for _ in range(words)]
        found.add(sum(part << 64 * n for n, part in enumerate(parts_of)))
    return list(found)


def is_stored_once(words: int) -> bool:
    """Whether each state is new the first time, and stands in one slot, and buckets are filled from the front."""
    size = parts.slots(words)
    table, states = Table(words, 40 // size), some_states(Random(words), words, 30)
    told = [table.insert([state]) for state in states]
    again, stored = table.insert(states), table.slots()
    filled = [[bool(key) for key in stored[at : at + size]] for at in range(0, len(stored), size)]
    return (told, again) == ([1] * 30, 0) and (
        sorted(filter(None, stored)) == sorted(state + parts.key_of(words) for state in states)
        and all(bucket == sorted(bucket, reverse=True) for bucket in filled)
    )


@pytest.mark.parametrize("words", WIDTHS)
def test_what_one_thread_stores_is_stored_once(words: int) -> None:
    """In one slot, where it is found again; buckets are filled from the front."""
    assert is_stored_once(words)


@pytest.mark.parametrize("words", WIDTHS)
@pytest.mark.parametrize("threads", sampled([2, 3, 4], [3]))
def test_what_threads_store_at_once_is_stored_once(words: int, threads: int) -> None:
    """Of several that have the same states, in other orders, each state is new to one."""
    random = Random(threads)
    states = some_states(random, words, 20_000)
    table, new, all_there = Table(words, 40_000 // parts.slots(words)), [0] * threads, Barrier(threads)
    orders = [random.sample(states, len(states)) for _ in range(threads)]

    def work(number: int) -> None:
        all_there.wait()
        new[number] = table.insert(orders[number])

    workers = [Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(new) == len(states)
    assert sorted(filter(None, table.slots())) == sorted(state + parts.key_of(words) for state in states)


def is_waited_for(words: int, is_same: bool) -> bool:
    """Whether a thread waits for what will stand in a slot: the state that it stores, or another one, behind which there is room."""
    table, told = Table(words, 1), list[int]()
    mine, other = some_states(Random(1), words, 2)
    key = (mine if is_same else other) + parts.key_of(words)
    top = 64 * (words - 1)
    write(table.pages, 0, [parts.BUSY << top], words)
    thread = Thread(target=lambda: told.append(table.insert([mine])))
    thread.start()
    thread.join(0.05)
    waits = [thread.is_alive()]
    write(table.pages, 0, [key & (1 << top) - 1 | parts.BUSY << top], words)
    thread.join(0.05)
    waits.append(thread.is_alive())
    write(table.pages, 0, [key], words)
    thread.join()
    return waits == [True, True] and (told, sum(map(bool, table.slots()))) == (([0], 1) if is_same else ([1], 2))


@pytest.mark.parametrize("words", sampled(WIDTHS[1:], [WIDTHS[-1]]))
@pytest.mark.parametrize("is_same", [True, False])
def test_a_slot_that_somebody_is_storing_in_is_waited_for(words: int, is_same: bool) -> None:
    """What will stand there is known when its highest word is written."""
    assert is_waited_for(words, is_same)


BROKEN = {
    "nobody waits": ("_look_at_text", "br i1 %busy, label %wait, label %stored", "br label %stored"),
    "the highest word is enough": ("_look_at_text", "%same0 = and i1 %same, %equal0", "%same0 = and i1 %same, true"),
    "the lowest word is enough": ("_look_at_text", "%same0 = and i1 %same, %equal0", "%same0 = and i1 true, %equal0"),
    "the lowest word is forgotten": ("_claim_text", "store i64 %key0,", "store i64 0,"),
    "who wins says that he has lost": ("_claim_text", "ret i64 1", "ret i64 0"),
    "the last slot is first": ("_look_text", "%bits0 = shl i64 %seen0, 0", "%bits0 = shl i64 %seen0, 1"),
}  # fmt: skip
#: those that are broken in the quick run
FEW = ("the highest word is enough", "who wins says that he has lost")


@pytest.mark.parametrize(
    ("function", "old", "new"),
    [pytest.param(*words, id=name, marks=() if name in FEW else pytest.mark.slow) for name, words in BROKEN.items()],
)
def test_a_table_of_wide_states_that_is_wrong_is_noticed(
    function: str, old: str, new: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each instruction that matters, broken on purpose, shows in the checks above."""
    whole = getattr(parts, function)
    assert old in whole(2)
    monkeypatch.setattr(parts, function, lambda words: whole(words).replace(old, new))
    monkeypatch.setattr(code, "kept", lambda key, make: make())
    machine_code.cache_clear()
    try:
        assert not (_ends(is_stored_once, 2) and _ends(is_waited_for, 2, True) and is_waited_for(2, False))
    finally:
        machine_code.cache_clear()


def _ends(check: Callable[..., bool], *arguments: object) -> bool:
    """What a check says, within a second; False if it has not ended then. In a process: a thread in machine code that never ends cannot be ended."""
    process = get_context("fork").Process(target=lambda: os._exit(not check(*arguments)))
    process.start()
    process.join(1)
    process.kill()
    process.join()
    return process.exitcode == 0

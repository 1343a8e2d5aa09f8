"""The kernel of the native tier, run as the Python that it is: its table, and that machine code does the same in the same order."""

from __future__ import annotations

from collections.abc import MutableSequence
from random import Random
from typing import Any

import pytest

from draincheck.exploration.explorer import Explorer
from draincheck.exploration.loop import Loop
from draincheck.native import kernel, kernel_reach, parts
from draincheck.native.explorer import NativeExplorer
from draincheck.system import TransitionSystem
from tests.support.machines import event_loop, philosophers

#: buckets of a small table
BUCKETS = 5

Numbers = MutableSequence[int]


def block(buckets: int = BUCKETS, places: int = 2000) -> list[Any]:
    """What kernel and caller share, with arrays of Python's own."""
    shared: list[Any] = [0] * parts.SHARED
    shared[parts.BUCKETS] = buckets
    for name in (parts.ORDER, parts.OUT, parts.PLACES):
        shared[name] = [0] * places
    shared[parts.TABLE] = [0] * (buckets * parts.SLOTS)
    shared[parts.SOUGHT] = [0]
    for name in (parts.FIRED, parts.NO_FIRED, parts.MARKS):
        shared[name] = bytearray(1000 + buckets * parts.SLOTS)
    return shared


def store(shared: list[Any], states: list[int]) -> None:
    shared[parts.OUT][: len(states)] = states
    kernel.store(shared, len(states))


@pytest.mark.parametrize("seed", range(5))
def test_a_table_has_what_was_stored_and_nothing_else(seed: int) -> None:
    """However full it is, and wherever the hash has sent a state."""
    random, shared = Random(seed), block()
    states = random.sample(range(200), BUCKETS * parts.SLOTS - 1)
    store(shared, states + states[:5])
    assert shared[parts.ORDER][: shared[parts.STORED]] == states
    table = shared[parts.TABLE]
    slots = [kernel.find(table, BUCKETS, state) for state in range(200)]
    assert [state for state, slot in enumerate(slots) if slot] == sorted(states)
    assert all(table[slot - 1] == state + 1 for state, slot in enumerate(slots) if slot)


@pytest.mark.parametrize("seed", range(5))
def test_what_is_taken_back_was_never_there(seed: int) -> None:
    """The table is again what it was before, slot by slot."""
    random, shared = Random(seed), block()
    states = random.sample(range(200), 30)
    store(shared, states[:20])
    before = [*shared[parts.TABLE]]
    store(shared, states)
    kernel.take_back(shared, 20)
    assert (shared[parts.STORED], shared[parts.TABLE]) == (20, before)


def grown(shared: list[Any], buckets: int, most: int = 1000) -> int:
    """Let the table have so many buckets: what the kernel says to that."""
    before, shared[parts.BUCKETS] = shared[parts.BUCKETS], buckets
    shared[parts.TABLE] += [0] * ((buckets - before) * parts.SLOTS)
    return kernel.spread(shared, before, most)


def is_sound(shared: list[Any], states: list[int]) -> bool:
    """Whether the table has these states, each once and where it is looked for, and no others."""
    table = shared[parts.TABLE]
    found = [kernel.find(table, shared[parts.BUCKETS], state) for state in states]
    return all(found) and sorted(filter(None, table)) == sorted(state + 1 for state in states)


@pytest.mark.parametrize("seed", range(30))
def test_a_table_that_grows_keeps_what_it_has(seed: int) -> None:
    """All states are found in the larger table, again and again, however full the table was, which makes states stand far from their places."""
    random, buckets = Random(seed), 4
    shared, states = block(buckets), [*range(10_000)]
    random.shuffle(states)
    while buckets < 64:
        stored = shared[parts.STORED]
        store(shared, states[stored : buckets * parts.SLOTS - random.randrange(1, 8)])
        buckets += random.randrange(1, buckets)
        assert grown(shared, buckets) == 0
        assert is_sound(shared, states[: shared[parts.STORED]])


def test_states_that_crowd_are_stored_again() -> None:
    """Where too many have to wait for their places the table is filled anew; nothing is lost."""
    crowd = [state for state in range(4000) if parts.bucket_of(state, 20) == 0][:70]
    shared = block(10)
    store(shared, crowd)
    assert grown(shared, 20, most=parts.SLOTS + 3) == 1
    shared[parts.TABLE] = [0] * (20 * parts.SLOTS)
    kernel.store_again(shared)
    assert is_sound(shared, crowd)


def test_states_whose_buckets_are_full_go_behind_them() -> None:
    """They are looked for there, and those that are new stand in the order of their discovery behind the others."""
    home = [state for state in range(4000) if parts.bucket_of(state, 200) == 199][: parts.SLOTS + 3]
    shared = searching(event_loop(1, 1))
    shared[parts.TABLE], shared[parts.STORED], shared[parts.AT] = [0] * (200 * parts.SLOTS), 0, 0
    store(shared, home[: parts.SLOTS])
    after = [home[-1], home[0], home[-2], home[-1]]
    shared[parts.EXPAND] = lambda order, index, out, *_: out.__setitem__(slice(0, 4), after) or 2 * 4 + 1
    shared[parts.UNTIL] = 1
    assert kernel.advance(shared) == 0
    assert shared[parts.ORDER][parts.SLOTS : shared[parts.STORED]] == [home[-1], home[-2]]
    assert is_sound(shared, shared[parts.ORDER][: shared[parts.STORED]])


def test_a_batch_that_finds_no_room_waits_for_it() -> None:
    """Nothing of it is stored, and the search goes on with the same states."""
    shared = searching(event_loop(1, 1), room=3)
    before = shared[parts.AT], shared[parts.STORED], [*shared[parts.TABLE]]
    assert kernel.advance(shared) == 1
    assert (shared[parts.AT], shared[parts.STORED], shared[parts.TABLE]) == before


def searching(system: TransitionSystem, room: int = 1 << 20) -> list[Any]:
    """A search that is about to take the actions of the initial states."""
    loop, shared = Loop(system), block(200, 5000)

    def expand(order: Numbers, index: int, out: Numbers, count: int, *_: object) -> int:
        loop.expand((order[index],))
        out[count : count + len(loop.targets)] = loop.targets
        return 2 * len(loop.targets) + (not loop.dead)

    shared[parts.EXPAND], shared[parts.ROOM] = expand, room
    store(shared, [loop.layout.pack(state) for state in system.initial])
    shared[parts.UNTIL] = shared[parts.STORED]
    return shared


@pytest.mark.parametrize("system", [event_loop(1, 2), philosophers()], ids=["event loop", "philosophers"])
def test_machine_code_does_what_the_text_says(system: TransitionSystem) -> None:
    """The kernel finds the same states in the same order, whether Python or the processor executes it."""
    shared = searching(system)
    while shared[parts.AT] < shared[parts.STORED]:
        shared[parts.UNTIL] = shared[parts.STORED]
        assert kernel.advance(shared) == 0
    native = NativeExplorer(Explorer(system), ())
    native.run()
    assert list(native.states.read(0, len(native))) == shared[parts.ORDER][: shared[parts.STORED]]
    assert native.transitions == shared[parts.TRANSITIONS]
    assert native.states[parts.DEAD] == shared[parts.DEAD]


# -- questions --------------------------------------------------------------------------------------


def searched(system: TransitionSystem) -> tuple[list[Any], dict[int, list[int]]]:
    """A search that has come to its end, and for each state those that are one action away."""
    shared, after = searching(system), dict[int, list[int]]()
    while shared[parts.AT] < shared[parts.STORED]:
        shared[parts.UNTIL] = shared[parts.STORED]
        kernel.advance(shared)
    loop = Loop(system)
    for state in shared[parts.ORDER][: shared[parts.STORED]]:
        loop.expand((state,))
        after[state] = [*loop.targets]
    return shared, after


def test_the_least_state_before_is_found() -> None:
    """Among those that are asked about; zero where none leads there."""
    shared, after = searched(event_loop(1, 1))
    states = shared[parts.ORDER][: shared[parts.STORED]]
    for state in states:
        shared[parts.SOUGHT][0] = state
        for piece in (states[:40], states[40:]):
            start = states.index(piece[0])
            number = kernel.predecessor(shared, start, start + len(piece))
            before = [each for each in piece if state in after[each]]
            assert (states[number - 1] if number else None) == min(before, default=None)
        assert kernel.number_of(shared, 0, len(states)) == states.index(state) + 1
        assert shared[parts.TABLE][kernel.slot_of(shared) - 1] == state + 1


def test_the_least_state_in_which_something_holds_is_found() -> None:
    """And of those in which nothing moves."""
    shared, after = searched(philosophers())
    states = shared[parts.ORDER][: shared[parts.STORED]]
    for bit in range(8):

        def holds(order: Numbers, index: int, bit: int = bit) -> int:
            return order[index] >> bit & 1

        wanted = [state for state in states if state >> bit & 1]
        for question, among in ((kernel.first, wanted), (kernel.first_dead, [s for s in wanted if not after[s]])):
            number = question(shared, 0, len(states), holds)
            assert (states[number - 1] if number else None) == min(among, default=None)


def met(goal: int) -> kernel.Holds:
    """Where a state is the goal."""
    return lambda order, index: order[index] == goal


@pytest.mark.parametrize(
    "system",
    [philosophers(), pytest.param(event_loop(1, 1), marks=pytest.mark.slow)],
    ids=["philosophers", "event loop"],
)
def test_walks_say_what_can_be_reached(system: TransitionSystem) -> None:
    """For every goal of a single state: the states from which it can be reached have the bit, and no others."""
    shared, after = searched(system)
    states, slots = shared[parts.ORDER][: shared[parts.STORED]], len(shared[parts.TABLE])
    shared[parts.PATH] = [0] * (len(states) + 1)
    for goal in states:
        shared[parts.MARKS] = bytearray(slots)
        kernel_reach.mark(shared, 0, slots, met(goal), 2)
        for _ in states:
            kernel_reach.forget_walks(shared, 0, slots)
            kernel_reach.walks(shared, 0, slots, 2)
        able, more = {goal}, True
        while more:
            new = {state for state in states if able.intersection(after[state])} - able
            able, more = able | new, bool(new)
        lacking = [state for state in states if state not in able]
        number = kernel_reach.first_lacking(shared, 0, len(states), 2)
        assert kernel_reach.lacking(shared, 0, slots, 2) == len(lacking)
        assert (states[number - 1] if number else None) == min(lacking, default=None)


def test_what_was_not_looked_at_may_reach_anything() -> None:
    """All bits at once, for some states alone."""
    shared, _ = searched(philosophers())
    shared[parts.MARKS] = bytearray(len(shared[parts.TABLE]))
    kernel_reach.mark_all(shared, 2, 4, 5)
    marked = [shared[parts.MARKS][slot] for slot, key in enumerate(shared[parts.TABLE]) if key]
    assert sorted(marked) == [0] * (len(marked) - 2) + [5, 5]


def test_one_state_after_the_other_ends_where_there_are_too_many() -> None:
    """The state after which more would be stored is not looked at, and what it leads to is forgotten."""
    shared = searching(event_loop(1, 1))
    shared[parts.MOST] = 20
    while (why := kernel.advance_singly(shared)) == 0:
        shared[parts.UNTIL] = shared[parts.STORED]
    at, stored = shared[parts.AT], shared[parts.STORED]
    assert (why, stored <= 20) == (2, True)
    assert len([key for key in shared[parts.TABLE] if key]) == stored
    found = kernel.collect(shared, shared, at, at + 1)
    new = {state for state in shared[parts.OUT][:found] if not kernel.find(shared[parts.TABLE], 200, state)}
    assert stored + len(new) > 20

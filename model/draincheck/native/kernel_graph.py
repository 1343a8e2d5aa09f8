"""The graph of what a search has found, over arrays: plain functions as those of `kernel`.

States are brought into ascending order, layer by layer, and numbered in this order, from zero. The edges of a state stand between two of STARTS,
in the order of their ACTIONS.
"""

from __future__ import annotations

from collections.abc import Callable, MutableSequence
from typing import TypeAlias

from draincheck.native.kernel import Bytes, Holds, Shared, States, Word, Words, find
from draincheck.native.parts import (
    ACTION_OF,
    ACTIONS,
    ACTS,
    BUCKETS,
    BUFFER,
    CUT,
    CUTS,
    ENABLED,
    GRANTS,
    HOLDING,
    LISTED,
    MET,
    NUMBERS,
    ORDER,
    OUT,
    SLOTS,
    STARTS,
    TABLE,
    TARGETS,
    bucket_of,
    prefetch,
)

__all__ = ["edges", "hold", "merge_runs", "number_states"]

#: numbers of half a word
Halves: TypeAlias = MutableSequence[int]
#: takes the actions of a state one by one: see `expand.listed_text`
Listed: TypeAlias = Callable[[States, Word, States, Word, Words, Words], Word]


# -- in ascending order -----------------------------------------------------------------------------


def merge_runs(shared: Shared, first: Word, end: Word, width: Word) -> Word:
    """Merge the sorted runs of so many states, two by two."""
    while first < end:
        middle = min(first + width, end)
        merge(shared, first, middle, min(middle + width, end))
        first = min(middle + width, end)
    return 0


def merge(shared: Shared, first: Word, middle: Word, end: Word) -> Word:
    """Merge two sorted runs, which stand side by side."""
    order: States = shared[ORDER]
    buffer: States = shared[BUFFER]
    left = first
    right = middle
    at = 0
    while at < end - first:
        if is_left_next(order, left, middle, right, end):
            buffer[at] = order[left]
            left += 1
        else:
            buffer[at] = order[right]
            right += 1
        at += 1
    while at > 0:
        at -= 1
        order[first + at] = buffer[at]
    return 0


def is_left_next(order: States, left: Word, middle: Word, right: Word, end: Word) -> Word:
    """Whether the next state of two runs, which end where these say, is that of the left one."""
    if left == middle:
        return 0
    if right == end:
        return 1
    if order[left] < order[right]:
        return 1
    return 0


# -- edges ------------------------------------------------------------------------------------------


def number_states(shared: Shared, at: Word, until: Word) -> Word:
    """Say beside the table which numbers some states have."""
    table: States = shared[TABLE]
    order: States = shared[ORDER]
    numbers: Halves = shared[NUMBERS]
    while at < until:
        numbers[find(table, shared[BUCKETS], order[at]) - 1] = at
        at += 1
    return 0


def edges(shared: Shared, at: Word, until: Word, most: Word) -> Word:
    """List the edges of some states, one state after the other, and what faults cut off: where there was no room for more than `most` of that."""
    starts: Words = shared[STARTS]
    met: Words = shared[MET]
    while at < until:
        if shared[CUTS] > most:
            return at
        met[0] = 0
        starts[at + 1] = starts[at] + edges_of(shared, at, starts[at])
        cut_off(shared, at)
        at += 1
    return at


def edges_of(shared: Shared, at: Word, first: Word) -> Word:
    """List the edges of a state from a place on: how many there are."""
    table: States = shared[TABLE]
    order: States = shared[ORDER]
    out: States = shared[OUT]
    acts: Words = shared[ACTS]
    met: Words = shared[MET]
    numbers: Halves = shared[NUMBERS]
    listed: Listed = shared[LISTED]
    count = listed(order, at, out, 0, acts, met) >> 1
    here = 0
    while here < count:
        prefetch(table, bucket_of(out[here], shared[BUCKETS]) * SLOTS)
        here += 1
    here = 0
    while here < count:
        grant(shared, at, acts[here])
        put_edge(shared, first, here, acts[here], numbers[find(table, shared[BUCKETS], out[here]) - 1])
        here += 1
    return count


def put_edge(shared: Shared, first: Word, count: Word, action: Word, target: Word) -> Word:
    """Put an edge among those of a state, of which there are so many, in the order of actions."""
    actions: Halves = shared[ACTIONS]
    targets: Halves = shared[TARGETS]
    place = first + count
    while place > first and actions[place - 1] > action:
        actions[place] = actions[place - 1]
        targets[place] = targets[place - 1]
        place -= 1
    actions[place] = action
    targets[place] = target
    return 0


def grant(shared: Shared, at: Word, action: Word) -> Word:
    """A state enables an action."""
    enabled: Words = shared[ENABLED]
    grants: Words = shared[GRANTS]
    enabled[at] |= grants[action]
    return 0


def cut_off(shared: Shared, at: Word) -> Word:
    """Note the actions of a state that faults keep from being taken: nothing else is noted, for no assertion is watched."""
    met: Words = shared[MET]
    action_of: Words = shared[ACTION_OF]
    cut: Words = shared[CUT]
    here = 0
    while here < met[0]:
        here += 1
        grant(shared, at, action_of[met[here]])
        cut[shared[CUTS] * 2] = at
        cut[shared[CUTS] * 2 + 1] = action_of[met[here]]
        shared[CUTS] += 1
    return 0


def hold(shared: Shared, at: Word, until: Word, holds: Holds) -> Word:
    """Say of some states whether a condition holds there."""
    order: States = shared[ORDER]
    holding: Bytes = shared[HOLDING]
    while at < until:
        holding[at] = holds(order, at)
        at += 1
    return 0

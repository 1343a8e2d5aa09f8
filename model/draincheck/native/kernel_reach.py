"""What can be reached, asked of the states that a search has found: bits beside the table, as functions like those of `kernel`."""

from __future__ import annotations

from draincheck.native.kernel import Bytes, Expand, Holds, Shared, States, Word, Words, find, lesser
from draincheck.native.parts import (
    BUCKETS,
    EXPAND,
    KEY,
    MARKS,
    NO_FIRED,
    NO_NOTED,
    ORDER,
    OUT,
    PATH,
    SLOTS,
    SOUGHT,
    TABLE,
    VISITED,
    bucket_of,
    prefetch,
    prefetch_byte,
)

# Marks stand beside the table, one for each slot, with a bit for each goal that can be reached from there, and one where a walk has been.


def mark(shared: Shared, slot: Word, until: Word, holds: Holds, bit: Word) -> Word:
    """Give a bit to the states in some slots in which a condition holds."""
    table: States = shared[TABLE]
    marks: Bytes = shared[MARKS]
    sought: States = shared[SOUGHT]
    while slot < until:
        if table[slot]:
            sought[0] = table[slot] - KEY
            if holds(sought, 0):
                marks[slot] |= bit
        slot += 1
    return 0


def mark_all(shared: Shared, at: Word, until: Word, bits: Word) -> Word:
    """Give bits to some states, whatever holds there."""
    order: States = shared[ORDER]
    table: States = shared[TABLE]
    marks: Bytes = shared[MARKS]
    while at < until:
        marks[find(table, shared[BUCKETS], order[at]) - 1] = bits
        at += 1
    return 0


def forget_walks(shared: Shared, slot: Word, until: Word) -> Word:
    """No walk has been to the states in some slots."""
    marks: Bytes = shared[MARKS]
    while slot < until:
        marks[slot] &= VISITED - 1
        slot += 1
    return 0


def walks(shared: Shared, slot: Word, until: Word, bit: Word) -> Word:
    """Walk from the states in some slots that lack a bit, and that no walk has been to."""
    table: States = shared[TABLE]
    marks: Bytes = shared[MARKS]
    while slot < until:
        if table[slot] and (marks[slot] & (bit | VISITED)) == 0:
            walk(shared, slot, bit)
        slot += 1
    return 0


def walk(shared: Shared, slot: Word, bit: Word) -> Word:
    """Go from step to step, to states that no walk has been to; if one leads to a state that has a bit, all that were passed get it."""
    table: States = shared[TABLE]
    marks: Bytes = shared[MARKS]
    path: Words = shared[PATH]
    out: States = shared[OUT]
    length = 0
    after = slot + 1
    while after:
        marks[after - 1] |= VISITED
        path[length] = after - 1
        length += 1
        count = after_slot(shared, after - 1)
        after = 0
        while count > 0:
            count -= 1
            target = find(table, shared[BUCKETS], out[count])
            if marks[target - 1] & bit:
                while length > 0:
                    length -= 1
                    marks[path[length]] |= bit
                return 0
            if (marks[target - 1] & VISITED) == 0:
                after = target
    return 0


def after_slot(shared: Shared, slot: Word) -> Word:
    """Take all actions of the state in a slot, and have what is known of the states after it brought near: how many there are."""
    table: States = shared[TABLE]
    marks: Bytes = shared[MARKS]
    sought: States = shared[SOUGHT]
    out: States = shared[OUT]
    no_fired: Bytes = shared[NO_FIRED]
    no_noted: States = shared[NO_NOTED]
    expand: Expand = shared[EXPAND]
    sought[0] = table[slot] - KEY
    count = expand(sought, 0, out, 0, no_fired, no_noted) >> 1
    at = 0
    while at < count:
        place = bucket_of(out[at], shared[BUCKETS]) * SLOTS
        prefetch(table, place)
        prefetch_byte(marks, place)
        at += 1
    return count


def lacking(shared: Shared, slot: Word, until: Word, bits: Word) -> Word:
    """How many of the states in some slots lack one of some bits."""
    table: States = shared[TABLE]
    marks: Bytes = shared[MARKS]
    count = 0
    while slot < until:
        if table[slot] and (marks[slot] & bits) != bits:
            count += 1
        slot += 1
    return count


def first_lacking(shared: Shared, at: Word, until: Word, bits: Word) -> Word:
    """The least of some states that lack one of some bits."""
    order: States = shared[ORDER]
    table: States = shared[TABLE]
    marks: Bytes = shared[MARKS]
    least = 0
    while at < until:
        if (marks[find(table, shared[BUCKETS], order[at]) - 1] & bits) != bits:
            least = lesser(order, least, at)
        at += 1
    return least

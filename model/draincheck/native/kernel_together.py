"""The search by several threads at once, which share the order, the table and the numbers of the first block.

Each takes batches from the same layer, and stores what is new for it, by one exchange that only one thread can win for a slot. What is in a
bucket, and which of its slots is free, is said by one look: two might miss a state that somebody stores in between. Of a state of several words
the highest is stored last, and until then the slot is neither free nor looked into (`parts.claim`).
"""

from __future__ import annotations

from draincheck.native.kernel import Shared, State, States, Word, Words, behind, collect, postpone
from draincheck.native.parts import (
    AT,
    BATCH,
    BUCKETS,
    DEAD,
    KEY,
    LAST_DEAD,
    ORDER,
    OUT,
    PLACES,
    ROOM,
    SLOTS,
    STORED,
    TABLE,
    TRANSITIONS,
    UNTIL,
    add,
    claim,
    look,
    lowest,
)

__all__ = ["advance_together", "insert_together"]


def store_in_together(table: States, bucket: Word, state: State) -> Word:
    """As `store_in`; of several threads one is told that the state is new."""
    key = state + KEY
    first = bucket * SLOTS
    while True:
        seen = look(table, first, key)
        if seen & ((1 << SLOTS) - 1):
            return 0
        if seen == 0:
            return 2
        if claim(table, first + lowest(seen >> SLOTS), key):
            return 1


def insert_together(table: States, buckets: Word, bucket: Word, state: State) -> Word:
    """As `insert`, with other threads."""
    found = store_in_together(table, bucket, state)
    while found == 2:
        bucket = behind(bucket, buckets)
        found = store_in_together(table, bucket, state)
    return found


def advance_together(shared: Shared, mine: Shared) -> Word:
    """As `advance`, with other threads; 1 if there may be no more ROOM, which each of them leaves for one batch of every thread."""
    table: States = shared[TABLE]
    order: States = shared[ORDER]
    out: States = mine[OUT]
    places: Words = mine[PLACES]
    while add(shared, STORED, 0) <= shared[ROOM]:
        at = add(shared, AT, BATCH)
        if at >= shared[UNTIL]:
            return 0
        count = collect(shared, mine, at, min(at + BATCH, shared[UNTIL]))
        new = 0
        here = 0
        last = count
        while here < count:
            found = store_in_together(table, places[here], out[here])
            if found == 1:
                out[new] = out[here]
                new += 1
            elif found == 2:
                last = postpone(shared, mine, here, last)
            here += 1
        while here < last:
            if insert_together(table, shared[BUCKETS], places[here], out[here]):
                out[new] = out[here]
                new += 1
            here += 1
        place = add(shared, STORED, new)
        here = 0
        while here < new:
            order[place + here] = out[here]
            here += 1
        add(shared, TRANSITIONS, count)
        add(shared, DEAD, mine[LAST_DEAD])
    return 1

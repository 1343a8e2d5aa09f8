"""The search itself, over arrays: plain functions, which `kernel_text` writes as machine code, the same for every system.

States stand in the order of their discovery, layer behind layer. Which are known says a table of buckets, each of which is a line of the
cache: a state is in the bucket that its hash names, or in the next one that had room; buckets are filled from the front, and zero is a slot that
is free. Stored is a state plus `KEY`. What a batch of states leads to is collected first, while the lines that it will need are on their way.

All that is shared with the caller stands in one block, by its place there (`parts`). Numbers are words without a sign. The number of a state is
its place in the order, counted from one where zero means that there is none.
"""

from __future__ import annotations

from collections.abc import Callable, MutableSequence
from typing import Any, TypeAlias

from draincheck.native.parts import (
    AT,
    BATCH,
    BUCKETS,
    DEAD,
    EXPAND,
    FIRED,
    KEY,
    LAST_DEAD,
    MOST,
    NO_FIRED,
    NO_NOTED,
    NOTED,
    ORDER,
    OUT,
    PLACES,
    ROOM,
    SLOTS,
    SOUGHT,
    STORED,
    TABLE,
    TRANSITIONS,
    UNTIL,
    bucket_of,
    lowest,
    matches,
    prefetch,
)

Word: TypeAlias = int
State: TypeAlias = int
Words: TypeAlias = MutableSequence[int]
Bytes: TypeAlias = MutableSequence[int]
States: TypeAlias = MutableSequence[int]
#: what is shared with the caller: words, and where arrays and functions are
Shared: TypeAlias = MutableSequence[Any]
#: takes the actions of a state: see `expand.expand_text`
Expand: TypeAlias = Callable[[States, Word, States, Word, Bytes, States], Word]
#: whether a condition holds in a state
Holds: TypeAlias = Callable[[States, Word], Word]


# -- the table --------------------------------------------------------------------------------------


def store_in(table: States, bucket: Word, state: State) -> Word:
    """Store a state in a bucket: 1 if it is new there, 0 if it is known, 2 if the bucket is full of others."""
    key = state + KEY
    first = bucket * SLOTS
    if matches(table, first, key):
        return 0
    free = matches(table, first, 0)
    if free == 0:
        return 2
    table[first + lowest(free)] = key
    return 1


def insert(table: States, buckets: Word, bucket: Word, state: State) -> Word:
    """Store a state in a bucket or one behind it, unless it is known: 1 if it is new."""
    found = store_in(table, bucket, state)
    while found == 2:
        bucket = behind(bucket, buckets)
        found = store_in(table, bucket, state)
    return found


def behind(bucket: Word, buckets: Word) -> Word:
    """The bucket that takes what another has no room for."""
    bucket += 1
    if bucket == buckets:
        return 0
    return bucket


def find(table: States, buckets: Word, state: State) -> Word:
    """The slot of a state, counted from one; 0 if it is not stored."""
    key = state + KEY
    bucket = bucket_of(state, buckets)
    while True:
        first = bucket * SLOTS
        found = matches(table, first, key)
        if found:
            return first + lowest(found) + 1
        if matches(table, first, 0):
            return 0
        bucket = behind(bucket, buckets)


def spread(shared: Shared, bucket: Word, most: Word) -> Word:
    """Bring the states of the first `bucket` buckets to where they belong in a table that has grown behind them; 1 if there is no way.

    A state's place among all buckets stays about the same, so going from the last bucket to the first each goes to where all is in order
    already: to the same bucket, which is empty then, or to one behind it. The few that have no place there wait in OUT, which has room for `most`.
    """
    table: States = shared[TABLE]
    out: States = shared[OUT]
    buckets = shared[BUCKETS]
    waiting = SLOTS
    while bucket:
        bucket -= 1
        slot = 0
        while slot < SLOTS:
            out[slot] = table[bucket * SLOTS + slot]
            table[bucket * SLOTS + slot] = 0
            slot += 1
        slot = 0
        while slot < SLOTS:
            key = out[slot]
            if key:
                place = bucket_of(key - KEY, buckets)
                if place < bucket:
                    place = buckets
                while place < buckets and matches(table, place * SLOTS, 0) == 0:
                    place += 1
                if place < buckets:
                    table[place * SLOTS + lowest(matches(table, place * SLOTS, 0))] = key
                elif waiting == most:
                    return 1
                else:
                    out[waiting] = key
                    waiting += 1
            slot += 1
    while waiting > SLOTS:
        waiting -= 1
        insert(table, buckets, bucket_of(out[waiting] - KEY, buckets), out[waiting] - KEY)
    return 0


def store_again(shared: Shared) -> Word:
    """Fill an empty table with all that is STORED."""
    table: States = shared[TABLE]
    order: States = shared[ORDER]
    buckets = shared[BUCKETS]
    at = 0
    while at < shared[STORED]:
        insert(table, buckets, bucket_of(order[at], buckets), order[at])
        at += 1
    return 0


def store(shared: Shared, count: Word) -> Word:
    """Store those of the first states in OUT that are new."""
    table: States = shared[TABLE]
    order: States = shared[ORDER]
    out: States = shared[OUT]
    stored: Word = shared[STORED]
    at = 0
    while at < count:
        if insert(table, shared[BUCKETS], bucket_of(out[at], shared[BUCKETS]), out[at]):
            order[stored] = out[at]
            stored += 1
        at += 1
    shared[STORED] = stored
    return 0


def take_back(shared: Shared, stored: Word) -> Word:
    """Forget what was stored last, all but so many states: in reverse, so that no bucket has a gap."""
    table: States = shared[TABLE]
    order: States = shared[ORDER]
    last: Word = shared[STORED]
    while last > stored:
        last -= 1
        table[find(table, shared[BUCKETS], order[last]) - 1] = 0
    shared[STORED] = stored
    return 0


# -- the search -------------------------------------------------------------------------------------


def collect(shared: Shared, mine: Shared, at: Word, end: Word) -> Word:
    """Take all actions of some states: how many there are in OUT then, with the buckets that they belong to in PLACES.

    Among these states LAST_DEAD had none; `mine` is the block of whoever asks, which may be the one that is shared.
    """
    table: States = shared[TABLE]
    order: States = shared[ORDER]
    expand: Expand = shared[EXPAND]
    out: States = mine[OUT]
    places: Words = mine[PLACES]
    fired: Bytes = mine[FIRED]
    noted: States = mine[NOTED]
    buckets = shared[BUCKETS]
    count = 0
    dead = 0
    while at < end:
        found = expand(order, at, out, count, fired, noted)
        new = count + (found >> 1)
        while count < new:
            places[count] = bucket_of(out[count], buckets)
            prefetch(table, places[count] * SLOTS)
            count += 1
        dead += 1 - (found & 1)
        at += 1
    mine[LAST_DEAD] = dead
    return count


def postpone(shared: Shared, mine: Shared, here: Word, last: Word) -> Word:
    """Put a state whose bucket is full behind the last one that was collected, until the line behind that bucket is near."""
    table: States = shared[TABLE]
    out: States = mine[OUT]
    places: Words = mine[PLACES]
    out[last] = out[here]
    places[last] = behind(places[here], shared[BUCKETS])
    prefetch(table, places[last] * SLOTS)
    return last + 1


def advance(shared: Shared) -> Word:
    """Take all actions of the states from AT to before UNTIL; 1 if there is no more ROOM for what they lead to."""
    table: States = shared[TABLE]
    order: States = shared[ORDER]
    out: States = shared[OUT]
    places: Words = shared[PLACES]
    while shared[AT] < shared[UNTIL]:
        end = min(shared[AT] + BATCH, shared[UNTIL])
        count = collect(shared, shared, shared[AT], end)
        stored = shared[STORED]
        if stored + count > shared[ROOM]:
            return 1
        here = 0
        last = count
        while here < count:
            found = store_in(table, places[here], out[here])
            if found == 1:
                order[stored] = out[here]
                stored += 1
            elif found == 2:
                last = postpone(shared, shared, here, last)
            here += 1
        while here < last:
            if insert(table, shared[BUCKETS], places[here], out[here]):
                order[stored] = out[here]
                stored += 1
            here += 1
        shared[STORED] = stored
        shared[TRANSITIONS] += count
        shared[DEAD] += shared[LAST_DEAD]
        shared[AT] = end
    return 0


def advance_singly(shared: Shared) -> Word:
    """As `advance`, up to a state after which more than MOST would be stored: 2, and it is as if nobody had looked at that."""
    order: States = shared[ORDER]
    out: States = shared[OUT]
    fired: Bytes = shared[FIRED]
    noted: States = shared[NOTED]
    no_fired: Bytes = shared[NO_FIRED]
    no_noted: States = shared[NO_NOTED]
    expand: Expand = shared[EXPAND]
    while shared[AT] < shared[UNTIL]:
        at = shared[AT]
        stored = shared[STORED]
        count = expand(order, at, out, 0, no_fired, no_noted) >> 1
        if stored + count > shared[ROOM]:
            return 1
        store(shared, count)
        if shared[STORED] > shared[MOST]:
            take_back(shared, stored)
            return 2
        found = expand(order, at, out, 0, fired, noted)
        shared[TRANSITIONS] += count
        shared[DEAD] += 1 - (found & 1)
        shared[AT] = at + 1
    return 0


# -- questions about what was found -----------------------------------------------------------------


def slot_of(shared: Shared) -> Word:
    """The slot of the state that is SOUGHT, counted from one; 0 if it is not stored."""
    table: States = shared[TABLE]
    sought: States = shared[SOUGHT]
    return find(table, shared[BUCKETS], sought[0])


def number_of(shared: Shared, at: Word, until: Word) -> Word:
    """The number of the state that is SOUGHT, if it is among those from `at` to before `until`."""
    order: States = shared[ORDER]
    sought: States = shared[SOUGHT]
    while at < until:
        if order[at] == sought[0]:
            return at + 1
        at += 1
    return 0


def lesser(order: States, least: Word, at: Word) -> Word:
    """The number of the lesser of two states: one that has a number, if any, and the one at a place."""
    if least and order[least - 1] < order[at]:
        return least
    return at + 1


def predecessor(shared: Shared, at: Word, until: Word) -> Word:
    """The least of some states from which an action leads to the one that is SOUGHT."""
    order: States = shared[ORDER]
    out: States = shared[OUT]
    no_fired: Bytes = shared[NO_FIRED]
    no_noted: States = shared[NO_NOTED]
    expand: Expand = shared[EXPAND]
    sought: States = shared[SOUGHT]
    least = 0
    while at < until:
        count = expand(order, at, out, 0, no_fired, no_noted) >> 1
        while count > 0:
            count -= 1
            if out[count] == sought[0]:
                least = lesser(order, least, at)
                count = 0
        at += 1
    return least


def first(shared: Shared, at: Word, until: Word, holds: Holds) -> Word:
    """The least of some states in which a condition holds."""
    order: States = shared[ORDER]
    least = 0
    while at < until:
        if holds(order, at):
            least = lesser(order, least, at)
        at += 1
    return least


def first_dead(shared: Shared, at: Word, until: Word, holds: Holds) -> Word:
    """The least of some states in which a condition holds and no action is enabled."""
    order: States = shared[ORDER]
    out: States = shared[OUT]
    no_fired: Bytes = shared[NO_FIRED]
    no_noted: States = shared[NO_NOTED]
    expand: Expand = shared[EXPAND]
    least = 0
    while at < until:
        if holds(order, at) and (expand(order, at, out, 0, no_fired, no_noted) & 1) == 0:
            least = lesser(order, least, at)
        at += 1
    return least

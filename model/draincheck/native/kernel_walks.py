"""Random walks, over arrays: plain functions as those of `kernel`.

Each walk has a state in ORDER, what it has drawn in CHANCES, and its length in LENGTHS. It goes on until it is as long as DEPTH, nothing moves,
or the action that it draws has a fault. What is looked for are conditions (those that hold IN_STATES, and those behind them where nothing moves)
and notes: what a walk comes upon is not kept, but told, for who walks it again can say more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from draincheck.native.kernel import Bytes, Holds, Shared, States, Word, Words
from draincheck.native.parts import (
    ACTION_OF,
    ACTS,
    AT,
    CHANCES,
    CONDITIONS,
    DEPTH,
    FAULTY,
    FIRED,
    IN_ALL,
    IN_STATES,
    LENGTHS,
    LISTED,
    LONGEST,
    MET,
    MOST,
    ORDER,
    OUT,
    STEPS,
    UNTIL,
    WANTED,
    chosen,
    following,
)

__all__ = ["going_on"]

#: takes the actions of a state one by one: see `expand.listed_text`
Listed: TypeAlias = Callable[[States, Word, States, Word, Words, Words], Word]


def going_on(shared: Shared, most: Word) -> Word:
    """Go on with the walks from AT to before UNTIL: 0 if all have ended, 1 if the one AT which this stops has come upon something, 2 after `most` steps.

    Of walks that came upon nothing all STEPS are counted, and how long the LONGEST was.
    """
    shared[MOST] = most
    while shared[AT] < shared[UNTIL]:
        ended = walk(shared, shared[AT])
        if ended != 0:
            return ended
        count(shared, shared[AT])
        shared[AT] += 1
    return 0


def count(shared: Shared, at: Word) -> Word:
    """A walk has come upon nothing."""
    lengths: Words = shared[LENGTHS]
    shared[STEPS] += lengths[at]
    shared[LONGEST] = max(shared[LONGEST], lengths[at])
    return 0


def walk(shared: Shared, at: Word) -> Word:
    """Go on with one walk: 0 if it has ended, 1 if it came upon something, 2 if there are no more steps to be taken."""
    lengths: Words = shared[LENGTHS]
    if lengths[at] == 0 and shows(shared, at, 0, shared[IN_STATES]):
        return 1
    while lengths[at] < shared[DEPTH]:
        if shared[MOST] == 0:
            return 2
        shared[MOST] -= 1
        told = step(shared, at)
        if told != 2:
            return told
        lengths[at] += 1
    return 0


def step(shared: Shared, at: Word) -> Word:
    """Take an action at random: 2 if that was all, 1 if something was come upon, 0 if the walk ends here."""
    order: States = shared[ORDER]
    out: States = shared[OUT]
    acts: Words = shared[ACTS]
    met: Words = shared[MET]
    fired: Bytes = shared[FIRED]
    listed: Listed = shared[LISTED]
    chances: Words = shared[CHANCES]
    met[0] = 0
    count = listed(order, at, out, 0, acts, met) >> 1
    moves = with_faults(shared, count)
    if moves == 0:
        return shows(shared, at, shared[IN_STATES], shared[IN_ALL])
    chances[at] = following(chances[at])
    place = placed(acts, moves, chosen(chances[at], moves))
    found = is_wanted(shared, acts[place])
    if place >= count:
        return found
    order[at] = out[place]
    fired[acts[place]] = 1
    if found:
        return 1
    if shows(shared, at, 0, shared[IN_STATES]):
        return 1
    return 2


def shows(shared: Shared, at: Word, first: Word, end: Word) -> Word:
    """Whether one of some conditions holds where a walk stands."""
    order: States = shared[ORDER]
    conditions: Shared = shared[CONDITIONS]
    while first < end:
        holds: Holds = conditions[first]
        if holds(order, at):
            return 1
        first += 1
    return 0


def with_faults(shared: Shared, count: Word) -> Word:
    """Append the actions that a fault keeps from being taken to those that can be: how many there are together."""
    acts: Words = shared[ACTS]
    met: Words = shared[MET]
    faulty: Bytes = shared[FAULTY]
    action_of: Words = shared[ACTION_OF]
    at = 0
    while at < met[0]:
        at += 1
        if faulty[met[at]]:
            acts[count] = action_of[met[at]]
            count += 1
    return count


def placed(acts: Words, count: Word, rank: Word) -> Word:
    """Where the action stands that so many of some others come before."""
    at = 0
    while at < count:
        less = 0
        other = 0
        while other < count:
            if acts[other] < acts[at]:
                less += 1
            other += 1
        if less == rank:
            return at
        at += 1
    return count


def is_wanted(shared: Shared, action: Word) -> Word:
    """Whether something was noted of an action that is looked for."""
    met: Words = shared[MET]
    wanted: Bytes = shared[WANTED]
    action_of: Words = shared[ACTION_OF]
    at = 0
    while at < met[0]:
        at += 1
        if wanted[met[at]] and action_of[met[at]] == action:
            return 1
    return 0

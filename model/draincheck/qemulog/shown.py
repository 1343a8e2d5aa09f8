"""What both a log and a step of a model show: the marks of the story, an answer to the guest, the end of the program."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import Enum

from msgspec import Struct

from draincheck.qemulog.pivot import Fate, Judgement, Moment, Pivot
from draincheck.system import Action, Part, State, TransitionSystem

__all__ = ["Observed", "Sign", "in_common", "observed_in", "requests_in", "shown", "signs", "unseen"]

#: what a model calls the choice of a step that answers the guest, and what says where the disk is, with its value behind the switch
ANSWERS = "guest requests"
ROOT, NEW = "root", "target"


class Sign(Enum):
    """What both a log and a step can show."""

    WINDOW = "(w) the job finds nothing dirty"
    ENTER = "(b) a guest's write enters"
    ANSWER = "the guest is told that a write is done"
    DEFER = "(a) the job defers its exit"
    SWITCH = "(c) mirror_exit"
    SWITCHED = "the guest's disk is the target"
    ABORT = "the program aborts"


_MARKS = {"w": Sign.WINDOW, "b": Sign.ENTER, "a": Sign.DEFER, "c": Sign.SWITCH}


class Observed(Struct, frozen=True):
    """Something that a log shows, and where."""

    what: Sign
    moment: Moment | None


# -- of a log


def observed_in(pivot: Pivot) -> tuple[Observed, ...]:
    """What a switch shows, from (w) to (c) or to the abort, in order.

    mirror_exit polls before it switches, so its beginning, which instrumented builds log, and the switch, which all do, are two things. The first is
    the end of what is looked at where it is there.
    """
    end = (Sign.SWITCH, pivot.exited) if pivot.exited else (Sign.SWITCHED, pivot.switched)
    found = [(Sign.WINDOW, pivot.opened), (Sign.DEFER, pivot.deferred), end]
    for each in pivot.intruders:
        found.append((Sign.ENTER, each.entered))
        if each.request.fate is Fate.ACKED:
            found.append((Sign.ANSWER, each.request.answered))
    aborted = pivot.judgement in (Judgement.ASSERT, Judgement.ABORT)
    found += [(Sign.ENTER, each.entered) for each in pivot.held if aborted]
    last = None if aborted else end[1]
    seen = [
        Observed(what, moment)
        for what, moment in found
        if moment is not None and (last is None or moment.line <= last.line)
    ]
    abort = [Observed(Sign.ABORT, None)] if aborted else []
    return (*sorted(seen, key=lambda each: each.moment.line if each.moment else 0), *abort)


def unseen(pivot: Pivot) -> Sign:
    """Which of the two, mirror_exit and the switch in it, is not looked at."""
    return Sign.SWITCHED if pivot.exited else Sign.SWITCH


def requests_in(observed: Collection[Observed]) -> int:
    """How many requests a model needs."""
    return max(sum(each.what is Sign.ENTER for each in observed), 1)


# -- of a model


def signs(part: Part) -> tuple[Sign, ...]:
    """What a part of a step shows where it takes place (and leads to a new disk, for `SWITCHED`)."""
    marked = [_MARKS[part.mark]] if part.mark in _MARKS else []
    answers = [Sign.ANSWER] if part.choice == ANSWERS and not marked else []
    return (*marked, *answers, *([Sign.SWITCHED] if ROOT in part.writes else []))


def shown(system: TransitionSystem, action: Action, state: State, after: State) -> tuple[Sign, ...]:
    """What a step from a state to another shows, in the order of its parts."""
    found = [sign for part in action.parts if system.holds(part.when, state) for sign in signs(part)]
    if Sign.SWITCHED in found and not _switches(system, state, after):
        found = [sign for sign in found if sign is not Sign.SWITCHED]
    ends = system.holds(system.halted, after) and not system.holds(system.halted, state)
    return (*found, *([Sign.ABORT] if ends else []))


def _switches(system: TransitionSystem, state: State, after: State) -> bool:
    place, variable = next((i, v) for i, v in enumerate(system.variables) if str(v) == ROOT)
    return state[place] != after[place] and variable.sort.decode(after[place]) == NEW


def in_common(one: Sequence[Sign], other: Sequence[Sign]) -> int:
    """How many of their first elements are the same."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a is not b), min(len(one), len(other)))

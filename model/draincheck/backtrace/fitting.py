"""How well a stack of a backtrace fits the calls that a model's process stands in.

Both are lists of functions. A backtrace has more functions (those that no model has say nothing), or fewer: a function that was inlined, or
is static in a build without symbols, is missing or is a gap. A gap matches any functions, or none; so do the ends where the text was cut,
and the outer end of a coroutine that runs on a thread. What is left is counted:

* a function that the models know and that does not stand in the process's calls, in this order: `STRANGE` each;
* a call of the process that the backtrace lacks, between others that it has: `INLINED` each;
* the same at the inner end, where the backtrace says what was called last, and at the outer end: `ABSENT` each.

0 is a perfect fit.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from functools import lru_cache

from msgspec import Struct

from draincheck.backtrace.stacks import GAP, StackOf

__all__ = ["Fit", "fit", "known_part", "plain"]

STRANGE, ABSENT, INLINED = 10, 6, 1


class Fit(Struct, frozen=True, order=True):
    """How much does not fit.

    Attributes:
        cost: 0 if all does.
        strange: functions of the backtrace that do not stand in the calls.
        absent: calls that the backtrace lacks.
    """

    cost: int
    strange: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


def plain(function: str) -> str:
    """A function's name without what the model says beside it: `aio_ctx_dispatch (iohandler_ctx)`."""
    return function.split(" ", 1)[0]


def known_part(stack: StackOf, vocabulary: Set[str]) -> tuple[str, ...]:
    """The functions of a stack that models know, and its gaps; gaps side by side are one."""
    kept: list[str] = [] if stack.begins else [GAP]
    for name in (*stack.frames, *(() if stack.ends else (GAP,))):
        if name in vocabulary or (name == GAP and kept[-1:] != [GAP]):
            kept.append(name)
    return tuple(kept)


@lru_cache(maxsize=1 << 16)
def fit(frames: tuple[str, ...], calls: tuple[str, ...]) -> Fit:
    """The cheapest way to lay the known functions of a backtrace, gaps included, over calls; both outermost first."""
    rows = [_first_row(calls)]
    for i, name in enumerate(frames):
        rows.append(_row(rows[-1], name, calls, last=i == len(frames) - 1))
    return rows[-1][-1]


def _first_row(calls: Sequence[str]) -> list[Fit]:
    """Before any frame: all calls so far are missing at the outer end."""
    row = [Fit(0)]
    for call in calls:
        row.append(_absent(row[-1], call, ABSENT))
    return row


def _row(above: list[Fit], name: str, calls: Sequence[str], *, last: bool) -> list[Fit]:
    """The cheapest fits of the frames up to this one with each number of calls."""
    if name == GAP:
        row, best = list[Fit](), above[0]
        for each in above:
            best = min(best, each)
            row.append(best)
        return row
    row = [_strange(above[0], name)]
    for j, call in enumerate(calls):
        missing = _absent(row[-1], call, ABSENT if last else INLINED)
        found = above[j] if call == name else None
        candidates = [missing, _strange(above[j + 1], name), *([found] if found is not None else [])]
        row.append(min(candidates))
    return row


def _strange(before: Fit, name: str) -> Fit:
    return Fit(before.cost + STRANGE, (*before.strange, name), before.absent)


def _absent(before: Fit, call: str, cost: int) -> Fit:
    return Fit(before.cost + cost, before.strange, (*before.absent, call))

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


def fit(frames: tuple[str, ...], calls: tuple[str, ...]) -> Fit:
    """The cheapest way to lay the known functions of a backtrace, gaps included, over calls; both outermost first."""
    row = _without_frames(calls)
    for name in frames:
        row = _over_gap(row) if name == GAP else _with_frame(row, name, calls)
    return min(row[_INNER][-1], row[_OUTER][-1])


#: where a missing call stands: before all functions that were found, between two, or behind all
_OUTER, _BETWEEN, _INNER = range(3)
_MISSING = {_OUTER: ABSENT, _BETWEEN: INLINED, _INNER: ABSENT}
_NEVER = Fit(1 << 30)
#: for each of these the cheapest fits of the frames so far with each number of calls
_Rows = list[list[Fit]]


def _without_frames(calls: Sequence[str]) -> _Rows:
    """Before any frame: all calls so far are missing at the outer end."""
    return _missing([[Fit(0), *[_NEVER] * len(calls)], *([_NEVER] * (len(calls) + 1) for _ in range(2))], calls)


def _over_gap(rows: _Rows) -> _Rows:
    """A gap takes in any calls."""
    return [[min(row[: j + 1]) for j in range(len(row))] for row in rows]


def _with_frame(rows: _Rows, name: str, calls: Sequence[str]) -> _Rows:
    """One more frame: it stands for the next call, or does not belong here."""
    new = [[_strange(each, name) for each in row] for row in rows]
    for j, call in enumerate(calls, 1):
        if call == name:
            found = min(rows[_OUTER][j - 1], rows[_BETWEEN][j - 1])
            for place in (_BETWEEN, _INNER):  # more may be found behind it, or it was the last
                new[place][j] = min(new[place][j], found)
    return _missing(new, calls)


def _missing(rows: _Rows, calls: Sequence[str]) -> _Rows:
    """Calls that the backtrace lacks."""
    for j, call in enumerate(calls):
        for place, row in enumerate(rows):
            row[j + 1] = min(row[j + 1], _absent(row[j], call, _MISSING[place]))
    return rows


def _strange(before: Fit, name: str) -> Fit:
    return before if before is _NEVER else Fit(before.cost + STRANGE, (*before.strange, name), before.absent)


def _absent(before: Fit, call: str, cost: int) -> Fit:
    return before if before is _NEVER else Fit(before.cost + cost, before.strange, (*before.absent, call))

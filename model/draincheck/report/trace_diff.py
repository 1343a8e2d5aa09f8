"""Two traces beside each other: which steps they share, by process and label, where they part, and what differs at the end.

They may be of different systems: nothing but names and values is compared, as their files tell them. The shared steps are a longest common
subsequence of both.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import TypeAlias

from msgspec import Struct

from draincheck.budget import look
from draincheck.report.told import ToldStep, ToldTrace
from draincheck.sorts import Value

__all__ = ["StepPair", "TraceDifference", "Values", "common", "compared"]

#: a value in each of the traces; None where one of them has none
Values: TypeAlias = tuple[Value | None, Value | None]


class StepPair(Struct, frozen=True):
    """A step that both traces take, or one of them.

    Attributes:
        a: its number in the first trace, from 1; None if that does not take it.
        b: its number in the second.
        changes: what it gives to variables of both in one of them alone, or otherwise.
        broken: the checks that it breaks in each, where those differ.
        actions: the actions that it is in each, where these are two of one model that have the same name.
    """

    a: int | None
    b: int | None
    changes: Mapping[str, Values] = {}
    broken: tuple[Sequence[str], Sequence[str]] | None = None
    actions: tuple[int, int] | None = None

    @property
    def is_same(self) -> bool:
        """Whether both take it, with the same result."""
        return self.a is not None and self.b is not None and not (self.changes or self.broken or self.actions)


class TraceDifference(Struct, frozen=True):
    """What differs between two traces.

    Attributes:
        about: what they say of themselves where that differs: property, verdict, loop, error.
        start: variables that both have, and that start otherwise.
        pairs: all steps of both, in order.
        end: variables that both have, and that are otherwise at the end.
        only: the variables that one of them has alone.
    """

    about: Mapping[str, Values]
    start: Mapping[str, Values]
    pairs: Sequence[StepPair]
    end: Mapping[str, Values]
    only: tuple[Sequence[str], Sequence[str]]

    @property
    def is_same(self) -> bool:
        """Whether nothing differs but what they are traces of."""
        return not (self.about or self.start or self.end) and all(pair.is_same for pair in self.pairs)

    @property
    def parting(self) -> StepPair | None:
        """The first step that is not the same in both; None if there is none."""
        return next((pair for pair in self.pairs if not pair.is_same), None)

    @property
    def shared(self) -> int:
        """How many steps both take."""
        return sum(pair.a is not None and pair.b is not None for pair in self.pairs)


def compared(a: ToldTrace, b: ToldTrace) -> TraceDifference:
    """What differs. Raises OutOfBudget where both are so long that comparing them takes more memory than there is."""
    return TraceDifference(
        about=dict(_about(a, b)),
        start=_differing(a.start, b.start),
        pairs=list(_pairs(a, b)),
        end=_differing(a.end, b.end),
        only=(sorted(a.shown - b.shown), sorted(b.shown - a.shown)),
    )


def _about(a: ToldTrace, b: ToldTrace) -> Iterator[tuple[str, Values]]:
    said = {"property": (a.demand, b.demand), "verdict": (a.verdict, b.verdict), "loop": (a.loop, b.loop)}
    yield from ((name, values) for name, values in said.items() if values[0] != values[1])
    if a.error != b.error:
        yield "error", (_error(a), _error(b))


def _error(trace: ToldTrace) -> str | None:
    end = trace.error
    return None if end is None else f"{end.process}: {end.label}: {end.message}"


def _differing(a: Mapping[str, Value], b: Mapping[str, Value]) -> dict[str, Values]:
    """The names in both whose values differ; truth values are no numbers."""
    return {name: (a[name], b[name]) for name in a if name in b and _kept(a[name]) != _kept(b[name])}


def _kept(value: Value | None) -> tuple[type, Value | None]:
    return type(value), value


def _pairs(a: ToldTrace, b: ToldTrace) -> Iterator[StepPair]:
    """All steps: those that both take beside each other, between them those of the first, then those of the second."""
    at_a = at_b = 0
    shared = common([_key(step) for step in a.steps], [_key(step) for step in b.steps])
    for in_a, in_b in [*shared, (len(a.steps), len(b.steps))]:
        yield from (StepPair(number + 1, None) for number in range(at_a, in_a))
        yield from (StepPair(None, number + 1) for number in range(at_b, in_b))
        if in_a < len(a.steps) and in_b < len(b.steps):
            yield _both(a, b, in_a, in_b)
        at_a, at_b = in_a + 1, in_b + 1


def _key(step: ToldStep) -> tuple[str, str]:
    return step.process, step.label


def _both(a: ToldTrace, b: ToldTrace, in_a: int, in_b: int) -> StepPair:
    """A step that both take, and what it does in one of them alone."""
    one, other = a.steps[in_a], b.steps[in_b]
    mine, theirs = a.changes(one), b.changes(other)
    names = [name for name in dict.fromkeys([*mine, *theirs]) if name in a.shown & b.shown]
    values = {name: (mine.get(name), theirs.get(name)) for name in names}
    changes = {name: pair for name, pair in values.items() if _kept(pair[0]) != _kept(pair[1])}
    broken = sorted(set(one.broken)), sorted(set(other.broken))
    actions = one.action, other.action
    is_other = a.digest == b.digest and one.action != other.action
    return StepPair(
        in_a + 1, in_b + 1, changes, broken if broken[0] != broken[1] else None, actions if is_other else None
    )


# -- the longest common subsequence -----------------------------------------------------------------


def common(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[tuple[int, int]]:
    """The places of a longest common subsequence of both, as early as they can be; what both begin and end with belongs to it."""
    start = next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    room = min(len(a), len(b)) - start
    backwards = zip(reversed(a), reversed(b), strict=False)
    end = next((n for n, (x, y) in enumerate(backwards) if x != y or n == room), room)
    middle = _longest(a[start : len(a) - end], b[start : len(b) - end])
    return [
        *((n, n) for n in range(start)),
        *((start + x, start + y) for x, y in middle),
        *((len(a) - n, len(b) - n) for n in range(end, 0, -1)),
    ]


def _longest(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[tuple[int, int]]:
    """The same without a common start or end.

    A row of the table of lengths is a number: bit n is 0 where the length grows at place n of `b` (Crochemore and others, A fast and
    practical bit-vector algorithm for the longest common subsequence problem, 2001).
    """
    look(len(a) * len(b) // 8)
    everywhere = (1 << len(b)) - 1
    places: dict[Hashable, int] = {}
    for number, item in enumerate(b):
        places[item] = places.get(item, 0) | 1 << number
    rows = [everywhere]
    for item in a:
        row, found = rows[-1], rows[-1] & places.get(item, 0)
        rows.append(((row + found) | (row - found)) & everywhere)
    return _traced(a, b, rows)


def _traced(a: Sequence[Hashable], b: Sequence[Hashable], rows: Sequence[int]) -> list[tuple[int, int]]:
    """The places, from the last back to the first."""

    def length(in_a: int, in_b: int) -> int:
        return (~rows[in_a] & ((1 << in_b) - 1)).bit_count()

    found: list[tuple[int, int]] = []
    at_a, at_b = len(a), len(b)
    while left := length(at_a, at_b):
        if length(at_a - 1, at_b) == left:
            at_a -= 1
        elif length(at_a, at_b - 1) == left:
            at_b -= 1
        else:
            at_a, at_b = at_a - 1, at_b - 1
            found.append((at_a, at_b))
    return found[::-1]

"""What a change does: two code bases (or models of a user's), held beside each other wherever both can be tried, property by property."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from functools import cached_property

from msgspec import Struct

from draincheck.checking import Result, check
from draincheck.pool import in_processes
from draincheck.subject import Subject
from draincheck.verdict import NO_LIMITS, Limits, Outcome, Verdict

__all__ = ["Compared", "Comparison", "Decided", "Difference", "Effect", "Pair", "compare"]


class Effect(Enum):
    """What became of a property.

    *Other*: it was asked and is no more, or the other way round; nothing was violated, and nothing is.
    """

    MENDED = "mended"
    BROKEN = "broken"
    OPEN = "still violated"
    SAME = "unchanged"
    OTHER = "asked otherwise"
    UNKNOWN = "unknown"


class Pair(Struct, frozen=True):
    """What is compared in one place; None where that is not possible."""

    place: str
    before: Subject | None
    after: Subject | None


class Decided(Struct, frozen=True):
    """What was found out about one of the two in a place.

    Attributes:
        impact: what comes of it for the owner of the data, in words; nothing where nobody owns any.
        digest: names the transition system.
        verdicts: by property.
    """

    impact: tuple[str, ...]
    digest: str
    verdicts: Mapping[str, Verdict]


class Difference(Struct, frozen=True):
    """A property before and after; None: it was not there to be asked. `matters`: a violation is more than that of a rule inside QEMU."""

    name: str
    before: Outcome | None
    after: Outcome | None
    matters: bool

    @property
    def change(self) -> Effect:
        """What became of it."""
        if Outcome.UNKNOWN in (self.before, self.after):
            return Effect.UNKNOWN
        match self.before is Outcome.VIOLATED, self.after is Outcome.VIOLATED:
            case True, True:
                return Effect.OPEN
            case True, False:
                return Effect.MENDED
            case False, True:
                return Effect.BROKEN
            case _:
                return Effect.SAME if None in (self.before, self.after) or self.before is self.after else Effect.OTHER


class Compared(Struct, frozen=True, dict=True):
    """What was found in one place; None where one of them is not possible. `strict`: rules inside QEMU matter."""

    pair: Pair
    before: Decided | None
    after: Decided | None
    strict: bool

    @cached_property
    def differences(self) -> tuple[Difference, ...]:
        """Every property, in order."""
        was, now = _outcomes(self.before), _outcomes(self.after)
        names = dict.fromkeys((*was, *now))
        return tuple(Difference(name, was.get(name), now.get(name), self._matters(name)) for name in names)

    def _matters(self, name: str) -> bool:
        subject = self.pair.after or self.pair.before
        return self.strict or subject is None or subject.matters(name)

    def changed(self, change: Effect, matters: bool | None = None) -> list[str]:
        """The properties of which that became; only those that matter, or do not, if that is said."""
        return [d.name for d in self.differences if d.change is change and matters in (None, d.matters)]

    @property
    def words(self) -> Mapping[Effect, list[str]]:
        """What is mended, broken, and still open here for the owner of the data: in words, by property where there are none."""
        was, now = _words(self.before), _words(self.after)
        if not (was or now):
            return {
                change: self.changed(change, matters=True) for change in (Effect.MENDED, Effect.BROKEN, Effect.OPEN)
            }
        broken = [word for word in now if word not in was] or self.changed(Effect.BROKEN, matters=True)
        return {
            Effect.MENDED: [word for word in was if word not in now],
            Effect.BROKEN: broken,
            Effect.OPEN: [word for word in now if word in was],
        }


class Comparison(Struct, frozen=True):
    """Two subjects compared in all places."""

    places: tuple[Compared, ...]

    def any(self, *changes: Effect, matters: bool | None = None) -> bool:
        """Whether such a thing became of some property."""
        return any(place.changed(change, matters) for place in self.places for change in changes)

    @property
    def worst(self) -> tuple[Compared, Verdict] | None:
        """The shortest new counterexample: of what matters, if there is one; else of a rule. None if nothing broke."""
        found = [
            (not item.matters, len(verdict.trace.actions), place, verdict)
            for place in self.places
            for item in place.differences
            if item.change is Effect.BROKEN
            and place.after is not None
            and (verdict := place.after.verdicts[item.name]).trace is not None
        ]
        best = min(found, key=lambda each: each[:2], default=None)
        return None if best is None else best[2:]


def compare(
    pairs: Sequence[Pair],
    properties: Sequence[str] = (),
    *,
    strict: bool = False,
    limits: Limits = NO_LIMITS,
    advance: Callable[[int], None] | None = None,
    processes: int | None = None,
) -> Comparison:
    """Decide both sides of each pair by explicit search.

    Args:
        pairs: what is compared.
        properties: the names of those that are asked about; all if none is named.
        strict: whether rules inside QEMU matter, too.
        limits: where to stop; what is not decided then is unknown.
        advance: told how many sides have been decided.
        processes: how many may work at it; None: one a core.

    Raises:
        ModelError: a model cannot be given a meaning, or has no such property.
    """
    subjects = [subject for pair in pairs for subject in (pair.before, pair.after)]
    places = [number for number, subject in enumerate(subjects) if subject is not None]

    def decided(number: int) -> Decided:
        subject = subjects[number]
        assert subject is not None
        return _decided(subject, check(subject, properties, limits=limits))

    answers: dict[int, Decided] = {}
    for number, answer in zip(places, in_processes(decided, places, processes), strict=True):
        answers[number] = answer
        if advance is not None:
            advance(len(answers))
    sides = (answers.get(number) for number in range(len(subjects)))
    return Comparison(tuple(Compared(pair, *two, strict) for pair, two in zip(pairs, _in_pairs(sides), strict=True)))


def _in_pairs(sides: Iterator[Decided | None]) -> Iterator[tuple[Decided | None, Decided | None]]:
    return zip(sides, sides, strict=True)


def _decided(subject: Subject, result: Result) -> Decided:
    return Decided(subject.impact(result.verdicts), result.system.digest, result.verdicts)


def _outcomes(side: Decided | None) -> Mapping[str, Outcome]:
    return {} if side is None else {name: verdict.outcome for name, verdict in side.verdicts.items()}


def _words(side: Decided | None) -> list[str]:
    """What is wrong, in words."""
    return [] if side is None else [word for word in side.impact if word not in ("safe", "unknown")]

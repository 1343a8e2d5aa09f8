"""What a change does: two code bases (or models of a user's), held beside each other wherever both can be tried, property by property."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from functools import cached_property
from typing import Final

from msgspec import Struct

from draincheck.budget import grace
from draincheck.checking import Result, check, chosen
from draincheck.errors import OutOfBudget
from draincheck.pool import in_processes
from draincheck.properties import FAULTS, Breach, NoFault
from draincheck.reason import Stop, Undecided
from draincheck.subject import Subject
from draincheck.verdict import NO_LIMITS, Limits, Outcome, Verdict, all_known, stop_of, stopped_by

__all__ = ["Compared", "Comparison", "Decided", "Difference", "Effect", "Pair", "compare"]


class Effect(Enum):
    """What became of a property.

    *Other*: it was asked and is no more, or the other way round, or is not demanded any more, or something else is by its name; nothing is
    violated now.
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
        verdicts: by property, and of the errors of a run that were met.
        complete: whether everything was seen, so that an error of a run that was not met is none.
        forms: of each property what it demands (see `Property.form`).
    """

    impact: tuple[str, ...]
    digest: str
    verdicts: Mapping[str, Verdict]
    complete: bool = True
    forms: Mapping[str, str] = {}

    def outcome(self, name: str) -> Outcome | None:
        """What is known of a property; None if there is none of this name, and no run meets an error of it."""
        if name in self.verdicts:
            return self.verdicts[name].outcome
        return Outcome.UNKNOWN if name in FAULTS and not self.complete else None


class Difference(Struct, frozen=True):
    """A property before and after, and what became of it.

    None: it was not there to be asked. `matters`: a violation is more than that of a rule inside QEMU. `forms`: what the name demanded before,
    and what now, where that is something else; else nothing.
    """

    name: str
    before: Outcome | None
    after: Outcome | None
    change: Effect
    matters: bool
    forms: tuple[str, ...] = ()

    @property
    def otherwise(self) -> str:
        """What is asked otherwise, by its name and what became of the demand; "" if nothing is."""
        if self.forms:
            return f"{self.name} ({', now '.join(self.forms)})"
        return self.name if self.change is Effect.OTHER else ""


def became(before: Outcome | None, after: Outcome | None) -> Effect:
    """What became of a property where both can be tried; None: a demand that is not made.

    Mended is what was violated and now holds: a demand, or a check of it, that is taken away mends nothing.
    """
    if Outcome.UNKNOWN in (before, after):
        return Effect.UNKNOWN
    match before is Outcome.VIOLATED, after is Outcome.VIOLATED:
        case True, True:
            return Effect.OPEN
        case False, True:
            return Effect.BROKEN
        case True, False:
            return Effect.MENDED if after is Outcome.HOLDS else Effect.OTHER
        case _:
            return Effect.SAME if before is after or (before, after) == (None, Outcome.HOLDS) else Effect.OTHER


def _replaced(before: Outcome | None, after: Outcome | None) -> Effect:
    """What became of a name that stands for another demand now: the one was taken away, the other is new."""
    return max(became(before, None), became(None, after), key=_SEVERITY.index)


#: what weighs more than the one before it, of a demand that is taken away and one that is new
_SEVERITY: Final = (Effect.SAME, Effect.OTHER, Effect.UNKNOWN, Effect.BROKEN)


class Compared(Struct, frozen=True, dict=True):
    """What was found in one place; None where one of them is not possible. `strict`: rules inside QEMU matter."""

    pair: Pair
    before: Decided | None
    after: Decided | None
    strict: bool

    @cached_property
    def differences(self) -> tuple[Difference, ...]:
        """Every property, in order."""
        names = dict.fromkeys(name for side in (self.before, self.after) if side is not None for name in side.verdicts)
        return tuple(self._difference(name) for name in names)

    def _difference(self, name: str) -> Difference:
        was, now, forms = _outcome(self.before, name), _outcome(self.after, name), self._forms(name)
        change = _replaced(was, now) if forms else self._change(name, was, now)
        return Difference(name, was, now, change, self._matters(name), forms)

    def _forms(self, name: str) -> tuple[str, ...]:
        """What the name demanded before, and what now, if that is another form of demand."""
        forms = tuple(side.forms.get(name, "") for side in (self.before, self.after) if side is not None)
        return forms if len(set(forms)) == 2 and all(forms) else ()

    def _change(self, name: str, was: Outcome | None, now: Outcome | None) -> Effect:
        if Outcome.UNKNOWN in (was, now):
            return Effect.UNKNOWN
        if name in FAULTS:  # listed where some run meets it
            return _became_error(FAULTS[name], was, now)
        if self.before is None:
            return Effect.BROKEN if now is Outcome.VIOLATED else Effect.SAME
        if self.after is None:
            return Effect.OTHER if was is Outcome.VIOLATED else Effect.SAME
        return became(was, now)

    def _matters(self, name: str) -> bool:
        subject = self.pair.after or self.pair.before
        return self.strict or subject is None or subject.matters(name)

    def changed(self, change: Effect, matters: bool | None = None) -> list[str]:
        """The properties of which that became; only those that matter, or do not, if that is said."""
        return [d.name for d in self.differences if d.change is change and matters in (None, d.matters)]

    def otherwise(self, matters: bool | None = None) -> list[str]:
        """What is asked otherwise; only what matters, or does not, if that is said."""
        return [d.otherwise for d in self.differences if d.otherwise and matters in (None, d.matters)]

    @property
    def words(self) -> Mapping[Effect, list[str]]:
        """What is mended, broken, and still open here for the owner of the data: in words, by property where there are none.

        Words say what verdicts come to together: where some are unknown the others are named.
        """
        was, now = _words(self.before), _words(self.after)
        if not (was or now) or self.changed(Effect.UNKNOWN):
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

    @property
    def decided(self) -> int:
        """How many sides were decided, each in full."""
        return sum(all_known(side.verdicts.values()) for side in self._sides())

    @property
    def stopped(self) -> Stop | None:
        """What ended it before everything was decided, Ctrl-C before a limit: what is unknown might not be."""
        return stopped_by(verdict for side in self._sides() for verdict in side.verdicts.values())

    def _sides(self) -> Iterator[Decided]:
        return (side for place in self.places for side in (place.before, place.after) if side is not None)

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
    """Decide both sides of each pair by explicit search; at the end of the budget, and at Ctrl-C, what was not decided is unknown.

    Args:
        pairs: what is compared.
        properties: the names of those that are asked about; all if none is named.
        strict: whether rules inside QEMU matter, too.
        limits: where to stop with each side.
        advance: told how many sides have been decided.
        processes: how many may work at it; None: one a core.

    Raises:
        ModelError: a model cannot be given a meaning, or has no such property.
    """
    sides = [subject for pair in pairs for subject in (pair.before, pair.after)]
    subjects = {number: subject for number, subject in enumerate(sides) if subject is not None}

    def decided(number: int) -> Decided:
        return _decided(subjects[number], check(subjects[number], properties, limits=limits))

    answers: dict[int, Decided] = {}
    try:
        for number, answer in zip(subjects, in_processes(decided, [*subjects], processes), strict=True):
            answers[number] = answer
            if advance is not None:
                advance(len(answers))
    except (OutOfBudget, KeyboardInterrupt) as end:
        left = [number for number in subjects if number not in answers]
        answers |= {number: _undecided(subjects[number], properties, stop_of(end)) for number in left}
    found = map(answers.get, range(len(sides)))
    return Comparison(tuple(Compared(pair, *two, strict) for pair, two in zip(pairs, _in_pairs(found), strict=True)))


def _became_error(item: NoFault, before: Outcome | None, after: Outcome | None) -> Effect:
    """What became of an error of runs; nobody knows what comes after a bound."""
    if item.breach is Breach.BOUND:
        return Effect.UNKNOWN
    return became(before or Outcome.HOLDS, after or Outcome.HOLDS)


def _in_pairs(sides: Iterator[Decided | None]) -> Iterator[tuple[Decided | None, Decided | None]]:
    return zip(sides, sides, strict=True)


def _decided(subject: Subject, result: Result) -> Decided:
    return Decided(
        subject.impact(result.verdicts),
        result.system.digest,
        result.verdicts,
        result.complete,
        {item.name: item.item.form for item in result.findings},
    )


def _undecided(subject: Subject | None, properties: Sequence[str], stop: Stop) -> Decided:
    """What is known of a side that nobody came to: what it is asked."""
    assert subject is not None
    with grace():
        system = subject.system()
        asked = chosen(system, properties)
        verdicts = {item.name: Verdict(item.name, Outcome.UNKNOWN, Undecided(stopped=stop)) for item in asked}
        forms = {item.name: item.form for item in asked}
        return Decided(subject.impact(verdicts), system.digest, verdicts, complete=False, forms=forms)


def _outcome(side: Decided | None, name: str) -> Outcome | None:
    return None if side is None else side.outcome(name)


def _words(side: Decided | None) -> list[str]:
    """What is wrong, in words."""
    return [] if side is None else [word for word in side.impact if word not in ("safe", "unknown")]

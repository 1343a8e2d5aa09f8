"""Why a verdict is what it is: the smallest sets of changes between two code bases without which it would be the other one.

The *changes* of a code base are the knobs in which it differs from the one before the story. Setting one back to what it was there
*removes* it. A set of changes is an answer if the verdict flips once all of them are removed, and no proper subset does that. If the
property is violated, an answer exposes the bug; if it holds, an answer is what protects.

The search is complete, and asks for no model twice. Removing a change that the model never reads changes nothing, so a minimal set has
none of those: its model reads every change in it, in some order (see `drainspecs.questions.variants`: what is read next depends only on what was
read before). The model without the first of them reads the same up to the second, the one without these two the same up to the third,
and so on. So every answer is reached by adding one change at a time, each read later than the one before; the search goes along these
ways, by size, and stops at answers, for what contains one is not minimal. Nothing is assumed about verdicts: a set may flip one that a
smaller and a larger set leave alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from time import perf_counter
from typing import Final, NamedTuple

from msgspec import Struct

from draincheck.budget import grace
from draincheck.engines.explicit import explore
from draincheck.errors import ModelError, OutOfBudget
from draincheck.knobs import Knobs, Setting, all_knobs, shown, turned
from draincheck.qemu import Probes, Scenario, build
from draincheck.reason import Stop
from draincheck.revisions import PLACES, REVISIONS, Revision, with_settings
from draincheck.semantics.validation import demand_faultless
from draincheck.system import TransitionSystem
from draincheck.verdict import Outcome, Statistics, Verdict, demand_unstopped
from drainspecs.mirror.properties import DrainInvariant
from drainspecs.questions.variants import NAMES_ONLY, Advance, Judge, Judged, check_possible, silently, weighed

__all__ = ["BEFORE_THE_STORY", "Flip", "KnobChange", "Why", "changes_between", "why"]

#: the code base whose mirror switched the disk inside its coroutine: no window
BEFORE_THE_STORY: Final = REVISIONS[0]

#: makes a certificate of a system in which the property holds
Certify = Callable[[TransitionSystem], object]


class KnobChange(Struct, frozen=True):
    """A knob in which two code bases differ.

    Attributes:
        knob: its name.
        now: its value.
        before: its value in the other code base.
        turns: the commits of the history that turned it in between, oldest first; the last one gave it its value of now. None if no
            commit did: a control, a knob turned by hand.
    """

    knob: str
    now: Setting
    before: Setting
    turns: tuple[Revision, ...]

    @property
    def commit(self) -> str:
        """The commit that gave the knob its value, "" if none did."""
        return self.turns[-1].name if self.turns else ""

    def __str__(self) -> str:
        return f"{self.knob}={shown(self.now)}"


class Flip(Struct, frozen=True):
    """An answer: changes without which the verdict is the other one.

    Attributes:
        changes: the set, in the order of the table of knobs.
        without: the code base after their removal; its name lists them.
        digest: names its transition system.
        verdict: the verdict after removal; with a shortest counterexample if it is *violated*.
        statistics: of the search that decided it: if it *holds*, all these states were looked at.
        certificate: what `certify` made of the system, if the property holds after removal and a maker was given.
    """

    changes: tuple[KnobChange, ...]
    without: Revision
    digest: str
    verdict: Verdict
    statistics: Statistics
    certificate: object = None


class Why(Struct, frozen=True):
    """All answers for one code base, scenario and property.

    Attributes:
        verdict: of the code base as it is.
        changes: all changes between it and `base`, those that nothing depends on included.
        flips: the answers, smallest first; none if the verdict does not depend on the changes.
        examined: how many sets of changes were looked at; any other contains an answer, or is the same model as one of these.
        systems: how many distinct systems these came to.
        objections: why some sets were left out: no code base could be like that.
        stopped: what ended the search; if anything did there may be more answers.
    """

    revision: Revision
    base: Revision
    scenario: Scenario
    verdict: Verdict
    changes: tuple[KnobChange, ...]
    flips: tuple[Flip, ...]
    examined: int
    systems: int
    objections: tuple[str, ...]
    seconds: float
    stopped: Stop | None = None

    @property
    def exposes(self) -> bool:
        """The property is violated: the answers say which changes expose the bug. Otherwise they say which ones protect."""
        return self.verdict.outcome is Outcome.VIOLATED


def changes_between(revision: Revision, base: Revision = BEFORE_THE_STORY) -> tuple[KnobChange, ...]:
    """The knobs in which two code bases differ, but for those that only change names."""
    values = (
        (knob.name, getattr(revision.knobs, knob.name), getattr(base.knobs, knob.name)) for knob in all_knobs().values()
    )
    return tuple(
        KnobChange(knob, now, before, _turns(revision, base, knob))
        for knob, now, before in values
        if knob not in NAMES_ONLY and now != before
    )


def _turns(revision: Revision, base: Revision, knob: str) -> tuple[Revision, ...]:
    """The rows that turned a knob after a code base and up to another; none if the last of them left it at another value than it has."""
    rows = _up_to(revision)
    turned = [new for old, new in pairwise(rows) if getattr(old.knobs, knob) != getattr(new.knobs, knob)]
    if not turned or getattr(turned[-1].knobs, knob) != getattr(revision.knobs, knob):
        return ()
    after = [row for row in turned if row not in _up_to(base)]
    return tuple(after or turned[-1:])


def _up_to(revision: Revision) -> list[Revision]:
    """The rows of the history up to a code base, or up to its date if it is not one of them."""
    if revision.name in PLACES:
        return list(REVISIONS[: PLACES[revision.name] + 1])
    return [row for row in REVISIONS if row.date <= revision.date]


def why(
    revision: Revision,
    scenario: Scenario,
    property: str = "S1",
    *,
    base: Revision = BEFORE_THE_STORY,
    probes: type[Probes] = DrainInvariant,
    certify: Certify | None = None,
    advance: Advance = silently,
    processes: int | None = None,
) -> Why:
    """All minimal sets of changes whose removal flips a verdict.

    Args:
        revision: the code base.
        scenario: topology and workload.
        property: name of a property that `probes` demands.
        base: the code base to which changes are set back.
        probes: the specification.
        certify: makes a certificate of each system in which the property holds after removal.
        advance: told how many sets have been decided.
        processes: how many may work at it; None: one a core.

    Raises:
        ModelError: the code base cannot run the scenario, there is no such property, or a search leaves it undecided.
        OutOfBudget: there was reason to stop before its own verdict was known.
    """
    started = perf_counter()
    check_possible(revision, scenario)
    asked = _Asked(scenario, property, probes, certify)
    _, verdict, _ = asked.explored(revision)
    changes = changes_between(revision, base)
    judge = Judge(scenario, [property], probes, processes, advance)
    search = _Search(judge, revision.knobs, changes, weighed(verdict.outcome))
    answers = search.run()
    with grace():
        flips = tuple(asked.flip(revision, answer) for answer in answers)
    return Why(
        revision, base, scenario, verdict, changes, flips, search.examined, len(judge.digests), tuple(judge.objections),
        perf_counter() - started, search.stopped,
    )  # fmt: skip


class _Asked(Struct, frozen=True):
    """The question, which can be put to any code base."""

    scenario: Scenario
    property: str
    probes: type[Probes]
    certify: Certify | None

    def explored(self, revision: Revision) -> tuple[TransitionSystem, Verdict, Statistics]:
        """Its system, the verdict, and what the search came to; raises ModelError if the property is not decided."""
        title = f"{revision.name} / {self.scenario.name}"
        system = build(title, revision.knobs, self.scenario, self.probes()).compile()
        system.property_named(self.property)
        exploration = explore(system)
        demand_unstopped(exploration.verdicts.values())
        demand_faultless(exploration.verdicts.values())
        verdict = exploration.verdicts[self.property]
        if verdict.outcome is Outcome.UNKNOWN:
            raise ModelError(f"{system.name}: {self.property} cannot be decided: {verdict.reason}")
        return system, verdict, exploration.statistics

    def flip(self, revision: Revision, changes: list[KnobChange]) -> Flip:
        """An answer: what there is after the removal of these changes."""
        without = with_settings(revision, {change.knob: change.before for change in changes})
        system, verdict, statistics = self.explored(without)
        holds = verdict.outcome is Outcome.HOLDS
        certificate = self.certify(system) if self.certify is not None and holds else None
        return Flip(tuple(changes), without, system.digest, verdict, statistics, certificate)


class _Candidate(NamedTuple):
    """A set of changes to be removed; the first `settled` knobs that its model reads are those by which it was reached."""

    removed: frozenset[str]
    settled: int = 0


class _Search:
    """The sets of changes, by size."""

    def __init__(self, judge: Judge, knobs: Knobs, changes: Sequence[KnobChange], outcome: Outcome) -> None:
        self.judge, self.knobs, self.changes, self.outcome = judge, knobs, changes, outcome
        self.before = {change.knob: change.before for change in changes}
        self.examined = 0
        self.answers: list[frozenset[str]] = []
        self.stopped: Stop | None = None

    def run(self) -> list[list[KnobChange]]:
        """The minimal answers, the smallest first; those among the sets that were decided, if there is reason to stop before."""
        level = [_Candidate(frozenset())]
        while level and not self.stopped:
            judged = self._judged(level)
            self.examined += len(judged)
            self.answers += [item.removed for item, found in judged if self._flips(found)]
            larger = (more for item, found in judged for more in self._larger(item, found))
            level = [item for item in larger if not any(answer <= item.removed for answer in self.answers)]
        found = ([change for change in self.changes if change.knob in answer] for answer in self.answers)
        return sorted(found, key=len)

    def _judged(self, level: list[_Candidate]) -> list[tuple[_Candidate, Judged]]:
        """The sets, each with what is known of it; those of which nothing is are left out."""
        vectors = [self._without(item.removed) for item in level]
        try:
            judged: list[Judged | None] = [*self.judge.judge_all(vectors)]
        except OutOfBudget as limit:
            self.stopped = limit.stop
            judged = list(map(self.judge.known, vectors))
        return [(item, found) for item, found in zip(level, judged, strict=True) if found is not None]

    def _without(self, removed: Iterable[str]) -> Knobs:
        return turned(self.knobs, {knob: self.before[knob] for knob in removed})

    def _flips(self, judged: Judged) -> bool:
        return not judged.objection and any(outcome is not self.outcome for outcome in judged.outcomes.values())

    def _larger(self, item: _Candidate, judged: Judged) -> Iterator[_Candidate]:
        """The set with one change more, for each that is read after the last one in it."""
        for place, knob in enumerate(judged.read):
            if place >= item.settled and knob in self.before:
                yield _Candidate(item.removed | {knob}, place + 1)

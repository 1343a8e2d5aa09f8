"""What the check of a subject found, as the command line tells it: the answer, counterexamples, a document."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

from check_invariants.exit import ExitCode, of_answer
from check_invariants.words import Listed, conclusion
from draincheck import Outcome, Run, Subject, Trace
from draincheck.checking import Result
from draincheck.reason import NeverAsked, Unasked
from draincheck.run import Known
from drainspecs.mirror.answer import answer
from drainspecs.mirror.code_base import CodeBase
from drainspecs.mirror.impact import SAFE, rank

__all__ = ["Checked", "Counterexample", "Wanted"]


class Wanted(Struct, frozen=True):
    """What is wanted.

    Attributes:
        traces: how many counterexamples are shown; None: all.
        short: their steps that change nothing are left out.
        trace_out: where they are written.
        html: where the explorer is written.
        as_json: the answer comes as a document.
        strict: whatever is violated matters.
    """

    traces: int | None
    short: bool
    trace_out: str | None
    html: str | None
    as_json: bool
    strict: bool


class Checked(Struct, frozen=True, dict=True):
    """A subject, and what the check of it found; `strict`: whatever is violated matters."""

    subject: Subject
    result: Result
    strict: bool

    @cached_property
    def listed(self) -> list[Listed]:
        """The verdicts beside what was expected."""
        matters = self.subject.matters
        return [
            Listed(item.name, item.verdict, item.expectation, self.strict or matters(item.name))
            for item in self.result.findings
        ]

    @property
    def codes(self) -> Iterator[ExitCode]:
        """The exit codes that the verdicts make: of a model of one's own also those that its file expects."""
        own = not isinstance(self.subject, CodeBase)
        for item, listed in zip(self.result.findings, self.listed, strict=True):
            yield of_answer(item.outcome, item.item.breach, listed.matters, item.expectation)
            if own:
                yield of_answer(item.outcome, item.item.breach, listed.matters)

    @cached_property
    def runs(self) -> dict[str, Run]:
        """By property the traces, executed."""
        verdicts = self.result.verdicts.items()
        known: Known = {}
        return {name: Run.of(self.result.system, v.trace, known) for name, v in verdicts if v.trace is not None}

    @property
    def violated(self) -> list[tuple[Listed, Run]]:
        """The properties that have a counterexample."""
        return [
            (item, self.runs[item.name]) for item in self.listed if item.word == "violated" and item.name in self.runs
        ]

    @property
    def counterexamples(self) -> list[Counterexample]:
        """The distinct ones: what matters first, of a code base the worst, then the shortest."""
        groups: dict[Trace, list[tuple[Listed, Run]]] = {}
        for item, run in self.violated:
            groups.setdefault(replace(run.trace, property=""), []).append((item, run))
        found = [Counterexample([item for item, _ in group], group[0][1]) for group in groups.values()]
        ranked = isinstance(self.subject, CodeBase)
        return sorted(found, key=lambda each: each.urgency(rank if ranked else _equally))

    @property
    def answer(self) -> str:
        """The first and the last line."""
        said = conclusion(self.listed, self.result.well) + _still(self)
        if not (self.impact and isinstance(self.subject, CodeBase)):
            return f"{self.subject.title}: {said}"
        return f"{answer(self.subject.called, {self.subject.scenario.name: self.impact})}{self.short_of}; {said}"

    @property
    def short_of(self) -> str:
        """That it is safe as far as modelled alone, "" if nothing is left out."""
        limits = (self.subject.limits(name, outcome) for name, outcome in self.told)
        return ", as far as modelled" if SAFE in self.impact and any(limits) else ""

    @property
    def told(self) -> list[tuple[str, Outcome]]:
        """The outcomes that the answer rests on: those that were asked about, and where it says that it is safe, all others that were found."""
        outcomes = {item.name: item.verdict.outcome for item in self.listed}
        seen = self.result.exploration
        if seen is not None and SAFE in self.impact:
            outcomes = {**outcomes, **{name: verdict.outcome for name, verdict in seen.verdicts.items()}}
        return list(outcomes.items())

    @property
    def impact(self) -> tuple[str, ...]:
        """What comes of it for the owner of the data; only explicit search tells."""
        seen = self.result.exploration
        return () if seen is None else self.subject.impact(seen.verdicts)


class Counterexample(Struct, frozen=True):
    """What some properties are violated by."""

    items: Sequence[Listed]
    run: Run

    @property
    def matters(self) -> bool:
        """It is one of more than rules inside QEMU."""
        return any(item.matters for item in self.items)

    def urgency(self, severity: Callable[[str], int]) -> tuple[bool, int, int]:
        """A key to sort by."""
        return not self.matters, min(severity(item.name) for item in self.items), len(self.run.steps)

    @property
    def names(self) -> str:
        """The properties."""
        return ", ".join(item.name for item in self.items)


def _equally(_: str) -> int:
    """A rank where no property is worse than another."""
    return 0


def _still(found: Checked) -> str:
    """That nothing moves in the model, "" if something does."""
    reasons = (item.verdict.reason for item in found.listed)
    still = any(isinstance(reason, NeverAsked) and reason.why is Unasked.NO_STEP for reason in reasons)
    return "; nothing ever moves in this model" if still else ""

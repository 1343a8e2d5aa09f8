"""What goes into the document: a subject with what the check of it found, and its runs in the order in which they are shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from draincheck.checking import Finding, Result
from draincheck.explorer.document import PageRemedy
from draincheck.properties import Breach
from draincheck.run import Run, Trace
from draincheck.subject import Subject
from draincheck.verdict import Outcome

__all__ = ["Examined", "Shown"]


def _alike(name: str) -> int:
    return 0


def _unknown(name: str) -> PageRemedy | None:
    return None


class Shown(Struct, frozen=True, eq=False):
    """A run, and what it shows: the worst first."""

    run: Run
    findings: Sequence[Finding]


class Examined(Struct, frozen=True):
    """A subject and what the check of it found.

    Attributes:
        subject: what was checked.
        result: what was found.
        rank: how bad it is that the property of a name is violated; what is worst has the lowest number.
        remedy: what would have prevented that, where somebody knows.
        caveat: what has to be said with what comes of it: ", as far as modelled", say.
    """

    subject: Subject
    result: Result
    rank: Callable[[str], int] = _alike
    remedy: Callable[[str], PageRemedy | None] = _unknown
    caveat: str = ""

    def shown(self) -> list[Shown]:
        """The distinct runs of each kind of harm, executed: violations that matter, the worst, the shortest first; witnesses last. Raises TraceError."""
        groups: dict[tuple[Trace, Breach, int], list[Finding]] = {}
        for finding in self.result.findings:
            if (trace := finding.verdict.trace) is not None:
                key = replace(trace, property=""), finding.item.breach, self.rank(finding.name)
                groups.setdefault(key, []).append(finding)
        found = [sorted(group, key=self._urgency) for group in groups.values()]
        ordered = sorted(found, key=lambda group: (self._urgency(group[0]), _length(group[0])))
        return [Shown(self._run(group[0]), group) for group in ordered]

    def _urgency(self, finding: Finding) -> tuple[bool, bool, int]:
        violated = finding.outcome is Outcome.VIOLATED
        return not violated, not self.subject.matters(finding.name), self.rank(finding.name)

    def _run(self, finding: Finding) -> Run:
        assert finding.verdict.trace is not None
        return Run.of(self.result.system, finding.verdict.trace)


def _length(finding: Finding) -> int:
    return 0 if finding.verdict.trace is None else len(finding.verdict.trace.actions)

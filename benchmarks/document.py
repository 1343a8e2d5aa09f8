"""What a run of the benchmarks has found, as one value that JSON can say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from msgspec import Struct, field

from benchmarks.logs import LogSpeed
from benchmarks.machine import Machine
from benchmarks.random_access import Access
from benchmarks.rounds import Result

__all__ = ["Bench", "Described"]


class Described(Struct, frozen=True):
    """A tool: its version, "" if it was not there, and how to get it."""

    name: str
    version: str
    install: str


class Bench(Struct, frozen=True):
    """One run on one machine.

    Attributes:
        finished: when, as ISO 8601 says it; "" as long as it goes on.
        logs: how fast logs are read; nothing where that was not measured.
    """

    machine: Machine
    tools: Sequence[Described]
    accesses: Sequence[Access]
    results: Sequence[Result]
    finished: str = ""
    format: str = "check-invariants/bench"
    version: int = 1
    logs: Sequence[LogSpeed] = field(default_factory=list[LogSpeed])

    def of(self, part: str) -> Iterator[Result]:
        """The results of a part."""
        return (result for result in self.results if result.part == part)

    def result(self, subject: str, tool: str) -> Result | None:
        """What a tool took for a subject; None if it did not get that far, or did not try."""
        found = (each for each in self.results if (each.subject, each.tool) == (subject, tool) and each.cpu)
        return next(found, None)

    def cpu(self, subject: str, tool: str) -> float | None:
        """The median of its seconds of processor time."""
        found = self.result(subject, tool)
        return median(found.cpu) if found else None

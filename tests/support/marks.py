"""The marked steps of a trace: enough to tell one way of breaking an invariant from another."""

from __future__ import annotations

from typing import NamedTuple

from draincheck.report.calls import events_of
from draincheck.run import Run

__all__ = ["MarkedStep", "summarize_marks"]


class MarkedStep(NamedTuple):
    """A marked step of a trace and its iteration: the number of the outermost numbered call around it, or 0."""

    mark: str
    iteration: int
    label: str


def summarize_marks(run: Run) -> list[MarkedStep]:
    """The marked steps of a trace, in order."""
    marked = (event for event in events_of(run) if event.part.mark)
    return [MarkedStep(event.part.mark, event.iteration, event.part.label) for event in marked]

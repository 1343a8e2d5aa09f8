"""Why a run goes no further, for traces of which that is the point: the step that cannot be taken, or who waits for what."""

from __future__ import annotations

from collections.abc import Iterator

from draincheck.analysis.accident import accident
from draincheck.analysis.waiting import situation
from draincheck.report.waiting import WaitingLine, waiting_lines
from draincheck.run import Run

__all__ = ["standstill_lines"]


def standstill_lines(run: Run, width: int) -> Iterator[WaitingLine]:
    """Lines of a width, but for those of a step, which are as long as they are; none for a run that shows neither."""
    if (end := accident(run)) is not None:
        yield WaitingLine(f"    the step that cannot be taken: {end.process}: {end.label}")
        yield WaitingLine(f"    {end.told} ({end.line})")
    elif (found := situation(run)) is not None:
        yield from waiting_lines(found, width, "    ")

"""The steps that a run turns on, each in a sentence: those that the model marks, or, where it marks none, the last that change something."""

from __future__ import annotations

from typing import Final

from draincheck.explorer.runs import StoryStep, Tone
from draincheck.report.calls import CallEvent
from draincheck.report.lanes import LaneKind, Lanes, PlacedStep
from draincheck.run import Run
from draincheck.subject import Teller

__all__ = ["story_of"]

#: so many steps make a story
MOST: Final = 6
#: and so many of a run that nobody has marked
UNMARKED: Final = 3


def story_of(run: Run, lanes: Lanes, teller: Teller | None) -> tuple[StoryStep, ...]:
    """The steps that a run turns on; without a `teller` a mark has the meaning that it has everywhere."""
    marked = [step for step in lanes.steps if step.marks]
    told = marked[-MOST:] if marked else [step for step in lanes.steps if step.changes][-UNMARKED:]
    return tuple(_told(run, step, lanes, teller) for step in told)


def _told(run: Run, step: PlacedStep, lanes: Lanes, teller: Teller | None) -> StoryStep:
    events = [event for event in step.events if event.shown]
    key = next((event for event in events if event.part.mark), events[-1])
    mark, meaning = key.part.mark, lanes.marks.get(key.part.mark, "")
    title, text = teller(run, step.number, mark) if teller and mark else (meaning or key.part.label, "")
    tone = Tone.BAD if run.trace.property in step.broken else Tone.WARN
    return StoryStep(step.number, mark, title, text, _done(key, step, lanes), tone)


def _done(event: CallEvent, step: PlacedStep, lanes: Lanes) -> str:
    """Who does what, in which round of its loop, for whom."""
    lane = lanes.lanes[step.lane]
    where = (
        "" if event.thread == event.process else f"on {event.thread}",
        f"in {step.iteration}" if step.iteration else "",
        f"dispatching {lane.name}" if lane.kind is LaneKind.CONTEXT else "",
    )
    return f"{', '.join(filter(None, [event.process, *where]))}: {event.part.label or 'goes on'}"

"""The steps that a run turns on, each in a sentence: those that the model marks, or, where it marks none, the last that change something."""

from __future__ import annotations

from typing import Final

from draincheck.explorer.document import StoryStep, Tone
from draincheck.report.calls import CallEvent
from draincheck.report.lanes import Lanes, PlacedStep
from draincheck.run import Run
from draincheck.words import assigned, listed

__all__ = ["story_of"]

#: so many steps make a story
MOST: Final = 6
#: and so many of a run that nobody has marked
UNMARKED: Final = 3


def story_of(run: Run, lanes: Lanes) -> tuple[StoryStep, ...]:
    """The steps that a run turns on."""
    marked = [step for step in lanes.steps if step.marks]
    told = marked[-MOST:] if marked else [step for step in lanes.steps if step.changes][-UNMARKED:]
    return tuple(_told(step, lanes, run.trace.property) for step in told)


def _told(step: PlacedStep, lanes: Lanes, name: str) -> StoryStep:
    events = [event for event in step.events if event.shown]
    key = next((event for event in events if event.part.mark), events[-1])
    title = lanes.marks.get(key.part.mark, "").partition(": ")[0] or key.part.label
    tone = Tone.BAD if name in step.broken else Tone.WARN
    return StoryStep(step.number, key.part.mark, title, f"{_done(key)}{_changed(step)}", tone)


def _done(event: CallEvent) -> str:
    """Who does what, and where."""
    who = event.process if event.thread == event.process else f"{event.process} on {event.thread}"
    where = [str(call) for call in event.stack if call.number or call is event.stack[-1]]
    inside = f", in {' > '.join(where)}" if where else ""
    return f"{who}{inside}: {event.part.label or 'goes on'}"


def _changed(step: PlacedStep) -> str:
    changes = [assigned(change.name, change.new) for change in step.changes]
    return f"; sets {listed(changes)}" if changes else ""

"""The steps that a run turns on, each in a sentence: those that the model marks, or, where it marks none, the last that change something."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Final

from draincheck.explorer.document import StoryStep, Tone
from draincheck.report.calls import CallEvent, events_of
from draincheck.run import Run
from draincheck.words import assigned, listed

__all__ = ["story_of"]

#: so many steps make a story
MOST: Final = 6
#: and so many of a run that nobody has marked
UNMARKED: Final = 3


def story_of(run: Run, marks: Mapping[str, str]) -> tuple[StoryStep, ...]:
    """The steps that a run turns on; `marks` says what their letters stand for."""
    events = [event for event in events_of(run) if event.shown]
    marked = [event for event in events if event.part.mark]
    steps = _last(marked, MOST) if marked else _last([event for event in events if event.changes], UNMARKED)
    together = {step: [event for event in events if event.step == step] for step in steps}
    breaking = {number for number, step in enumerate(run.steps, 1) if run.trace.property in step.broken}
    return tuple(_told(step, found, marks, step in breaking) for step, found in together.items())


def _last(events: Sequence[CallEvent], most: int) -> list[int]:
    """The last steps of some events."""
    return [step for step, _ in groupby(event.step for event in events)][-most:]


def _told(step: int, events: Sequence[CallEvent], marks: Mapping[str, str], breaking: bool) -> StoryStep:
    mark = next((event.part.mark for event in events if event.part.mark), "")
    key = next((event for event in events if event.part.mark), events[-1])
    title = marks.get(mark, key.part.label).partition(": ")[0]
    return StoryStep(step, mark, title, f"{_done(key)}{_changed(events)}", Tone.BAD if breaking else Tone.WARN)


def _done(event: CallEvent) -> str:
    """Who does what, and where."""
    who = event.process if event.thread == event.process else f"{event.process} on {event.thread}"
    where = [str(call) for call in event.stack if call.number or call is event.stack[-1]]
    inside = f", in {' > '.join(where)}" if where else ""
    return f"{who}{inside}: {event.part.label or 'goes on'}"


def _changed(events: Sequence[CallEvent]) -> str:
    changes = [assigned(change.name, change.new) for event in events for change in event.changes]
    return f"; sets {listed(changes)}" if changes else ""

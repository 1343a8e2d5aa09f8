"""Where in a model's source a report points for a property: the step that violates it, or where it is asked."""

from __future__ import annotations

from collections.abc import Iterator

from draincheck.errors import SourceLine
from draincheck.properties import Assertion, NoFault, Property
from draincheck.report.calls import events_of
from draincheck.run import Run
from draincheck.semantics.violation import faulty_step, shows
from draincheck.system import TransitionSystem

__all__ = ["place_of"]


def place_of(system: TransitionSystem, item: Property, run: Run | None = None) -> SourceLine | None:
    """The line to look at.

    With a run that shows a violation: the fault that is met; the check that fails, if it is written where its step is; what the last step did,
    the parts that the story marks first. Without one, or where nothing has happened: the property's first check, or else the model's first
    step. None for a model without steps.
    """
    places = _shown(run, item) if run is not None and shows(run, item) else iter(())
    return next((place for place in (*places, *_asked(system, item)) if place.line), None)


def _shown(run: Run, item: Property) -> Iterator[SourceLine]:
    events = [event for event in events_of(run) if event.shown]
    last = [event.part for event in reversed(events) if event.step == events[-1].step]
    if isinstance(item, NoFault):
        yield faulty_step(run, item.kind)[1].line
    if isinstance(item, Assertion):
        files = {part.line.file for part in last}
        yield from (line for line in _failed(run, item) if line.file in files)
    yield from (part.line for part in sorted(last, key=lambda part: not part.mark))


def _failed(run: Run, item: Assertion) -> Iterator[SourceLine]:
    """The checks of an assertion that the last step breaks."""
    step = run.steps[-1]
    for check in run.system.actions[step.action].checks:
        if check.property == item.name and not run.system.holds(check.holds, step.before):
            yield check.line


def _asked(system: TransitionSystem, item: Property) -> Iterator[SourceLine]:
    for action in system.actions:
        yield from (check.line for check in action.checks if check.property == item.name)
    yield from (action.line for action in system.actions)

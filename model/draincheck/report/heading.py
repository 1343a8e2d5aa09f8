"""What stands above a trace that leaves the house: six lines for somebody who has nothing else, as in a bug report."""

from __future__ import annotations

from collections.abc import Iterator

from draincheck.properties import Reachable
from draincheck.report.calls import events_of
from draincheck.run import Run
from draincheck.semantics.violation import shows
from draincheck.subject import About, check_command

__all__ = ["REPRODUCE", "facts_of"]

#: the fact that is a command to copy
REPRODUCE = "reproduce"


def facts_of(run: Run, about: About) -> Iterator[tuple[str, str]]:
    """What is violated, by what, doing what, who says so, how to see it again, and what the signs mean; each with its name."""
    yield _finding(run)
    yield about.kind, about.what
    yield "scenario", about.scenario
    yield "found by", about.tool
    yield REPRODUCE, _command(run, about)
    yield "signs", _signs(run, about)


def _finding(run: Run) -> tuple[str, str]:
    if not run.trace.property:
        return "shown", "a run, of no property"
    item = run.system.property_named(run.trace.property)
    named = f"{item.name}: {item.meaning}" if item.meaning else item.name
    if not shows(run, item):
        return "shown", f"a run, which does not decide {named}"
    return "reached" if isinstance(item, Reachable) else "violated", named


def _command(run: Run, about: About) -> str:
    if about.alone:
        return f"check-invariants {about.alone} {about.options}"
    return check_command(about.options, *filter(None, [run.trace.property]))


def _signs(run: Run, about: About) -> str:
    """The legend: of letters, those that the trace has."""
    events = [event for event in events_of(run) if event.shown]
    letters = dict.fromkeys(event.part.mark for event in events if event.part.mark)
    marks = [f"({letter}) {about.marks[letter]}" for letter in letters if letter in about.marks]
    tilde = ["~ the world outside"] if any(e.aside for e in events) and any(e.framed for e in events) else []
    return "; ".join(
        ["a number is a step, indentation is the call stack, name=value is what a step changed", *tilde, *marks]
    )

"""`check-invariants trace`: what it does."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from check_invariants.exit import Diverged, EmptySelection, LimitReached, MalformedInput
from check_invariants.output import STDOUT
from draincheck.errors import TraceError
from draincheck.reason import Reason
from draincheck.report.jsontrace import TraceFile, read_trace, write_trace
from draincheck.report.text import render_trace
from draincheck.run import Run, Trace
from draincheck.subject import Subject
from draincheck.system import TransitionSystem
from draincheck.verdict import Outcome

__all__ = ["followed", "read_file", "refuse", "the_property", "written_by"]


def read_file(file: str) -> TraceFile:
    """The trace in a file, or of standard input for `-`. Raises BadParameter or MalformedInput."""
    try:
        data = sys.stdin.buffer.read() if file == STDOUT else Path(file).read_bytes()
    except OSError as error:
        raise click.BadParameter(f"{file!r} cannot be read: {error.strerror}", param_hint="'FILE'") from error
    try:
        return read_trace(data)
    except TraceError as error:
        raise MalformedInput(f"{_named(file)}: {error}") from error


def _named(file: str) -> str:
    return "standard input" if file == STDOUT else file


def followed(system: TransitionSystem, trace: Trace, file: str) -> Run:
    """The trace, executed. Raises Diverged unless the model is the one that it names and follows it to the end."""
    if trace.digest != system.digest:
        raise Diverged(
            f"{_named(file)}: the model has changed: the trace belongs to {trace.system} with digest {trace.digest[:16]}, "
            f"and {system.name} is now {system.digest[:16]}; export the trace again"
        )
    try:
        run = Run.of(system, trace)
    except TraceError as error:
        raise Diverged(f"{_named(file)}: {error}") from error
    if trace.property and trace.property not in {item.name for item in system.properties}:
        raise MalformedInput(
            f"{_named(file)}: {system.name} has no property {trace.property!r}; export the trace again"
        )
    return run


def the_property(properties: Sequence[str], case: str | None) -> str:
    """The one property that the options name. Raises UsageError."""
    names = [*properties, *([case] if case else [])]
    if len(names) != 1:
        raise click.UsageError("name one property: --property P or --case 'case 1'")
    return names[0]


def refuse(model: str, name: str, outcome: Outcome, reason: Reason) -> None:
    """There is no trace."""
    if outcome.value == "unknown":
        raise LimitReached(f"{model}: {name} is unknown ({reason}): there is no trace")
    raise EmptySelection(
        f"{model}: {name} {'holds' if outcome.value == 'holds' else 'is violated'} ({reason}): there is no trace of that"
    )


def written_by(selected: Subject, run: Run, outcome: Outcome, form: str) -> str:
    """The text of a run in a format."""
    if form == "text":
        return render_trace(run)
    return write_trace(run, source=selected.source(), verdict=outcome)

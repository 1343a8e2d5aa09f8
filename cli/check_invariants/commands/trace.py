"""`check-invariants trace`: show a trace file after running it again, and export a trace."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from check_invariants.exit import Diverged, EmptySelection, LimitReached, MalformedInput
from check_invariants.options import json_option, property_option, selectors
from check_invariants.output import STDOUT, emit, emit_trace, write_to

if TYPE_CHECKING:
    from draincheck.reason import Reason
    from draincheck.report.jsontrace import TraceFile
    from draincheck.subject import Subject
    from draincheck.system import TransitionSystem
    from draincheck.trace import Run, Trace
    from draincheck.verdict import Outcome

__all__ = ["command", "followed", "read_file"]


@click.group("trace")
def command() -> None:
    """Show a trace file, or export a trace."""


@command.command("show")
@click.argument("file", metavar="FILE|-")
@click.option(
    "--outline", is_flag=True, help="Only the marked steps and the calls they stand in: a drawing for a commit message."
)
@json_option
def show(file: str, outline: bool, as_json: bool) -> None:
    """Run a trace file again on the model it names, and show it as a call tree. `-` reads standard input.

    \b
    Exit codes: 0 shown; 14 the model is not the one the trace belongs to, or does not follow it;
    150 the file is malformed; 2 there is no such file.

    \b
    Example: check-invariants trace show S1.json
    """
    from check_invariants.judge import compiled
    from check_invariants.selection import select_from_source
    from draincheck.report.jsontrace import write_trace
    from draincheck.report.text import render_outline

    read = read_file(file)
    selected = select_from_source(read.source)
    system = compiled(selected)
    run = followed(system, read.trace, file)
    if as_json:
        emit(write_trace(run, source=read.source, verdict=read.verdict))
    elif outline:
        emit(render_outline(run))
    else:
        emit_trace(run)


def read_file(file: str) -> TraceFile:
    """The trace in a file, or of standard input for `-`. Raises BadParameter or MalformedInput."""
    from draincheck.errors import TraceError
    from draincheck.report.jsontrace import read_trace

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
    from draincheck.errors import TraceError
    from draincheck.trace import Run

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


@command.command("export")
@selectors
@property_option(of_matrix=False)
@click.option("--case", type=click.Choice(["case 1", "case 2", "case 3"]), help="A bug case, short for --property.")
@click.option("-o", "--output", default=STDOUT, metavar="FILE|-", help="Where to write it.  [default: standard output]")
@click.option("--format", "form", type=click.Choice(["text", "json"]), help="[default: json]")
@json_option
def export(
    properties: Sequence[str], case: str | None, output: str, form: str | None, as_json: bool, **selectors: Any
) -> None:
    """Write a shortest counterexample (or, of a reachable goal, a shortest witness).

    JSON is the format that `trace show` reads; its schema comes with draincheck.

    \b
    Exit codes: 0 written; 10 the property holds: there is no counterexample; 30 unknown;
    150 the model is malformed; 2 wrong arguments, or the output cannot be written.

    \b
    Example: check-invariants trace export --revision 3f09bfbc7b --case 'case 1' --format text
    """
    from check_invariants.judge import checked
    from check_invariants.selection import select
    from draincheck.trace import Run

    name = _the_property(properties, case)
    if as_json and form == "text":
        raise click.UsageError("--json and --format text exclude each other")
    selected = select(properties=[name], **selectors)
    result = checked(selected, [name])
    verdict = result[name].verdict
    if verdict.trace is None:
        _refuse(result.system.name, name, verdict.outcome, verdict.reason)
        return
    run = Run.of(result.system, verdict.trace)
    write_to(output, _written(selected, run, verdict.outcome, form or "json"))


def _the_property(properties: Sequence[str], case: str | None) -> str:
    names = [*properties, *([case] if case else [])]
    if len(names) != 1:
        raise click.UsageError("name one property: --property P or --case 'case 1'")
    return names[0]


def _refuse(model: str, name: str, outcome: Outcome, reason: Reason) -> None:
    """There is no trace."""
    if outcome.value == "unknown":
        raise LimitReached(f"{model}: {name} is unknown ({reason}): there is no trace")
    raise EmptySelection(
        f"{model}: {name} {'holds' if outcome.value == 'holds' else 'is violated'} ({reason}): there is no trace of that"
    )


def _written(selected: Subject, run: Run, outcome: Outcome, form: str) -> str:
    from draincheck.report.jsontrace import write_trace
    from draincheck.report.text import render_trace

    if form == "text":
        return render_trace(run)
    return write_trace(run, source=selected.source(), verdict=outcome)

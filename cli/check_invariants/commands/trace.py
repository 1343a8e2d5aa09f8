"""`check-invariants trace`: show a trace file after running it again, and export a trace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from check_invariants.options import json_option, property_option, selectors
from check_invariants.output import STDOUT, emit, emit_trace, write_to

if TYPE_CHECKING:
    pass

__all__ = ["command"]


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
    from check_invariants.work.trace import followed, read_file
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
    from check_invariants.work.trace import refuse, the_property, written_by
    from draincheck.run import Run

    name = the_property(properties, case)
    if as_json and form == "text":
        raise click.UsageError("--json and --format text exclude each other")
    selected = select(properties=[name], **selectors)
    result = checked(selected, [name])
    verdict = result[name].verdict
    if verdict.trace is None:
        refuse(result.system.name, name, verdict.outcome, verdict.reason)
        return
    run = Run.of(result.system, verdict.trace)
    write_to(output, written_by(selected, run, verdict.outcome, form or "json"))

"""`check-invariants trace`: traces as files: shown after running them again, exported, compared, made smaller."""

from __future__ import annotations

import click

from check_invariants import options
from check_invariants.commands import trace_diff, trace_minimize
from check_invariants.deferred import Deferred
from check_invariants.trace_formats import TRACE_FORMATS


@click.group("trace")
def command() -> None:
    """Show, export, compare or minimize traces."""


@command.command("show", cls=Deferred)
@click.argument("file", metavar="FILE|-")
@options.own_model
@click.option(
    "--outline", is_flag=True, help="Only the marked steps and the calls they stand in: a drawing for a commit message."
)
@options.short
@click.option("--format", "form", type=click.Choice(list(TRACE_FORMATS)), help="[default: text]")
@options.as_json
def show() -> None:
    """Run a trace file again on the model it names, and show it as a call tree, or in another format. `-` reads standard input.

    Six lines say first what is violated, of which code base and in which scenario, which version found it, how to see it again, and
    what the signs mean: enough for a bug report.

    \b
    Exit codes: 0 shown; 14 the model is not the one the trace belongs to, or does not follow it;
    30 whether it shows its property turns on what comes after it, and that was not searched to its end;
    150 the file is malformed; 2 there is no such file, or it is about a model of your own and --model is
    missing.

    \b
    Example: check-invariants trace show S1.json
    """


@command.command("export", cls=Deferred)
@options.selectors
@options.properties(of_matrix=False)
@click.option("--case", type=click.Choice(["case 1", "case 2", "case 3"]), help="A bug case, short for --property.")
@options.output
@click.option(
    "--format",
    "form",
    type=click.Choice(list(TRACE_FORMATS)),
    help="[default: what the suffix of --output says, or else json]",
)
@click.option(
    "--expect",
    type=click.Choice(["violated", "fixed"]),
    help="Of pytest: a test that passes while the bug is there, or as soon as it is gone.  [default: violated]",
)
@options.short
@options.budget
@options.as_json
def export() -> None:
    """Write a shortest counterexample (or, of a reachable goal, a shortest witness).

    JSON is the format that `trace show` reads; its schema is the file trace.schema.json in the
    package draincheck.report. Text and Markdown are for people, and open with six lines on
    what they show. ITF is for tools that read the traces of Apalache and Quint. pytest is a regression test: it takes the steps again, by their
    names, on the code base, or on your model, which it finds by its path from where the test lies. SVG, Mermaid and DOT are drawings, of a long
    trace those steps that matter; Perfetto is a timeline for ui.perfetto.dev.

    \b
    Exit codes: 0 written; 10 the property holds: there is no counterexample; 30 unknown;
    150 the model is malformed; 2 wrong arguments, or the output cannot be written.

    \b
    Example: check-invariants trace export --revision 3f09bfbc7b --case 'case 1' --format text
    """


command.add_command(trace_diff.command)
command.add_command(trace_minimize.command)

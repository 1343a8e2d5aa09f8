"""`check-invariants report`: the explorer, one HTML file in which what was found can be looked at."""

from __future__ import annotations

import click

from check_invariants import options
from check_invariants.deferred import Deferred


@click.command("report", cls=Deferred)
@options.model
@options.revision(multiple=True)
@options.scenario(multiple=True)
@options.properties(of_matrix=False)
@options.order
@options.settings
@click.option(
    "-o",
    "--output",
    default="report.html",
    show_default=True,
    type=options.OutputFile(),
    metavar="FILE.html|-",
    help="Where to write it; `-` is standard output.",
)
@options.budget
@options.as_json
def command() -> None:
    """Write the explorer: one HTML file in which counterexamples can be looked at, and left.

    The file has the answer, the table above it, and for each counterexample its story, its steps in lanes, calls and state at each step, what
    was lost as bytes, until when it could be avoided, and what else could have happened: any step that is possible in a state can be
    taken, and one's own path exported as a trace. It needs no network and no other file, and has the text of it all for those who run no
    scripts, and for paper.

    It is about all code bases in the five default scenarios; with --revision about these in the ten scenarios that `check` asks about; with
    --scenario in these; or about a model of your own: MODEL.py is all its variants, and --set gives a function parameters.

    \b
    Exit codes: 0 written, whatever was found; 30 a limit was reached first;
    150 a model is malformed; 2 wrong arguments, or the file cannot be written; 130 interrupted.

    \b
    Example: check-invariants report --revision v2.6.0 -o v2.6.0.html
    """

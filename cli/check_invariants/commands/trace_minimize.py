"""`check-invariants trace minimize`: a trace with the fewest context switches and steps."""

from __future__ import annotations

import click

from check_invariants import options
from check_invariants.deferred import Deferred


@click.command("minimize", cls=Deferred)
@click.argument("file", metavar="FILE|-")
@options.own_model
@click.option(
    "--max-states",
    type=click.IntRange(min=1),
    help="Search no graph of more states; leave out steps instead.  [default: 500000]",
)
@options.output
@options.budget
@options.as_json
def command() -> None:
    """Make a trace smaller: the fewest context switches, then the fewest steps.

    What is left violates the same property in the same way (the same check, the same error, the same processes that are stuck), and is
    executed before anybody sees it. A context switch is a step of another thread than the one before; a coroutine's steps are those of the thread
    that has entered it. All runs are searched, in which case no smaller one exists. Where there are too many states, or a demand is
    about whole runs, steps of the trace are left out and turns of a thread moved together, as long as something is gained. It is written in the
    format that the suffix of --output says, JSON if that says nothing.

    \b
    Exit codes: 0 written; 30 written, and a limit kept it from being searched for the smallest one;
    14 the model is not the one the trace belongs to, does not follow it, or the trace does not show the
    property that it names; 150 the file is malformed; 2 there is no such file, the output cannot be
    written, or the file is about a model of your own and --model is missing.

    \b
    Example: check-invariants trace minimize S4.json -o smaller.json
    """

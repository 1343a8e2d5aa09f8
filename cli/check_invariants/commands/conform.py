"""`check-invariants conform`: model and core held against each other, exhaustively."""

from __future__ import annotations

import click

from check_invariants import options
from check_invariants.deferred import Deferred


@click.command("conform", cls=Deferred)
@options.revision(multiple=True)
@options.scenario(multiple=True)
@options.budget
@options.as_json
def command() -> None:
    """Hold the model and the reference core against each other.

    Every step of every reachable state of the model is executed by the core, with equal states before and after; and
    in every reachable state the core offers exactly the steps that the model has. Without options: the whole default
    matrix (about a minute). Code bases that model and core cannot tell apart are compared once. A model at fault (a value
    leaves its range, a coroutine is entered twice) is a line of its own, and the others are compared all the same.

    \b
    Exit codes: 0 they agree; 14 they part ways: the shortest trace to it and both sides' views are printed;
    10 a model is at fault, or nothing was selected; 30 a limit was reached first; 2 wrong arguments;
    130 interrupted.

    \b
    Example: check-invariants conform --revision ab27c3b5e7 --scenario mirror
    """

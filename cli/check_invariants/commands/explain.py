"""`check-invariants explain`: a trace step by step, and what could have been done instead."""

from __future__ import annotations

import click

from check_invariants import options
from check_invariants.deferred import Deferred


@click.command("explain", cls=Deferred)
@click.argument("file", metavar="FILE|-")
@options.own_model
@options.short
@options.budget
@options.as_json
def command() -> None:
    """Explain a trace, step by step.

    What let each step happen, which checks and properties it broke, which conditions it made true or false. Then what else was enabled
    where the property was violated, after which step that could not be avoided any more, and what could have been done instead of that
    step, with the way from there to a state from which no path violates the property (all decided on the whole graph). `-` reads
    standard input.

    \b
    Exit codes: 0 explained; 14 the model is not the one the trace belongs to, or does not follow it;
    30 whether it shows its property turns on what comes after it, and that was not searched to its end;
    150 the file is malformed; 2 there is no such file, or it is about a model of your own and --model is
    missing.

    \b
    Example: check-invariants explain S1.json
    """

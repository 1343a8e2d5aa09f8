"""`check-invariants model`: what can be done with a model as a whole."""

from __future__ import annotations

import click

from check_invariants import options
from check_invariants.deferred import Deferred


@click.group("model")
def command() -> None:
    """Write a model in the language of another tool."""


@command.command("export", cls=Deferred)
@options.selectors
@click.option(
    "--format",
    "form",
    type=click.Choice(["promela", "tla", "smtlib"]),
    help="[default: what the suffix of --output says (.pml, .tla, .smt2), or else promela]",
)
@options.properties(of_matrix=False)
@options.output
@options.budget
@options.as_json
def export() -> None:
    """Write a model with its properties in the language of another tool.

    Promela is for Spin, TLA+ for TLC and Apalache, SMT-LIB for z3, cvc5 and other solvers. Names are kept as far as the
    language has such, steps are atomic, an error of a run ends it as it does here; the file says how it is used. What
    a format cannot carry is named in the file and on standard error: that a goal stays in reach, for instance, or, in
    Promela and SMT-LIB, demands on whole runs.

    \b
    Exit codes: 0 written; 30 a limit was reached; 150 the model is malformed; 2 wrong arguments,
    the format cannot hold the model, or the output cannot be written.

    \b
    Example: check-invariants model export --revision ab27c3b5e7 -o ab27.pml
       Also: check-invariants model export my_model.py:build --format tla -o Build.tla
    """

"""`check-invariants prove`: certificates for what holds."""

from __future__ import annotations

import click

from check_invariants import options
from check_invariants.deferred import Deferred


@click.command("prove", cls=Deferred)
@options.selectors
@options.properties(of_matrix=False)
@click.option(
    "--engine",
    type=click.Choice(["explicit", "induction"]),
    default="explicit",
    show_default=True,
    help="explicit: the invariant is the set of reachable states. induction: it is a formula, k-inductive.",
)
@click.option("--depth", type=click.IntRange(1, 200), help="The largest k that induction tries.  [default: 20]")
@options.budget
@click.option("--matrix", is_flag=True, help="A certificate for each distinct system of the default matrix.")
@click.option(
    "-o",
    "--output",
    type=options.OutputFile(),
    metavar="PATH",
    help="The file to write, or with --matrix the directory.  [default: MODEL.smt2, or certificates, in this directory]",
)
@options.processes
@options.as_json
def command() -> None:
    """Write a certificate of what holds.

    An SMT-LIB script with an inductive invariant: the reachable states, as a decision diagram, or a formula that
    k-induction proves. `certificate check` has its queries answered by z3 or cvc5; so can anybody else. It is about
    the properties that are named, or about all that hold; for liveness there are no certificates. With --matrix: a
    file for each distinct system of the default matrix, about all that holds there.

    \b
    Exit codes: 0 written; 10 a property that was named does not hold, or nothing holds, and nothing was
    written, or one that was not named was never asked, and the others were written down; 30 something is
    not known to hold (of properties that were not named: the others were written down);
    150 the model is malformed; 2 wrong arguments, or the output cannot be written; 130 interrupted.

    \b
    Example: check-invariants prove --revision 9a0cec664e -o 9a0cec664e.smt2
       Also: check-invariants prove my_model.py:build --engine induction --depth 5
             check-invariants prove --matrix -o certificates
    """

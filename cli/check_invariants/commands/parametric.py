"""`check-invariants parametric`: the drain invariant for any number of guest writes."""

from __future__ import annotations

import click

from check_invariants import options
from check_invariants.deferred import Deferred


@click.command("parametric", cls=Deferred)
@options.revision(multiple=True)
@options.settings
@options.budget
@click.option(
    "-o",
    "--output",
    "directory",
    metavar="DIR",
    help="Write a file for each code base: a certificate where S1 holds, a trace where it is violated.",
)
@options.as_json
def command() -> None:
    """Decide the drain invariant for any number of guest writes.

    S1 in the scenario mirror, with requests counted by natural numbers that have no upper end. It holds where z3 finds the
    invariant in the specification inductive: that is a certificate, and certificate check has it checked again. Where it is
    violated, the shortest path for any number of writes has been executed with as few writes as it needs. One code base that
    violates it: with this path as a call tree.

    \b
    Exit codes. With --revision or --set the verdicts themselves: 0 S1 holds; 12 it is violated. Otherwise they
    are compared with those expected of the scenario mirror: 0 all as expected; 10 one is not. Always:
    30 unknown; 150 the model with these knobs is malformed; 2 wrong arguments, or a file cannot be written;
    130 interrupted.

    \b
    Example: check-invariants parametric --revision d4a92a8420 --revision 9a0cec664e -o proofs
    """

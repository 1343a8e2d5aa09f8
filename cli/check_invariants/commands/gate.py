"""`check-invariants gate`: matrix, liveness and claims against what is expected and pinned, for CI."""

from __future__ import annotations

import click

from check_invariants import options
from check_invariants.deferred import Deferred


@click.command("gate", cls=Deferred)
@click.option(
    "--quick", is_flag=True, help="Only the five default scenarios, with GSources in the order of attachment."
)
@click.option(
    "--pin", is_flag=True, help="Write the counts that were found as the ones to expect from now on (counts.json)."
)
@options.jobs
@options.budget
@options.as_json
def command() -> None:
    """Compare all verdicts with what is expected: for CI.

    Of every code base in every scenario, and with GSources in any order: every verdict, every exact count of states,
    transitions and depth, and what must happen in the end; QEMU's notify protocol; every claim. Prints a line for each
    difference, and nothing if there is none. A model at fault (a value leaves its range, a coroutine is entered twice) is
    one of them. With --pin, counts that differ are written down instead (in a checkout; look at the change before you
    commit it).

    \b
    Exit codes: 0 no difference; 10 differences; 30 a verdict was not reached; 2 wrong arguments, or
    the counts cannot be written; 130 interrupted.

    \b
    Example: check-invariants gate || echo "the drain story has changed"
    """

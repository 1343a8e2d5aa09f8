"""`check-invariants claims`: what the commit message says, and what comes after it, each decided by computation."""

from __future__ import annotations

import click

from check_invariants import options
from check_invariants.deferred import Deferred


@click.command("claims", cls=Deferred)
@click.argument("names", nargs=-1, type=options.Named("claim", "check_invariants.work.claims"), metavar="[NAME]...")
@options.budget
@options.as_json
def command() -> None:
    """Decide the claims of the commit message this project was born from.

    And what goes beyond it. Each with its verdict and the facts behind it; + marks a fact that is as the claim needs it, - one that is not.

    \b
    Exit codes: 0 every verdict as expected; 10 one is not, or a model is at fault; 30 a limit was reached
    first; 2 wrong arguments; 130 interrupted.

    \b
    Example: check-invariants claims case-2 bandage
    """

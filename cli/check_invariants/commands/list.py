"""`check-invariants list`: the tables that the other commands take names from."""

from __future__ import annotations

import click

from check_invariants import options
from check_invariants.deferred import Deferred


@click.command("list", cls=Deferred)
@click.argument("what", type=click.Choice(["revisions", "scenarios", "properties", "knobs", "claims"]))
@options.as_json
def command() -> None:
    """List revisions, scenarios, properties, knobs or claims.

    \b
    Exit codes: 0; 2 wrong arguments.

    \b
    Example: check-invariants list knobs
    """

"""`check-invariants list`: the tables that the other commands take names from."""

from __future__ import annotations

import click

from check_invariants import options
from check_invariants.deferred import Deferred


@click.command("list", cls=Deferred)
@click.argument(
    "what", type=click.Choice(["revisions", "scenarios", "properties", "knobs", "claims", "terms", "mitigations"])
)
@options.as_json
def command() -> None:
    """List revisions, scenarios, properties, knobs, claims, terms or mitigations.

    `terms` says what the words and signs mean that the other commands use: W, (w), (a), (b), (c), section, never asked, cost and others.

    \b
    Exit codes: 0; 2 wrong arguments.

    \b
    Example: check-invariants list knobs
    """

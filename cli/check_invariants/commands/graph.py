"""`check-invariants graph`: the graph of all states and steps, for other tools and for the eye."""

from __future__ import annotations

import click

from check_invariants import options
from check_invariants.deferred import Deferred


@click.command("graph", cls=Deferred)
@options.selectors
@click.option(
    "--format",
    "form",
    type=click.Choice(["dot", "graphml", "json", "svg"]),
    help="[default: what the suffix of --output says, or else dot]",
)
@options.output
@options.budget
@options.as_json
def command() -> None:
    """Write the graph of all states and steps.

    DOT, GraphML, and networkx' node-link JSON for up to 5000 states; SVG, drawn by Graphviz, for up to 250.

    \b
    Exit codes: 0 written; 30 too many states for a graph; 150 the model is malformed; 2 wrong arguments,
    the output cannot be written, or Graphviz is missing.

    \b
    Example: check-invariants graph --revision ab27c3b5e7 --format graphml -o ab27.graphml
    """

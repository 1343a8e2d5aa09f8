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
    type=click.Choice(["dot", "graphml", "json", "svg", "png"]),
    help="[default: what the suffix of --output says, or else dot]",
)
@options.output
@click.option(
    "--merge/--states",
    "merge",
    default=None,
    help="Merge states by what matters to a property; or have a node for each.  [default: merged in pictures]",
)
@click.option(
    "--property",
    "item",
    type=options.Named("any property"),
    metavar="PROPERTY",
    help="What states are merged by.  [default: the first one that is violated]",
)
@click.option(
    "--nodes",
    type=click.IntRange(4, 60),
    metavar="N",
    help="Merge them into at most so many nodes.  [default: 20, in pictures fewer if their text would be too small]",
)
@click.option(
    "--trace",
    metavar="FILE|-",
    help="Instead: the states that a trace passes, and where each other action would have led.",
)
@click.option(
    "--model",
    "model_of_trace",
    metavar="MODEL.py:FUNCTION",
    help="What the trace is about, if that is a model of your own; --set gives it parameters.",
)
@options.budget
@options.as_json
def command() -> None:
    """Draw a model or a trace, or write its graph for other tools.

    A node for each state: DOT, GraphML, and networkx' node-link JSON for up to 5000 states; SVG and PNG, drawn by Graphviz, for up to 250.

    With states merged, of up to 100000 states: nodes are states from which the property is safe for good, where its violation can be
    avoided, where it no longer can, and where it has come to it, told apart by the marks that were passed and by what the property reads. An
    arrow is a step of some of the states that a node stands for. The last line says by what they were merged.

    With a trace: its path and its neighbours; in pictures steps are folded, so that there are at most 60 nodes.

    \b
    Exit codes: 0 written; 30 too many states for a graph; 150 the model or the trace is malformed; 14 the
    trace belongs to another model; 2 wrong arguments, the output cannot be written, or Graphviz is missing.

    \b
    Example: check-invariants graph --revision ab27c3b5e7 -o ab27.svg
    """

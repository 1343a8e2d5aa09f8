"""`check-invariants graph`: the graph of all states and steps, for other tools and for the eye."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from check_invariants.exit import LimitReached, MalformedInput
from check_invariants.options import json_option, selectors
from check_invariants.output import STDOUT, document, write_to

if TYPE_CHECKING:
    import networkx as nx

    from draincheck.system import TransitionSystem

__all__ = ["command"]


@click.command("graph")
@selectors
@click.option("--format", "form", type=click.Choice(["dot", "graphml", "json", "svg"]), help="[default: dot]")
@click.option("-o", "--output", default=STDOUT, metavar="FILE|-", help="Where to write it.  [default: standard output]")
@json_option
def command(form: str | None, output: str, as_json: bool, **selectors: Any) -> None:
    """Write the graph of all states and steps.

    DOT, GraphML, and networkx' node-link JSON for up to 5000 states; SVG, drawn by Graphviz, for up to 250.

    \b
    Exit codes: 0 written; 30 too many states for a graph; 150 the model is malformed; 2 wrong arguments,
    the output cannot be written, or Graphviz is missing.

    \b
    Example: check-invariants graph --revision ab27c3b5e7 --format graphml -o ab27.graphml
    """
    from check_invariants.judge import compiled
    from check_invariants.selection import select
    from draincheck.errors import ModelError

    if as_json and form not in (None, "json"):
        raise click.UsageError(f"--json and --format {form} exclude each other")
    form = "json" if as_json else form or "dot"
    selected = select(**selectors)
    system = compiled(selected)
    try:
        _check_size(system, form)
        write_to(output, _written(system, form))
    except ModelError as error:
        raise MalformedInput(f"{selected.title}: {error}") from error


def _check_size(system: TransitionSystem, form: str) -> None:
    """Raise LimitReached for a graph that nobody could read."""
    from draincheck.analysis.transition_graph import MAX_DRAWN, MAX_NODES
    from draincheck.engines.explicit import explore
    from draincheck.verdict import Limits

    limit = MAX_DRAWN if form == "svg" else MAX_NODES
    found = explore(system, Limits(states=MAX_NODES + 1)).statistics.states
    if found > limit:
        size = f"more than {MAX_NODES}" if found > MAX_NODES else str(found)
        other = "write --format dot, graphml or json, or " if form == "svg" and found <= MAX_NODES else ""
        raise LimitReached(
            f"{system.name} has {size} reachable states, and {form} is for at most {limit}; {other}choose a smaller scenario or model"
        )


def _written(system: TransitionSystem, form: str) -> str | bytes:
    """The graph in a format. Raises UsageError if it cannot be drawn here."""
    from draincheck.analysis.transition_graph import transition_graph
    from draincheck.errors import DrawingError
    from draincheck.report.graphs import to_dot, to_graphml, to_svg

    graph = transition_graph(system)
    try:
        match form:
            case "dot":
                return to_dot(graph)
            case "graphml":
                return to_graphml(graph)
            case "svg":
                return to_svg(graph)
            case _:
                return _json(graph)
    except DrawingError as error:
        raise click.UsageError(str(error)) from error


def _json(graph: nx.MultiDiGraph[int]) -> str:
    from draincheck.report.graphs import to_node_link

    return json.dumps(document("graph", to_node_link(graph)), indent=2) + "\n"

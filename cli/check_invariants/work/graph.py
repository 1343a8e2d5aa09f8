"""`check-invariants graph`: what it does and shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click

from check_invariants.exit import ExitCode, LimitReached
from check_invariants.files import check_output, write_to
from check_invariants.judge import compiled, meaningful
from check_invariants.output import json_text
from check_invariants.selection import select
from draincheck import Limits, TransitionSystem
from draincheck.analysis.transition_graph import MAX_DRAWN, MAX_NODES, transition_graph
from draincheck.engines.explicit import explore
from draincheck.errors import DrawingError
from draincheck.report.graphs import to_dot, to_graphml, to_node_link, to_svg

if TYPE_CHECKING:
    import networkx as nx

    from check_invariants.selectors import Selectors


_FORMATS: Mapping[str, Callable[[nx.MultiDiGraph[int]], str | bytes]] = {
    "dot": to_dot,
    "graphml": to_graphml,
    "json": lambda graph: json_text("graph", {**to_node_link(graph)}),
    "svg": to_svg,
}


def command(form: str | None, output: str, as_json: bool, **selectors: Unpack[Selectors]) -> ExitCode:
    """Write the graph in a format: the one that is named, or that the file's suffix means."""
    if as_json and form not in (None, "json"):
        raise click.UsageError(f"--json and --format {form} exclude each other")
    suffix = Path(output).suffix.removeprefix(".").lower()
    form = "json" if as_json else form or (suffix if suffix in _FORMATS else "dot")
    selected = select(**selectors)
    check_output(output)
    system = compiled(selected)
    try:
        with meaningful(selected.title):
            _check_size(system, form)
            write_to(output, _FORMATS[form](transition_graph(system)))
    except DrawingError as error:
        raise click.UsageError(str(error)) from error
    return ExitCode.OK


def _check_size(system: TransitionSystem, form: str) -> None:
    """Raise LimitReached for a graph that nobody could read."""
    limit = MAX_DRAWN if form == "svg" else MAX_NODES
    found = explore(system, Limits(states=MAX_NODES + 1)).statistics.states
    if found > limit:
        size = f"more than {MAX_NODES}" if found > MAX_NODES else str(found)
        other = "write --format dot, graphml or json, or " if form == "svg" and found <= MAX_NODES else ""
        raise LimitReached(
            f"{system.name} has {size} reachable states, and {form} is for at most {limit}; {other}choose a smaller scenario or model"
        )

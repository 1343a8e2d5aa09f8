"""Graphs of networkx as files: any as GraphML and node-link JSON, transition graphs (`draincheck.analysis.transition_graph`) as DOT and SVG, too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from io import BytesIO
from xml.etree.ElementTree import Element

import networkx as nx
from networkx.readwrite.graphml import GraphMLWriter

from draincheck.analysis.transition_graph import MAX_DRAWN, RESERVED, refuse_above
from draincheck.escape import escaped
from draincheck.jsonvalue import Json
from draincheck.report.dot import attributes, draw_svg, quoted
from draincheck.sorts import Value
from draincheck.words import assigned

__all__ = ["to_dot", "to_graphml", "to_node_link", "to_svg"]

# -- DOT and SVG ----------------------------------------------------------------------------------


def to_dot(graph: nx.MultiDiGraph[int]) -> str:
    """The graph in Graphviz' language.

    A node shows its number and the values that differ from those of node 0. Initial states have a double frame,
    violating ones are red, deadlocks orange, final states grey. Marked edges are bold and show their letters; edges on
    which an assertion fails are red.
    """
    lines = [
        f"digraph {quoted(str(graph.graph.get('name', '')))} {{",
        '  node [shape=box, style="rounded,filled", fillcolor=white, fontname="monospace", fontsize=10];',
        '  edge [fontname="monospace", fontsize=9];',
        *_dot_nodes(graph),
        *_dot_edges(graph),
        "}",
    ]
    return "\n".join(lines) + "\n"


def to_svg(graph: nx.MultiDiGraph[int]) -> str:
    """A picture of the graph. Raises GraphTooLarge above MAX_DRAWN states, and DrawingError as `draw_svg` does."""
    refuse_above(len(graph), MAX_DRAWN, str(graph.graph.get("name", "the system")))
    return draw_svg(to_dot(graph))


def _dot_nodes(graph: nx.MultiDiGraph[int]) -> Iterator[str]:
    first = graph.nodes[0]
    for node, values in graph.nodes(data=True):
        changed = [
            assigned(name, value) for name, value in values.items() if name not in RESERVED and value != first[name]
        ]
        label = "\n".join([str(node), *changed])
        yield f"  {node} [{attributes({'label': label, **_node_style(values)})}];"


def _node_style(node: Mapping[str, Value]) -> dict[str, str]:
    style: dict[str, str] = {}
    if node["initial"]:
        style["peripheries"] = "2"
    if node["final"]:
        style["fillcolor"] = "gray85"
    if node["bound"]:
        style["style"] = "rounded,filled,dashed"
    if node["deadlock"]:
        style["fillcolor"] = "orange"
    if node["violates"]:
        style |= {"fillcolor": "salmon", "tooltip": f"violates {node['violates']}"}
    return style


def _dot_edges(graph: nx.MultiDiGraph[int]) -> Iterator[str]:
    for source, target, edge in graph.edges(data=True):
        yield f"  {source} -> {target} [{attributes(_edge_style(edge))}];"


def _edge_style(edge: Mapping[str, Value]) -> dict[str, str]:
    style = {"label": f"{edge['process']}: {edge['label']}"}
    if edge["marks"]:
        style = {"label": f"({edge['marks']}) {style['label']}", "style": "bold", "penwidth": "2"}
    if edge["violates"]:
        style |= {"color": "red", "tooltip": f"violates {edge['violates']}"}
    return style


# -- GraphML and JSON -----------------------------------------------------------------------------


def to_graphml(graph: nx.MultiDiGraph[int]) -> bytes:
    """The graph as GraphML (UTF-8), with edge ids `e0`, `e1`, ...; read with `node_type=int, force_multigraph=True`.

    Empty text is left out: readers do not tell it from an absent attribute.
    """
    # Named explicitly: networkx' own choice is another writer, with another output, where lxml happens to be installed.
    writer = GraphMLWriter(encoding="utf-8", prettyprint=True)
    writer.add_graph_element(_with_edge_ids(graph))
    _spell_truth_values(writer)
    out = BytesIO()
    writer.dump(out)
    return out.getvalue() + b"\n"


def to_node_link(graph: nx.MultiDiGraph[int]) -> dict[str, Json]:
    """The graph as JSON values, as networkx' `node_link_graph(..., edges="edges")` reads them."""
    return nx.node_link_data(graph, edges="edges")


def _with_edge_ids(graph: nx.MultiDiGraph[int]) -> nx.MultiDiGraph[int]:
    """A copy with edge keys, which become ids in GraphML, that are unique in the whole graph, and text fit for XML."""
    copy: nx.MultiDiGraph[int] = nx.MultiDiGraph()
    copy.graph.update(_clean(graph.graph))
    for node, values in graph.nodes(data=True):
        copy.add_node(node, **_clean(values))
    for number, (source, target, values) in enumerate(graph.edges(data=True)):
        copy.add_edge(source, target, key=f"e{number}", **_clean(values))
    return copy


def _clean(values: Mapping[str, Value]) -> dict[str, Value]:
    return {escaped(k): escaped(v) if isinstance(v, str) else v for k, v in values.items() if v != ""}


def _spell_truth_values(writer: GraphMLWriter) -> None:
    """Write truth values as XML Schema does, in small letters; networkx writes them as Python does."""
    root: Element = writer.xml
    keys = {key.get("id") for key in root.iter("key") if key.get("attr.type") == "boolean"}
    for data in root.iter("data"):
        if data.get("key") in keys:
            data.text = str(data.text).lower()

"""Quotients of transition graphs (see `draincheck.analysis.quotient`) as pictures: coloured by what becomes of the property, with a legend."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping
from typing import Final

import networkx as nx

from draincheck.analysis.quotient import LEAST_MERGED, USUAL_MERGED, Quotient, quotient_graph
from draincheck.analysis.state_story import StateStory
from draincheck.report.dot import attributes, draw_svg
from draincheck.report.picture import (
    FATES,
    FILLS,
    NO_RETURN,
    VIOLATION,
    cut,
    edge_cell,
    fate_cell,
    heading,
    is_legible,
    legend,
    opening,
    titles,
    two_lines,
)
from draincheck.sorts import Value
from draincheck.words import counted

__all__ = ["legible_quotient", "quotient_dot"]

#: nodes of quotients that are drawn, until one can be read
TRIED: Final = (USUAL_MERGED, 15, 11, 8, 6, LEAST_MERGED)

#: what an edge of each kind looks like, and what the legend says of it; the first that applies
EDGES: Final = {"violates": (VIOLATION, "a step that violates it"), "no_return": (NO_RETURN, "the point of no return")}

#: characters of a line in a node, and at an edge; lines at an edge
NODE_WIDTH, EDGE_WIDTH, EDGE_LINES = 34, 28, 4


def legible_quotient(story: StateStory) -> nx.MultiDiGraph[int]:
    """The finest quotient whose picture can be read on a screen; if there is none, the coarsest. Raises DrawingError as `draw_svg` does."""
    graph = quotient_graph(Quotient.of(story))
    for most in TRIED:
        if len(graph) > most:
            graph = quotient_graph(Quotient.of(story, most))
        if is_legible(draw_svg(quotient_dot(graph))):
            break
    return graph


def quotient_dot(graph: nx.MultiDiGraph[int]) -> str:
    """The quotient in Graphviz' language."""
    lines = [
        *opening(str(graph.graph["name"]), _rows(graph)),
        '  start [shape=point, width=0.15, label=""];',
        *_nodes(graph),
        *_edges(graph),
        "}",
    ]
    return "\n".join(lines) + "\n"


# -- heading ----------------------------------------------------------------------------------------


def _rows(graph: nx.MultiDiGraph[int]) -> Iterator[str]:
    """What the picture shows, and what its signs mean."""
    told = graph.graph
    yield from titles(told)
    yield from heading(f"{counted(told['states'], 'state')} merged into {counted(len(graph), 'node')}")
    yield from legend(_fate_cells(graph))
    yield from legend(_edge_cells(graph))
    inside = "↻ steps inside a node; " if any(graph.has_edge(node, node) for node in graph) else ""
    yield from heading(f"{inside}values where they differ from the first node's")
    yield from heading("an arrow is a step of some of the states that a node stands for")
    yield from heading(f"no colours: {told['untold']}" if told["untold"] else "")


def _fate_cells(graph: nx.MultiDiGraph[int]) -> Iterator[str]:
    """A cell for each fate, with how many states have it."""
    sizes = Counter[str]()
    for _, node in graph.nodes(data=True):
        sizes[str(node["fate"])] += int(node["states"])
    yield from (fate_cell(fate, f"{sizes[fate]} {words}") for fate, words in FATES.items() if sizes[fate])


def _edge_cells(graph: nx.MultiDiGraph[int]) -> Iterator[str]:
    """A cell for each kind of edge that is there."""
    shown = {_kind(edge) for _, _, edge in graph.edges(data=True)}
    yield from (edge_cell(*EDGES[kind]) for kind in EDGES if kind in shown)


def _kind(edge: Mapping[str, Value]) -> str:
    """The first kind of note that an edge is of, "" for others."""
    return next((kind for kind in EDGES if edge[kind]), "")


# -- nodes and edges --------------------------------------------------------------------------------


def _nodes(graph: nx.MultiDiGraph[int]) -> Iterator[str]:
    first = _lines(graph.nodes[0]["text"])
    for node, values in graph.nodes(data=True):
        known = first if node else ()
        yield f"  {node} [{attributes(_node(values, known, graph.has_edge(node, node)))}];"
        if values["initial"]:
            yield f"  start -> {node};"


def _lines(text: Value) -> list[str]:
    return [line for line in str(text).split("\n") if line]


def _node(values: Mapping[str, Value], known: Container[str], inside: bool) -> dict[str, str]:
    passed = " ".join(f"({mark})" for mark in str(values["passed"]).split(",") if mark)
    lines = [f"after {passed}"] if passed else []
    lines += [line for line in _lines(values["text"]) if line not in known]
    lines += [*_standing(values), counted(int(values["states"]), "state") + " ↻" * inside]
    style = {"label": "\n".join(cut(line, NODE_WIDTH) for line in lines), "tooltip": str(values["text"]) or lines[-1]}
    if values["fate"]:
        style["fillcolor"] = FILLS[str(values["fate"])]
    if values["initial"]:
        style["peripheries"] = "2"
    if values["violates"] or values["stays"]:
        style |= {"color": VIOLATION["color"], "penwidth": "3"}
    return style


def _standing(values: Mapping[str, Value]) -> Iterator[str]:
    """What is so of some of its states and ends or cuts short what can be seen."""
    if values["deadlock"]:
        yield "nothing moves in some"
    if values["bound"]:
        yield "goes on behind a bound"
    if values["stays"]:
        yield "a run stays here for ever"


def _edges(graph: nx.MultiDiGraph[int]) -> Iterator[str]:
    for source, target, edge in graph.edges(data=True):
        if edge["violates"] and not _is_red(graph.nodes[target]):
            yield from _violation(source, target, edge)
        elif source != target:
            yield f"  {source} -> {target} [{attributes(_edge(edge))}];"


def _is_red(node: Mapping[str, Value]) -> bool:
    return bool(node["violates"]) or node["fate"] == "violated"


def _violation(source: int, target: int, edge: Mapping[str, Value]) -> Iterator[str]:
    """A step that violates the property on its way to states that can be had without that: the violation is a node of its own."""
    between = f"violated_{source}_{target}"
    style = {
        "label": "violated",
        "shape": "octagon",
        "style": "filled",
        "fillcolor": FILLS["violated"],
        "color": VIOLATION["color"],
    }
    yield f"  {between} [{attributes(style)}];"
    yield f"  {source} -> {between} [{attributes(_edge(edge))}];"
    yield f"  {between} -> {target} [{attributes({'color': VIOLATION['color'], 'style': 'dashed'})}];"


def _edge(edge: Mapping[str, Value]) -> dict[str, str]:
    style = EDGES[_kind(edge)][0] if _kind(edge) else {}
    label = "\n".join(_shown(_lines(edge["labels"])))
    return {"label": label, "tooltip": str(edge["labels"]), **style}


def _shown(labels: list[str]) -> Iterator[str]:
    """The first of some labels in a few short lines, and how many others there are."""
    left = EDGE_LINES
    for number, label in enumerate(labels):
        lines, others = two_lines(label, EDGE_WIDTH), len(labels) - number
        if len(lines) + (others > 1) > left:
            yield f"and {others} more"
            return
        yield from lines
        left -= len(lines)

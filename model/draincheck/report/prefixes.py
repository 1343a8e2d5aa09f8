"""How far a window of a log is a run of a model, and how it ends: all that the model may have done, in words and as a picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Final

import networkx as nx

from draincheck.qemulog.candidates import PrefixEdge, PrefixNode, Refusal
from draincheck.qemulog.shown import Sign
from draincheck.qemulog.validation import Validation
from draincheck.report.dot import attributes
from draincheck.report.picture import VIOLATION, cut, heading, opening, two_lines
from draincheck.words import assigned, counted, listed

__all__ = ["prefix_dot", "prefix_graph", "refusal_words"]

#: characters of a line, and lines of a refusal, in the picture
WIDTH: Final = 46
LINES = 6


def refusal_words(refusal: Refusal, instead: Sequence[Sign]) -> str:
    """Why a model does not show what comes next, in one sentence; `instead`: what it can show there."""
    if not refusal.process:
        shows = listed([one.value for one in instead])
        return f"no step that shows it lies ahead{f' before {shows}' if shows else ''}"
    if refusal.shows:
        return f"{refusal.process}: {refusal.label} shows at once: {', then '.join(one.value for one in refusal.shows)}"
    values = ", ".join(assigned(name, value) for name, value in refusal.values.items())
    return f"{refusal.process}: {refusal.label} is refused: {' and '.join(refusal.unmet)} is false, with {values}"


def prefix_graph(found: Validation, title: str) -> nx.MultiDiGraph[int]:
    """The ways to the end of the longest part of a window that a model shows, and why it ends there. `found` is of a window that is no run."""
    assert found.prefixes is not None
    graph: nx.MultiDiGraph[int] = nx.MultiDiGraph(name=title, events=_events(found), accepted=found.accepted)
    for number, node in enumerate(found.prefixes.nodes):
        graph.add_node(number, kind="prefix", text=_node_text(node, found), states=node.states, refused="")
    ends = _ends(found)
    for number, (states, text) in enumerate(ends, len(graph)):
        graph.add_node(
            number, kind="candidate", text=counted(states, "state") if states else "", states=states, refused=text
        )
    for edge in found.prefixes.edges:
        graph.add_edge(
            edge.source, edge.target, shows=", ".join(one.name.lower() for one in edge.shows), text=_edge_text(edge)
        )
    first = len(found.prefixes.nodes)
    for number, node in enumerate(found.prefixes.nodes):
        for candidate in node.ends:
            graph.add_edge(number, first + candidate, shows="", text="")
    return graph


def _events(found: Validation) -> str:
    return "\n".join(one.what.value for one in found.observed)


def _ends(found: Validation) -> list[tuple[int, str]]:
    """The candidates, and all that are not told apart: how many states, and why."""
    assert found.prefixes is not None
    told = [(each.states, refusal_words(each.refusal, found.next)) for each in found.candidates]
    others = found.prefixes.others
    return [*told, (0, f"{counted(others, 'other candidate')}")] if others else told


def _node_text(node: PrefixNode, found: Validation) -> str:
    after = f"after {node.first}" if node.first == node.last else f"after {node.first} to {node.last}"
    last = found.observed[node.last - 1].what.value if node.last else "nothing yet"
    may = listed([str(number + 1) for number in node.candidates], "or")
    return f"{after}: {last}\n{counted(node.states, 'state')}; can become {may}"


def _edge_text(edge: PrefixEdge) -> str:
    more = edge.kinds - len(edge.labels)
    return "\n".join([*edge.labels, *([f"and {counted(more, 'other step')}"] if more else [])])


# -- as a picture


def prefix_dot(graph: nx.MultiDiGraph[int]) -> str:
    """The graph in Graphviz' language."""
    return "\n".join([*opening(str(graph.graph["name"]), _rows(graph)), *_lines(graph), "}"]) + "\n"


def _rows(graph: nx.MultiDiGraph[int]) -> Iterator[str]:
    told = graph.graph
    yield from heading(str(told["name"]))
    events, accepted = str(told["events"]).split("\n"), int(told["accepted"])
    yield from heading(f"{accepted} of {counted(len(events), 'event')} are shown; what the log shows next:")
    yield from heading(events[accepted] if accepted < len(events) else "its end")
    yield from heading(
        "boxes: states that the model may have been in; red: why it does not go on; which one it was the log does not say"
    )


def _lines(graph: nx.MultiDiGraph[int]) -> Iterator[str]:
    number = 0
    for node, values in graph.nodes(data=True):
        number += values["kind"] == "candidate"
        yield f"  {node} [{attributes(_style(values, number))}];"
    for source, target, edge in graph.edges(data=True):
        label = "\n".join(line for step in str(edge["text"]).split("\n") if step for line in two_lines(step, WIDTH))
        bold = {"penwidth": "2.5"} if edge["shows"] else {}
        yield f"  {source} -> {target} [{attributes({'label': label, **bold})}];"


def _style(values: Mapping[str, object], number: int) -> dict[str, str]:
    if values["kind"] == "prefix":
        return {"label": str(values["text"])}
    words = [str(values["text"]), *_wrapped(f"{number}. {values['refused']}")]
    return {
        "label": "\n".join(filter(None, words)),
        "tooltip": str(values["refused"]),
        "color": VIOLATION["color"],
        "penwidth": "3",
    }


def _wrapped(text: str) -> list[str]:
    lines = wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False)
    return [cut(line, WIDTH + 8) for line in (lines if len(lines) <= LINES else [*lines[: LINES - 1], "…"])]

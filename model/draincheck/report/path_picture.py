"""A trace with its neighbours (see `draincheck.analysis.neighbourhood`) as a picture: its path downwards, beside it what else could be done.

Of a long trace steps are folded, so that no more than `MOST` nodes are drawn: first those of a process that goes on with what it does, then all
but those with marks, those that violate the property, and those after which its fate is another one; in the end all but the last of these.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import networkx as nx

from draincheck.analysis.neighbourhood import PATH_RESERVED
from draincheck.report.dot import attributes, quoted
from draincheck.report.picture import (
    FATES,
    FILLS,
    NO_RETURN,
    VIOLATION,
    cut,
    edge_cell,
    fate_cell,
    heading,
    legend,
    opening,
    titles,
    two_lines,
)
from draincheck.sorts import Value
from draincheck.words import assigned, counted

__all__ = ["MOST", "path_dot"]

#: the most nodes that are drawn, and the most neighbours of one state, whose others are one node more
MOST, NEIGHBOURS = 60, 4

#: so many steps can be kept whatever is beside them: each has two ends, as the whole trace has
FEWEST: Final = MOST // (2 * (NEIGHBOURS + 2)) - 1

#: how a step of the trace looks otherwise
TAKEN: Final = {"penwidth": "2"}

#: what the legend says of the steps of a trace
STEPS: Final = ((VIOLATION, "a step that violates it"), (NO_RETURN, "the point of no return"))

#: characters of a line; lines in a node
WIDTH, LINES = 30, 5


Told = Mapping[str, Value]


def path_dot(graph: nx.MultiDiGraph[int]) -> str:
    """The picture in Graphviz' language."""
    path = _Path(graph)
    drawings = [_Drawing(path, kept) for kept in path.foldings()]
    drawing = next((each for each in drawings if each.size <= MOST), drawings[-1])
    return "\n".join([*opening(str(graph.graph["name"]), drawing.rows()), *drawing.lines(), "}"]) + "\n"


def _numbers(text: Value) -> list[int]:
    return [int(each) for each in str(text).split(",") if each]


class _Path:
    """The trace in its graph.

    Attributes:
        graph: the graph.
        nodes: where the trace is after each number of steps.
        steps: the edges that its steps take, by their numbers.
    """

    def __init__(self, graph: nx.MultiDiGraph[int]) -> None:
        self.graph = graph
        at = {position: node for node, values in graph.nodes(data=True) for position in _numbers(values["at"])}
        self.nodes = [at[position] for position in sorted(at)]
        self.steps = {n: edge for _, _, edge in graph.edges(data=True) for n in _numbers(edge["step"])}
        self._broken = min((n for n, edge in self.steps.items() if self.is_bad(edge)), default=len(at))

    def values(self, node: int) -> Told:
        """What a node carries."""
        return self.graph.nodes[node]

    def is_bad(self, told: Told) -> bool:
        """Whether what a node or an edge violates has the trace's property in it."""
        name = self.graph.graph["property"]
        return bool(name) and f",{name}," in f",{told['violates']},"

    def fate(self, node: int) -> str:
        """What becomes of the property from a node on, whatever was before; where the trace has come by a step that violates it, that."""
        positions = _numbers(self.values(node)["at"])
        return "violated" if positions and min(positions) >= self._broken else str(self.values(node)["fate"])

    def is_no_return(self, before: int, after: int) -> bool:
        """Whether the violation can be avoided at one node, and not at the other."""
        return self.values(before)["fate"] == "avoidable" and self.values(after)["fate"] in ("doomed", "violated")

    def foldings(self) -> Iterator[list[int]]:
        """Which steps are kept, in the end as few as there may be."""
        weights = {step: self._weight(step) for step in sorted(self.steps)}
        for least in (1, 2, 3):
            yield [step for step, weight in weights.items() if weight >= least]
        yield [step for step, weight in weights.items() if weight == 3][-FEWEST:]

    def _weight(self, step: int) -> int:
        """How much a step tells."""
        edge, before = self.steps[step], self.steps.get(step - 1)
        fates = {self.values(self.nodes[position])["fate"] for position in (step - 1, step)}
        if edge["marks"] or edge["violates"] or len(fates) > 1:
            return 3
        return 2 if before is None or before["process"] != edge["process"] or step == len(self.steps) else 1


class _Drawing:
    """The picture with some of the steps.

    Attributes:
        size: how many nodes it has.
    """

    def __init__(self, path: _Path, kept: Sequence[int]) -> None:
        self._path = path
        self._positions = sorted({0, len(path.nodes) - 1, *(end for step in kept for end in (step - 1, step))})
        self._on_path = {path.nodes[position]: position for position in reversed(self._positions)}
        self._beside = {node: self._others(node) for node in self._on_path}
        beside = [(way[0], node) for node, ways in self._beside.items() for way in ways[:NEIGHBOURS]]
        self._targets = {target: node for target, node in reversed(beside) if target not in self._on_path}
        self._more = {node: len(ways) - NEIGHBOURS for node, ways in self._beside.items() if len(ways) > NEIGHBOURS}
        self.size = len(self._on_path) + len(self._targets) + len(self._more)

    def _others(self, node: int) -> list[tuple[int, Told]]:
        """What else can be done at a node, and where that leads: first what is best."""
        ways = [(t, edge) for _, t, edge in self._path.graph.edges(node, data=True) if not edge["step"]]
        order = ["", *FATES]
        return sorted(ways, key=lambda way: order.index(str(self._path.values(way[0])["fate"])))

    def rows(self) -> Iterator[str]:
        """The rows of the heading."""
        told = self._path.graph.graph
        yield from titles(told)
        folded = "; several at once where an arrow is dotted" if len(self._positions) < len(self._path.nodes) else ""
        yield from heading(f"a trace of {counted(told['steps'], 'step')}{folded}")
        yield from legend(self._fate_cells())
        yield from legend(self._step_cells())
        yield from heading("dashed: what else could be done, and where that leads")

    def _fate_cells(self) -> Iterator[str]:
        nodes = [*self._on_path, *self._targets]
        fates = {self._path.fate(node) for node in nodes}
        yield from (fate_cell(fate, words) for fate, words in FATES.items() if fate in fates)

    def _step_cells(self) -> Iterator[str]:
        styles = [self._style(*ends) for ends in self._steps()]
        yield from (edge_cell(style, words) for style, words in STEPS if style in styles)

    def lines(self) -> Iterator[str]:
        """Nodes and edges."""
        before = None
        for position in self._positions:
            node = self._path.nodes[position]
            if self._on_path[node] == position:
                yield f"  {node} [{attributes(self._node(node, before) | _first(position))}];"
            before = node
        for node, origin in self._targets.items():
            style = {"style": "rounded,filled,dashed", "color": "gray40"}
            yield f"  {node} [{attributes(self._node(node, origin) | style)}];"
        yield from self._path_edges()
        for node in self._on_path:
            yield from self._neighbour_edges(node)

    def _node(self, node: int, before: int | None) -> dict[str, str]:
        """How a node looks that comes after another one: what has changed since then."""
        values = self._path.values(node)
        at = _numbers(values["at"])
        lines = [] if not at else ["start"] if at == [0] else [f"after {', '.join(map(str, at))}"]
        lines += [] if before is None else _changes(self._path.values(before), values)
        lines += ["nothing moves"] * bool(values["deadlock"]) + ["goes on behind a bound"] * bool(values["bound"])
        lines = lines or ["values as before"]
        style = {"label": "\n".join(cut(line, WIDTH) for line in lines), "tooltip": "\n".join(_told(values))}
        style |= {"fillcolor": FILLS[fate]} if (fate := self._path.fate(node)) else {}
        return style | ({"color": VIOLATION["color"], "penwidth": "3"} if self._path.is_bad(values) else {})

    def _steps(self) -> Iterator[tuple[int, int]]:
        """The pairs of positions that follow each other in the picture."""
        yield from zip(self._positions, self._positions[1:], strict=False)

    def _style(self, first: int, last: int) -> Mapping[str, str]:
        """How what leads from one position to another looks."""
        nodes, edges = self._path.nodes, [self._path.steps[n] for n in range(first + 1, last + 1)]
        if any(map(self._path.is_bad, edges)) or self._comes_to_it(first, last):
            return VIOLATION
        return NO_RETURN if self._path.is_no_return(nodes[first], nodes[last]) else TAKEN

    def _comes_to_it(self, first: int, last: int) -> bool:
        """Whether the property is violated at the second of two positions, and not at the first."""
        ends = [self._path.values(self._path.nodes[position]) for position in (first, last)]
        return [self._path.is_bad(values) or values["fate"] == "violated" for values in ends] == [False, True]

    def _path_edges(self) -> Iterator[str]:
        nodes = self._path.nodes
        for first, last in self._steps():
            style = {"weight": "20", **self._style(first, last), **({} if last == first + 1 else {"style": "dotted"})}
            label = "\n".join(self._label(first, last))
            yield f"  {nodes[first]} -> {nodes[last]} [{attributes({'label': label, **style})}];"

    def _label(self, first: int, last: int) -> list[str]:
        steps = [self._path.steps[n] for n in range(first + 1, last + 1)]
        if len(steps) == 1:
            return two_lines(f"{last} {steps[0]['said']}", WIDTH)
        who = Counter(str(edge["process"]) for edge in steps)
        told = ", ".join(f"{name} {number}" for name, number in who.items())
        return [f"{first + 1} to {last}", *two_lines(told, WIDTH)]

    def _neighbour_edges(self, node: int) -> Iterator[str]:
        for target, edge in self._beside[node][:NEIGHBOURS]:
            style = {"label": "\n".join(two_lines(str(edge["said"]), WIDTH)), "style": "dashed", "color": "gray40"}
            style |= {"color": VIOLATION["color"]} if self._path.is_bad(edge) else {}
            yield f"  {node} -> {target} [{attributes(style)}];"
        if more := self._more.get(node):
            yield f'  more{node} [shape=plain, style="", label={quoted(f"and {more} more")}];'
            yield f"  {node} -> more{node} [style=dashed, color=gray40];"


def _first(position: int) -> dict[str, str]:
    """How the first state looks besides."""
    return {"group": "path"} | ({} if position else {"peripheries": "2"})


def _told(values: Told) -> list[str]:
    """The values of the variables."""
    return [assigned(name, value) for name, value in values.items() if name not in PATH_RESERVED]


def _changes(before: Told, after: Told) -> list[str]:
    """What is otherwise than before, in a few lines."""
    known = set(_told(before))
    found = [line for line in _told(after) if line not in known]
    return found if len(found) <= LINES else [*found[: LINES - 1], f"and {len(found) - LINES + 1} more"]

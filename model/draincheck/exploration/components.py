"""Strongly connected components, and those in which a fair run can stay for ever.

The states that an infinite run visits again and again, and the edges it takes again and again, are strongly connected. So
an infinite fair run inside a set of states exists exactly if the set has a strongly connected part that is fair:
for each weak assumption it takes one of the actions or has a state that enables none; for each strong one it takes one of
the actions or has no state that enables any. A component that fails only strong assumptions is searched again without the
states that enable their actions (the condition of Streett automata; Emerson and Lei 1987).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from draincheck.budget import look

if TYPE_CHECKING:
    from draincheck.exploration.graph import Edge

__all__ = ["FairGraph", "components", "fair_components"]

#: states between two looks at the budget
PIECE = 4096


class FairGraph(Protocol):
    """What is needed of a graph; `StateGraph` says what each attribute means."""

    grants: list[int]
    weak: int
    strong: int

    @property
    def edges(self) -> Sequence[Sequence[Edge]]:
        """For each state its outgoing edges."""
        ...

    @property
    def enabled(self) -> Sequence[int]:
        """For each state the assumptions of which it enables an action."""
        ...


def components(edges: Sequence[Sequence[Edge]], inside: Collection[int]) -> Iterator[list[int]]:
    """The strongly connected components of the part of a graph that is `inside`, those without an edge left out."""
    search = _Tarjan(edges, frozenset(inside))
    for root in inside:
        if root not in search.index:
            yield from search.visit(root)


class _Tarjan:
    """Tarjan's algorithm, with a stack of its own instead of recursion: paths are as long as there are states."""

    def __init__(self, edges: Sequence[Sequence[Edge]], allowed: frozenset[int]) -> None:
        self.edges, self.allowed = edges, allowed
        #: when each node was entered
        self.index: dict[int, int] = {}
        #: for nodes that belong to no closed component yet: the earliest of them known to be reachable
        self.low: dict[int, int] = {}
        self.path: list[int] = []
        self.calls: list[tuple[int, Iterator[int]]] = []

    def visit(self, root: int) -> Iterator[list[int]]:
        """The components of what can be reached from a node and has not been entered before."""
        self._enter(root)
        while self.calls:
            node, targets = self.calls[-1]
            for target in targets:
                if target not in self.index:
                    self._enter(target)
                    break
                self._reaches(node, target)
            else:
                yield from self._leave(node)

    def _enter(self, node: int) -> None:
        if len(self.index) % PIECE == 0:
            look()
        self.index[node] = self.low[node] = len(self.index)
        self.path.append(node)
        self.calls.append((node, (target for _, target in self.edges[node] if target in self.allowed)))

    def _reaches(self, node: int, target: int) -> None:
        self.low[node] = min(self.low[node], self.low.get(target, self.low[node]))

    def _leave(self, node: int) -> Iterator[list[int]]:
        """All successors have been looked at: go back, and close the component of which the node was the first."""
        self.calls.pop()
        if self.calls:
            self._reaches(self.calls[-1][0], node)
        if self.low[node] == self.index[node]:
            members = self._close(node)
            if len(members) > 1 or any(target == node for _, target in self.edges[node]):
                yield members

    def _close(self, first: int) -> list[int]:
        members: list[int] = []
        while not members or members[-1] != first:
            members.append(self.path.pop())
            del self.low[members[-1]]
        return members


def fair_components(graph: FairGraph, inside: Collection[int]) -> Iterator[frozenset[int]]:
    """The largest strongly connected parts of `inside` that are fair."""
    todo: list[Collection[int]] = [inside]
    while todo:
        for members in components(graph.edges, todo.pop()):
            component = frozenset(members)
            starved, barred = _neglected(graph, component)
            if barred and not starved:
                todo.append([node for node in members if not graph.enabled[node] & barred])
            elif not starved:
                yield component


def _neglected(graph: FairGraph, component: frozenset[int]) -> tuple[int, int]:
    """The weak and the strong assumptions that a run through all of a component would break."""
    taken, somewhere, everywhere = 0, 0, -1
    for node in component:
        somewhere |= graph.enabled[node]
        everywhere &= graph.enabled[node]
        for action, target in graph.edges[node]:
            if target in component:
                taken |= graph.grants[action]
    return graph.weak & everywhere & ~taken, graph.strong & somewhere & ~taken

"""From a fair component to a run that can be shown: a loop of real edges.

A component is no counterexample: it says that a run may stay inside for ever, not which way round. `fair_loop` finds a shortest way
round from a state back to itself on which every fairness assumption is seen to be kept. What comes of it is executed by the
system's own rules and asked again whether it is fair and avoids what was demanded (`semantics`).
"""

from __future__ import annotations

from collections.abc import Container

from draincheck.budget import look
from draincheck.exploration.components import FairGraph

__all__ = ["fair_loop"]

#: pairs between two looks at the budget
PIECE = 4096

#: a state and what the way to it has seen: assumptions kept for good, and strong ones of which an action was enabled
Node = tuple[int, int, int]


def fair_loop(graph: FairGraph, inside: Container[int], start: int, longest: float) -> tuple[list[int] | None, int]:
    """The actions of a shortest fair way from a state back to itself, and how many (state, seen) pairs were looked at.

    Args:
        graph: the graph.
        inside: the states it may pass.
        start: one of them.
        longest: give up (None) beyond this many actions.
    """
    origin: dict[Node, tuple[Node, int]] = {}
    layer: list[Node] = [(start, 0, 0)]
    length = 0
    while layer and length < longest:
        length += 1
        found: list[Node] = []
        for number, node in enumerate(layer):
            if number % PIECE == 0:
                look()
            for action, target in graph.edges[node[0]]:
                if target not in inside:
                    continue
                after = _seen(graph, node, action, target)
                if after not in origin:
                    origin[after] = (node, action)
                    found.append(after)
                    if target == start and _is_kept(graph, after):
                        return _way(origin, after, length), len(origin)
        layer = found
    return None, len(origin)


def _seen(graph: FairGraph, node: Node, action: int, target: int) -> Node:
    _, kept, owed = node
    enabled = graph.enabled[target]
    return target, kept | graph.grants[action] | (graph.weak & ~enabled), owed | (graph.strong & enabled)


def _is_kept(graph: FairGraph, node: Node) -> bool:
    """Whether a way round with this memory keeps every assumption."""
    _, kept, owed = node
    return not (graph.weak | owed) & ~kept


def _way(origin: dict[Node, tuple[Node, int]], node: Node, length: int) -> list[int]:
    actions: list[int] = []
    for _ in range(length):
        node, action = origin[node]
        actions.append(action)
    return actions[::-1]

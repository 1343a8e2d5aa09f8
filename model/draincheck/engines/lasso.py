"""From a fair component to a run that can be shown: a loop of real edges.

A component is no counterexample: it says that a run may stay inside for ever, not which way round. `fair_loop` finds a shortest way
round from a state back to itself on which every fairness assumption is seen to be kept. There are as many memories of these as sets of them, so
where that takes too long `fair_tour` keeps one after the other. What comes of it is executed by the system's own rules and asked again
whether it is fair and avoids what was demanded (`semantics`).
"""

from __future__ import annotations

from collections.abc import Container
from math import inf

from draincheck.budget import look
from draincheck.exploration.components import FairGraph

__all__ = ["fair_loop", "fair_tour"]

#: pairs between two looks at the budget
PIECE = 4096

#: a state and what the way to it has seen: assumptions kept for good, and strong ones of which an action was enabled
Node = tuple[int, int, int]


def fair_loop(
    graph: FairGraph, inside: Container[int], start: int, longest: float, most: float = inf
) -> tuple[list[int] | None, int]:
    """The actions of a shortest fair way from a state back to itself, and how many (state, seen) pairs were looked at.

    Args:
        graph: the graph.
        inside: the states it may pass.
        start: one of them.
        longest: give up (None) beyond this many actions.
        most: give up beyond this many pairs.
    """
    origin: dict[Node, tuple[Node, int]] = {}
    layer: list[Node] = [(start, 0, 0)]
    length = 0
    while layer and length < longest and len(origin) < most:
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


def fair_tour(graph: FairGraph, inside: Container[int], start: int) -> list[int]:
    """The actions of a fair way from a state back to itself: a shortest one to a step that keeps something, from there to the next, and back.

    Args: as of `fair_loop`; `inside` are the states of a component in which every assumption can be kept.
    """
    node, actions = (start, 0, 0), list[int]()
    while not (node[0] == start and actions and _is_kept(graph, node)):
        for action, target in _next_leg(graph, inside, start, node):
            node = _seen(graph, node, action, target)
            actions.append(action)
    return actions


def _next_leg(graph: FairGraph, inside: Container[int], start: int, node: Node) -> list[tuple[int, int]]:
    """The steps to the nearest one that keeps an assumption which is open; if none is, back to the start."""
    here, kept, owed = node
    missing = (graph.weak | owed) & ~kept
    origin: dict[int, tuple[int, int]] = {}
    todo = [here]
    for number, state in enumerate(todo):
        if number % PIECE == 0:
            look()
        for action, target in graph.edges[state]:
            if target not in inside:
                continue
            _, now, _ = _seen(graph, (state, 0, 0), action, target)
            if now & missing if missing else target == start:
                return [*_leg(origin, here, state), (action, target)]
            if target not in origin and target != here:
                origin[target] = (state, action)
                todo.append(target)
    raise AssertionError("a component keeps what is assumed, and leads back")


def _leg(origin: dict[int, tuple[int, int]], here: int, state: int) -> list[tuple[int, int]]:
    steps: list[tuple[int, int]] = []
    while state != here:
        before, action = origin[state]
        steps.append((action, state))
        state = before
    return steps[::-1]


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

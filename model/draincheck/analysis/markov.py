"""How likely an event is if every enabled action is equally likely: exact, by solving the transition graph's equations.

The uniformly random scheduler is a yardstick, not a model of a real machine: it says how much of the schedule space leads somewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction

import networkx as nx

from draincheck.exploration.graph import StateGraph
from draincheck.semantics.validation import demand_faultless
from draincheck.system import Action, State, TransitionSystem
from draincheck.verdict import NO_LIMITS

__all__ = ["probability"]

#: an outgoing row of the chain: probability of each next node; None stands for the event
_Row = dict[int | None, Fraction]


def probability(system: TransitionSystem, event: Callable[[State, Action], bool]) -> Fraction:
    """The probability, from a uniformly chosen initial state, that some action satisfying `event` is ever taken.

    Exact for finite systems; states are eliminated one strongly connected component after the other, so the cost grows with the cube
    of the largest component at worst. Faults are ignored: use it on systems whose search has met none.
    """
    rows, initial = _chain(system, event)
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(rows)
    graph.add_edges_from((a, b) for a, row in rows.items() for b in row if b is not None)
    solved: dict[int, Fraction] = {}
    for component in nx.strongly_connected_components(graph):  # sinks first
        _solve(rows, component, solved)
    return sum((solved[state] for state in initial), Fraction()) / len(initial)


def _chain(system: TransitionSystem, event: Callable[[State, Action], bool]) -> tuple[dict[int, _Row], range]:
    found = StateGraph(system, (), NO_LIMITS)
    demand_faultless(found.met())
    rows: dict[int, _Row] = {}
    for here, edges in enumerate(found.edges):
        state = found.state(here)
        rows[here] = _uniform([None if event(state, system.actions[index]) else after for index, after in edges])
    return rows, found.roots


def _uniform(targets: list[int | None]) -> _Row:
    row: _Row = {}
    for target in targets:
        row[target] = row.get(target, Fraction()) + Fraction(1, len(targets))
    return row


def _solve(rows: dict[int, _Row], component: Iterable[int], solved: dict[int, Fraction]) -> None:
    """Fill in the probabilities of one component, whose successors outside it are solved already."""
    inside = set(component)
    known: dict[int, Fraction] = {}
    local: dict[int, dict[int, Fraction]] = {}
    for node in inside:
        row = rows[node]
        known[node] = sum(
            (p * (solved[t] if t is not None else 1) for t, p in row.items() if t not in inside), Fraction()
        )
        local[node] = {t: p for t, p in row.items() if t is not None and t in inside}
    order = sorted(inside, key=lambda node: len(local[node]))
    _eliminate(local, known, order)
    for node in reversed(order):
        solved[node] = known[node] + sum((p * solved[t] for t, p in local[node].items()), Fraction())


def _eliminate(local: dict[int, dict[int, Fraction]], known: dict[int, Fraction], order: list[int]) -> None:
    """Gaussian elimination: afterwards a node's row names only nodes that come later in `order`."""
    entering: dict[int, set[int]] = {node: set() for node in local}
    for node, row in local.items():
        for target in row:
            entering[target].add(node)
    done: set[int] = set()
    for node in order:
        row = local[node]
        stay = row.pop(node, Fraction())
        if stay == 1:  # control can never leave, and the event is not in here
            row.clear()
            known[node] = Fraction()
        elif stay:
            for target in row:
                row[target] /= 1 - stay
            known[node] /= 1 - stay
        done.add(node)
        for other in entering[node] - done:
            weight = local[other].pop(node)
            known[other] += weight * known[node]
            for target, share in row.items():
                local[other][target] = local[other].get(target, Fraction()) + weight * share
                entering[target].add(other)

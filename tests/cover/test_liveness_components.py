"""Strongly connected components, those in which a fair run can stay, and the loops through them, on graphs made by hand."""

from __future__ import annotations

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from draincheck.engines.lasso import fair_loop, fair_tour
from draincheck.exploration.components import components, fair_components


class Fair:
    """A graph by hand: edges as (source, assumptions of the action, target), enabled assumptions of each state."""

    def __init__(self, edges: list[tuple[int, int, int]], enabled: list[int], weak: int = 0, strong: int = 0) -> None:
        self.grants = [bits for _, bits, _ in edges]
        self.edges: list[list[tuple[int, int]]] = [[] for _ in enabled]
        for index, (source, _, target) in enumerate(edges):
            self.edges[source].append((index, target))
        self.enabled, self.weak, self.strong = enabled, weak, strong

    def fair(self) -> list[set[int]]:
        return sorted(map(set, fair_components(self, range(len(self.edges)))), key=min)


@given(st.integers(1, 12).flatmap(lambda n: st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)))))
@settings(max_examples=200, deadline=None)
def test_components_are_those_of_networkx(pairs: list[tuple[int, int]]) -> None:
    """The strongly connected components that have an edge are the ones another library finds."""
    graph: nx.DiGraph[int] = nx.DiGraph(pairs)
    size = 1 + max((max(pair) for pair in pairs), default=0)
    edges: list[list[tuple[int, int]]] = [[] for _ in range(size)]
    for source, target in pairs:
        edges[source].append((0, target))
    found = sorted(sorted(component) for component in components(edges, range(size)))
    expected = sorted(
        sorted(component)
        for component in nx.strongly_connected_components(graph)
        if len(component) > 1 or graph.has_edge(*[next(iter(component))] * 2)
    )
    assert found == expected


def test_components_stay_inside() -> None:
    """Edges that leave the given states do not count."""
    edges = [[(0, 1)], [(0, 2)], [(0, 0), (0, 1)]]
    assert [sorted(c) for c in components(edges, [0, 1, 2])] == [[0, 1, 2]]
    assert list(components(edges, [0, 1])) == []
    assert [sorted(c) for c in components(edges, [1, 2])] == [[1, 2]]


@pytest.mark.slow
def test_path_longer_than_the_recursion_limit() -> None:
    """A ring of many thousand states is one component."""
    size = 5000
    edges = [[(0, (number + 1) % size)] for number in range(size)]
    assert [len(component) for component in components(edges, range(size))] == [size]


def test_weak_assumption_is_met_by_a_state_that_enables_nothing() -> None:
    """A component that neither takes nor ever disables a fair action is no place to stay."""
    ring = [(0, 0, 1), (1, 0, 0)]
    assert Fair(ring, [1, 1], weak=1).fair() == []
    assert Fair(ring, [1, 0], weak=1).fair() == [{0, 1}]
    assert Fair([(0, 1, 1), (1, 0, 0)], [1, 1], weak=1).fair() == [{0, 1}]


def test_action_that_leaves_does_not_keep_an_assumption() -> None:
    """Only edges inside the component count as taken."""
    assert Fair([(0, 0, 1), (1, 0, 0), (0, 1, 2)], [1, 1, 0], weak=1).fair() == []


def test_strong_assumption_cuts_states_out() -> None:
    """The part of a component that never enables the action is fair on its own; the whole is not."""
    edges = [(0, 0, 1), (1, 0, 0), (1, 0, 2), (2, 0, 1)]
    assert Fair(edges, [0, 0, 1], strong=1).fair() == [{0, 1}]
    assert Fair(edges, [0, 1, 0], strong=1).fair() == []
    assert Fair([*edges, (2, 1, 2)], [0, 0, 1], strong=1).fair() == [{0, 1, 2}]


def test_cut_out_part_has_to_be_weakly_fair_too() -> None:
    """What remains after a strong assumption is looked at again for the weak ones."""
    edges = [(0, 0, 1), (1, 0, 0), (1, 0, 2), (2, 0, 1)]
    graph = Fair(edges, [2, 2, 1], weak=2, strong=1)
    assert graph.fair() == []
    assert Fair(edges, [2, 0, 1], weak=2, strong=1).fair() == [{0, 1}]


def test_loop_visits_what_each_assumption_wants() -> None:
    """Two weak assumptions that are disabled in different states: the loop goes through both, by the shortest way."""
    edges = [(0, 0, 1), (1, 0, 0), (1, 0, 2), (2, 0, 3), (3, 0, 0), (2, 0, 0)]
    graph = Fair(edges, [3, 2, 1, 3], weak=3)
    assert fair_loop(graph, range(4), 0, 99)[0] == [0, 2, 5]
    assert fair_loop(graph, range(4), 0, 2)[0] is None


def test_loop_avoids_what_a_strong_assumption_forbids() -> None:
    """Passing a state that enables a strongly fair action obliges to take it, so the loop goes round another way."""
    edges = [(0, 0, 1), (1, 0, 0), (0, 0, 2), (2, 0, 3), (3, 0, 0), (1, 1, 1)]
    assert fair_loop(Fair(edges, [0, 1, 0, 0], strong=1), range(4), 0, 99)[0] == [0, 5, 1]
    assert fair_loop(Fair(edges[:5], [0, 1, 0, 0], strong=1), range(4), 0, 99)[0] == [2, 3, 4]


@st.composite
def fair_graphs(draw: st.DrawFn) -> Fair:
    """Up to six states, with up to four assumptions of either strength."""
    size, bits = draw(st.integers(1, 6)), st.integers(0, 15)
    states = st.integers(0, size - 1)
    edges = draw(st.lists(st.tuples(states, bits, states), min_size=1, max_size=18))
    strong = draw(bits)
    return Fair(edges, draw(st.lists(bits, min_size=size, max_size=size)), weak=15 & ~strong, strong=strong)


def neglected(graph: Fair, start: int, actions: list[int]) -> int:
    """The assumptions that a way round does not keep, by their definitions."""
    target = {action: (source, to) for source, edges in enumerate(graph.edges) for action, to in edges}
    passed, taken, always, ever = start, 0, 15, 0
    for action in actions:
        source, to = target[action]
        assert source == passed
        passed, taken = to, taken | graph.grants[action]
        always, ever = always & graph.enabled[to], ever | graph.enabled[to]
    assert passed == start
    return ((graph.weak & always) | (graph.strong & ever)) & ~taken


@given(fair_graphs())
@settings(max_examples=300, deadline=None)
def test_a_tour_is_as_fair_as_a_shortest_loop(graph: Fair) -> None:
    """It is found where that is not looked for any more, from every state of a fair component."""
    for inside in graph.fair():
        for start in inside:
            loop, _ = fair_loop(graph, inside, start, 999)
            assert loop is not None and fair_loop(graph, inside, start, 999, most=0)[0] is None
            tour = fair_tour(graph, inside, start)
            assert [neglected(graph, start, way) for way in (loop, tour)] == [0, 0]
            assert len(loop) <= len(tour)


def test_what_is_neglected_is_noticed() -> None:
    """Negative control: a way round that passes what a strong assumption wants, and one on which a weak one stays enabled."""
    edges = [(0, 0, 1), (1, 0, 0), (1, 2, 1)]
    graph = Fair(edges, [3, 1], weak=1, strong=2)
    assert neglected(graph, 0, [0, 1]) == 3 and neglected(graph, 0, [0, 2, 1]) == 1

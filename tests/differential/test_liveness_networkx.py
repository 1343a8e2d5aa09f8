"""Liveness on random systems of a few hundred states, against plain graph code over another library's components.

Too wide for the reference that tries every set of states; what that one checks is the theory, what this one checks is the machinery:
packed states, generated successors, faults, several processes and initial states.
"""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from draincheck.engines.liveness import decide
from draincheck.exploration.graph import StateGraph
from draincheck.expr import any_
from draincheck.interpreter import bearing
from draincheck.interpreter import explore as interpret
from draincheck.promise import Fairness, Strength
from draincheck.properties import Eventually, LeadsTo, Liveness, NoFault
from draincheck.system import FaultKind, State, TransitionSystem
from draincheck.verdict import NO_LIMITS, Outcome
from tests.support.samples import sampled
from tests.support.strategies import random_system


def system_with_demands(seed: int, data: int, processes: int, depth: int) -> TransitionSystem:
    """A random system with demands on its runs, and fairness of some of its processes and actions."""
    return with_demands(random_system(seed, data, processes, depth, folded=True, careless=0), seed)


def with_demands(base: TransitionSystem, seed: int) -> TransitionSystem:
    """The system with demands on its runs alone, and fairness."""
    random = Random(seed)
    conditions = [action.guard for action in base.actions] + [base.final]
    goal, trigger = random.choice(conditions), any_(*random.sample(conditions, 2))
    fairness = [
        Fairness(name, random.choice(list(Strength)), tuple(a.index for a in base.actions if a.process == name))
        for name in dict.fromkeys(action.process for action in base.actions)
        if random.random() < 0.6
    ]
    fairness += [
        Fairness(f"action {index}", Strength.STRONG, (index,))
        for index in random.sample(range(len(base.actions)), 2)
        if random.random() < 0.6
    ]
    items = (Eventually("eventually", goal & base.final), LeadsTo("leads to", trigger, goal))
    return replace(base, properties=items, fairness=tuple(fairness))


systems = st.builds(
    system_with_demands, st.integers(0, 2**32 - 1), st.integers(2, 4), st.integers(1, 3), st.integers(0, 1)
)


def graph_of(system: TransitionSystem) -> tuple[nx.MultiDiGraph[State], bool]:
    """States and edges by the system's own rules; whether a bound was passed."""
    graph: nx.MultiDiGraph[State] = nx.MultiDiGraph()
    graph.add_nodes_from(system.initial)
    todo, bound = list(system.initial), False
    seen = set(todo)
    while todo:
        state = todo.pop()
        for action in system.enabled(state):
            if (fault := system.fault(state, action)) is not None:
                bound = bound or fault.kind is FaultKind.BOUND
                continue
            after = system.step(state, action)
            graph.add_edge(state, after, key=action.index)
            if after not in seen:
                seen.add(after)
                todo.append(after)
    return graph, bound


def waiting_part(system: TransitionSystem, item: Liveness, graph: nx.MultiDiGraph[State]) -> nx.MultiDiGraph[State]:
    """The part of the graph in which some run still owes the goal."""
    assert isinstance(item, Eventually | LeadsTo)
    unmet = graph.subgraph([state for state in graph if not system.holds(item.goal, state)])
    if isinstance(item, Eventually):
        starts: Iterable[State] = system.initial
    else:
        starts = [state for state in graph if system.holds(item.trigger, state)]
    reached: set[State] = set()
    for state in starts:
        if state in unmet and state not in reached:
            reached |= {state, *nx.descendants(unmet, state)}
    return unmet.subgraph(reached)


def has_fair_part(system: TransitionSystem, part: nx.MultiDiGraph[State]) -> bool:
    """Whether a fair run can stay in a part of the graph for ever, going round or doing nothing in one of its states."""
    for states in nx.strongly_connected_components(part):
        inner = part.subgraph(states)  # without an edge: the run stays there
        taken = {key for _, _, key in inner.edges(keys=True)}
        enabled = {state: {action.index for action in system.enabled(state)} for state in states}
        barred: set[int] = set()
        for fairness in system.fairness:
            if not taken.isdisjoint(fairness.actions):
                continue
            if fairness.strength is Strength.STRONG:
                barred |= set(fairness.actions)
            elif all(not indices.isdisjoint(fairness.actions) for indices in enabled.values()):
                break
        else:
            smaller = [state for state in states if enabled[state].isdisjoint(barred)]
            if len(smaller) == len(states) or has_fair_part(system, inner.subgraph(smaller)):
                return True
    return False


def expected(system: TransitionSystem, item: Liveness) -> Outcome:
    graph, bound = graph_of(system)
    part = waiting_part(system, item, graph)
    if has_fair_part(system, part):
        return Outcome.VIOLATED
    if bound:
        return Outcome.UNKNOWN
    enabled = ((state, action) for state in graph for action in system.enabled(state))
    moving = {action.process for state, action in enabled if system.fault(state, action) is None}
    moves = not moving.isdisjoint(bearing(system, item))
    return Outcome.HOLDS if moves and is_asked(system, item, graph) else Outcome.NEVER_ASKED


def is_asked(system: TransitionSystem, item: Liveness, graph: nx.MultiDiGraph[State]) -> bool:
    """Whether a run comes to the trigger, if there is one, and then to the goal, or is fair and does not end with an error."""
    assert isinstance(item, Eventually | LeadsTo)
    starts = [s for s in graph if system.holds(item.trigger, s)] if isinstance(item, LeadsTo) else system.initial
    return any(is_shown(system, item, graph.subgraph({s, *nx.descendants(graph, s)})) for s in starts)


def is_shown(system: TransitionSystem, item: Eventually | LeadsTo, part: nx.MultiDiGraph[State]) -> bool:
    """Whether the goal lies in a part of the graph, or a fair run can stay there."""
    return any(system.holds(item.goal, state) for state in part) or has_fair_part(system, part)


def compare(system: TransitionSystem) -> None:
    for name, verdict in decide(system).items():
        item = system.property_named(name)
        if isinstance(item, NoFault):
            continue
        assert isinstance(item, Liveness)
        assert verdict.outcome is expected(system, item), verdict


@pytest.mark.slow
@pytest.mark.parametrize("part", sampled(range(40), 1, 4))
@given(systems)
@settings(max_examples=50, deadline=None)
def test_engine_agrees_with_another_library(part: int, system: TransitionSystem) -> None:
    """On random systems with several processes every verdict is the one that plain graph code finds."""
    compare(system)


@pytest.mark.parametrize("part", sampled(range(4), 1))
@given(systems)
@settings(max_examples=25, deadline=None)
def test_graph_is_the_whole_graph(part: int, system: TransitionSystem) -> None:
    """The state graph has the states and edges that the reference search counts, and the states in which nothing moves."""
    graph = StateGraph(system, (), NO_LIMITS)
    statistics = interpret(replace(system, properties=())).statistics
    assert len(graph) == statistics.states
    assert sum(map(len, graph.edges)) == statistics.transitions
    assert len({graph.state(number) for number in range(len(graph))}) == len(graph)
    for number, edges in enumerate(graph.edges):
        for index, target in edges:
            assert system.step(graph.state(number), system.actions[index]) == graph.state(target)
        assert (number in graph.stuck) == (not list(system.enabled(graph.state(number))))

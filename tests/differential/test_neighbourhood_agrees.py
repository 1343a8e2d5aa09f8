"""What stands around a trace is what the transition graph has there: nodes, edges, and all that they carry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

import networkx as nx
import pytest
from hypothesis import HealthCheck, assume, given
from hypothesis import strategies as st

from draincheck import Run, Trace
from draincheck.analysis.neighbourhood import neighbourhood
from draincheck.analysis.state_story import StateStory
from draincheck.analysis.transition_graph import transition_graph
from draincheck.errors import GraphTooLarge
from draincheck.system import TransitionSystem
from draincheck.verdict import Limits
from tests.support.strategies import Recipe, recipes, tries

RANDOM = tries(15, HealthCheck.filter_too_much)


def walk(system: TransitionSystem, seed: int) -> Trace:
    """Some steps from an initial state."""
    random = Random(seed)
    initial = state = random.choice(list(system.initial))
    actions: list[int] = []
    for _ in range(random.randint(0, 12)):
        able = [action for action in system.enabled(state) if system.fault(state, action) is None]
        if not able:
            break
        taken = random.choice(able)
        actions.append(taken.index)
        state = system.step(state, taken)
    return Trace(system.name, system.digest, "", initial, tuple(actions))


def differences(found: nx.MultiDiGraph[int], whole: nx.MultiDiGraph[int], start: int, trace: Trace) -> Iterator[str]:
    """What a trace's graph says otherwise than the whole one, along the trace from a node of that one."""
    same, here = {0: start}, 0
    for step, taken in enumerate((*trace.actions, -1), 1):
        there = {action: target for _, target, action in whole.out_edges(same[here], keys=True)}
        ours = {action: target for _, target, action in found.out_edges(here, keys=True)}
        if there.keys() != ours.keys():
            yield f"other actions before step {step}"
            return
        for action, target in ours.items():
            if same.setdefault(target, there[action]) != there[action]:
                yield f"action {action} leads elsewhere before step {step}"
            told, other = found.edges[here, target, action], whole.edges[same[here], there[action], action]
            if (str(step) in told["step"].split(",")) is not (action == taken) or not _is_same(told, other):
                yield f"action {action} is told otherwise before step {step}"
        here = ours.get(taken, here)
    yield from (
        f"node {node} is told otherwise" for node in same if not _is_same(found.nodes[node], whole.nodes[same[node]])
    )
    if len(same) != len(found):
        yield "other nodes"


def _is_same(told: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether what both graphs carry is the same."""
    return {name: value for name, value in told.items() if name not in ("at", "fate", "said", "step")} == other


def compared(system: TransitionSystem, seed: int) -> list[str]:
    """The differences for some walk through a system; skipped for one that is large."""
    try:
        whole = transition_graph(system, Limits(states=300))
    except GraphTooLarge:
        assume(False)
    trace = walk(system, seed)
    found = neighbourhood(Run.of(system, trace))
    return list(differences(found, whole, list(system.initial).index(trace.initial), trace))


@RANDOM
@given(recipes(), st.integers(0, 1000))
def test_the_neighbourhood_of_a_walk(recipe: Recipe, seed: int) -> None:
    """Each state of the walk has all its edges, nothing else is there, and nothing is told otherwise."""
    assert compared(recipe.system(), seed) == []


@RANDOM
@given(recipes(), st.integers(0, 1000))
def test_the_fates_around_a_walk(recipe: Recipe, seed: int) -> None:
    """They are those of the states, for each property."""
    system = recipe.system()
    run = Run.of(system, walk(system, seed))
    for item in system.properties:
        try:
            story = StateStory(system, item, Limits(states=300))
        except GraphTooLarge:
            assume(False)
        fates = dict(zip(story.states, (fate.value for fate in story.fates), strict=False))
        graph = neighbourhood(run, story)
        for position, state in enumerate(run.states):
            node = next(n for n, values in graph.nodes(data=True) if str(position) in values["at"].split(","))
            assert graph.nodes[node]["fate"] == fates.get(state, "")


@pytest.mark.parametrize("seed", range(3))
def test_a_wrong_neighbourhood_is_noticed(seed: int) -> None:
    """An edge less, another value, a step told at another edge: the comparison says so."""
    system = Recipe(seed=seed, data=3, processes=2, depth=1, folded=True).system()
    trace = walk(system, seed)
    whole, start = transition_graph(system), list(system.initial).index(trace.initial)

    def changed(number: int) -> list[str]:
        graph = neighbourhood(Run.of(system, trace))
        source, target, action = next(iter(graph.edges(keys=True)))
        if number == 1:
            graph.remove_edge(source, target, action)
        elif number == 2:
            graph.nodes[0]["x0"] = "none"
        elif number == 3:
            graph.edges[source, target, action]["step"] = "99"
            graph.edges[source, target, action]["marks"] = "z"
        return list(differences(graph, whole, start, trace))

    assert changed(0) == []
    assert all(changed(number) for number in (1, 2, 3))

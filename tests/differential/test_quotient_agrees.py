"""Quotients say of random systems, and of code bases, what a search of the interpreter's states in the plainest way says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import networkx as nx
import pytest
from hypothesis import HealthCheck, assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from draincheck import interpreter
from draincheck.analysis.quotient import Quotient, quotient_graph
from draincheck.analysis.state_story import StateStory
from draincheck.properties import Always, Assertion, CanAlwaysFinish, FaultKind, NoFault, Property
from draincheck.qemu.cache import BuildCache
from draincheck.revisions import find_revision
from draincheck.system import State, TransitionSystem
from draincheck.verdict import Limits
from drainspecs.mirror.properties import DrainInvariant
from drainspecs.mirror.scenarios import find_scenario
from tests.support.brute_force import Explored
from tests.support.samples import sampled
from tests.support.strategies import Recipe, recipes, tries

#: the largest random system: what is plain takes long
MOST = 120

#: the kinds of property whose fates are told
TOLD = (Always, Assertion, CanAlwaysFinish, NoFault)

RANDOM = tries(20, HealthCheck.filter_too_much)


def marked(system: TransitionSystem, seed: int) -> TransitionSystem:
    """The system with marks at some of its actions."""
    random = Random(seed)
    actions = [
        replace(action, parts=tuple(replace(part, mark=random.choice(["", "", "a", "b"])) for part in action.parts))
        for action in system.actions
    ]
    return replace(system, actions=tuple(actions))


def asked(system: TransitionSystem) -> list[Property]:
    """The properties whose fates are told, errors of runs included."""
    return [item for item in (*system.properties, *system.implicit) if isinstance(item, TOLD)]


# -- the two readings -------------------------------------------------------------------------------


def differences(graph: nx.MultiDiGraph[int], quotient: Quotient, plain: Explored) -> Iterator[str]:
    """What a quotient says otherwise than a plain search."""
    node = dict(zip(quotient.story.states, quotient.node, strict=True))
    if set(node) != set(plain.states):
        yield "other states"
        return
    yield from _in_sizes(graph, node, plain)
    yield from _in_edges(graph, node, plain)
    known: dict[str, Callable[[State], bool]] = {
        "initial": plain.roots.__contains__,
        "final": lambda state: plain.system.holds(plain.system.final, state),
        "bound": plain.meets(FaultKind.BOUND).__contains__,
        "deadlock": lambda state: (
            next(plain.system.enabled(state), None) is None and not plain.system.holds(plain.system.final, state)
        ),
    }
    if plain.item is not None and quotient.story.fates:
        known["violates"] = (plain.bad | plain.ending).__contains__
        yield from _in_fates(graph, node, plain)
    for name, is_so in known.items():
        found = {node[state] for state in plain.states if is_so(state)}
        if found != {each for each, values in graph.nodes(data=True) if values[name]}:
            yield f"other nodes are {name}"
    yield from _in_marks(graph, node, plain)
    yield from _in_values(graph, node, plain)


def _in_sizes(graph: nx.MultiDiGraph[int], node: dict[State, int], plain: Explored) -> Iterator[str]:
    if Counter(node.values()) != {each: values["states"] for each, values in graph.nodes(data=True)}:
        yield "other numbers of states"
    if (graph.graph["states"], graph.graph["steps"]) != (len(plain.states), len(plain.steps)):
        yield "other numbers in all"


def _in_edges(graph: nx.MultiDiGraph[int], node: dict[State, int], plain: Explored) -> Iterator[str]:
    steps = Counter((node[a], node[b]) for a, _, b in plain.steps)
    edges = {(u, v): values for u, v, values in graph.edges(data=True)}
    if steps != {ends: values["steps"] for ends, values in edges.items()} or len(edges) != graph.number_of_edges():
        yield "other edges"
        return
    for ends, values in edges.items():
        taken = [step for step in plain.steps if (node[step[0]], node[step[2]]) == ends]
        if sorted({step[1] for step in taken}) != [int(index) for index in values["actions"].split(",")]:
            yield f"other actions from {ends[0]} to {ends[1]}"
        if ",".join(sorted(set[str]().union(*map(plain.marks, taken)))) != values["marks"]:
            yield f"other marks from {ends[0]} to {ends[1]}"


def _in_fates(graph: nx.MultiDiGraph[int], node: dict[State, int], plain: Explored) -> Iterator[str]:
    if any(fate != graph.nodes[node[state]]["fate"] for state, fate in plain.fates.items()):
        yield "other fates"
    wrong = {
        (node[a], node[b])
        for a, i, b in plain.steps
        if plain.breaks((a, i, b)) or (a not in plain.bad and b in plain.bad)
    }
    late = {(node[a], node[b]) for a, _, b in plain.steps if _is_late(plain.fates[a], plain.fates[b])}
    for name, expected in (("violates", wrong), ("no_return", late)):
        if expected != {(u, v) for u, v, values in graph.edges(data=True) if values[name]}:
            yield f"other edges are {name}"


def _is_late(before: str, after: str) -> bool:
    return before == "avoidable" and after in ("doomed", "violated")


def _in_marks(graph: nx.MultiDiGraph[int], node: dict[State, int], plain: Explored) -> Iterator[str]:
    for mark in "ab":
        passed = plain.passed(mark)
        without = {node[state] for state in plain.states if state not in passed}
        if without != {each for each, values in graph.nodes(data=True) if mark not in values["passed"].split(",")}:
            yield f"({mark}) is passed elsewhere"


def _in_values(graph: nx.MultiDiGraph[int], node: dict[State, int], plain: Explored) -> Iterator[str]:
    for place, variable in enumerate(plain.system.variables):
        if variable.internal:
            continue
        values: dict[int, set[Any]] = {}
        for state in plain.states:
            values.setdefault(node[state], set()).add(variable.sort.decode(state[place]))
        shared = {each: found.pop() for each, found in values.items() if len(found) == 1}
        if shared != {each: told[variable.name] for each, told in graph.nodes(data=True) if variable.name in told}:
            yield f"other values of {variable.name}"


def judged(system: TransitionSystem, item: Property | None, most: int) -> list[str]:
    """What the quotient of a system says otherwise."""
    quotient = Quotient.of(StateStory(system, item), most)
    graph = quotient_graph(quotient)
    many = ["more nodes than may be"] if len(graph) > most else []
    return many + list(differences(graph, quotient, Explored(system, item)))


# -- they agree -------------------------------------------------------------------------------------


@pytest.mark.slow
@RANDOM
@given(recipes(), st.integers(0, 1000), st.integers(4, 12))
def test_quotients_of_random_systems(recipe: Recipe, seed: int, most: int) -> None:
    """Nodes, edges, fates, marks and values are those of a plain search, for every property that has fates."""
    system = marked(recipe.system(), seed)
    assume(len(interpreter.states(system, Limits(states=MOST + 1))) <= MOST)
    assert judged(system, None, most) == []
    for item in asked(system):
        assert judged(system, item, most) == [], (recipe, seed, item.name)


@pytest.mark.parametrize("name", sampled(["S1", "S4", "S2", "B1", "F1"], 0))
def test_quotients_of_a_code_base(name: str) -> None:
    """And so they are of the bandage, by the properties that it violates and others."""
    system = BuildCache(DrainInvariant).system(find_revision("ab27c3b5e7").knobs, find_scenario("mirror"))
    assert judged(system, system.property_named(name), 20) == []


# -- negative controls ------------------------------------------------------------------------------


def _system() -> TransitionSystem:
    """A random system some of whose states are bad, others safe."""
    return marked(Recipe(seed=7, data=3, processes=2, depth=1, folded=True).system(), 3)


CHANGES: dict[str, Callable[[nx.MultiDiGraph[int]], object]] = {
    "other edges": lambda graph: graph.remove_edge(*next(iter(graph.edges()))),
    "other numbers of states": lambda graph: graph.nodes[0].update(states=graph.nodes[0]["states"] + 1),
    "other fates": lambda graph: graph.nodes[0].update(fate="none"),
    "other nodes are initial": lambda graph: graph.nodes[0].update(initial=not graph.nodes[0]["initial"]),
    "other nodes are violates": lambda graph: graph.nodes[0].update(violates=not graph.nodes[0]["violates"]),
}


@pytest.mark.parametrize("expected", CHANGES)
def test_a_wrong_quotient_is_noticed(expected: str) -> None:
    """One edge less, one state more, another fate: the comparison says so."""
    system = _system()
    item = next(item for item in asked(system) if StateStory(system, item).fates)
    quotient = Quotient.of(StateStory(system, item), 8)
    graph = quotient_graph(quotient)
    assert list(differences(graph, quotient, Explored(system, item))) == []
    CHANGES[expected](graph)
    assert expected in list(differences(graph, quotient, Explored(system, item)))


def test_random_systems_have_all_fates() -> None:
    """The sample is of use: its systems have states of each fate, and steps of no return."""
    found, every = set[str](), {"safe", "avoidable", "doomed", "violated"}
    for seed in range(60):
        system = marked(Recipe(seed, 2 + seed % 3, 1 + seed % 2, 1, folded=True).system(), seed)
        if len(interpreter.states(system, Limits(states=MOST + 1))) > MOST:
            continue
        for item in asked(system):
            found.update(fate.value for fate in StateStory(system, item).fates)
        if found == every:
            break
    assert found == every


#: what is made wrong in the code: whose method, and what does it instead
FAULTS: dict[str, tuple[type, str, Callable[..., object]]] = {
    "no step breaks a check": (StateStory, "breaks", lambda *_: False),
    "no state violates": (StateStory, "is_bad", lambda *_: False),
    "nothing is marked": (StateStory, "marked", lambda *_: ()),
    "no step is one of no return": (StateStory, "is_no_return", lambda *_: False),
    "nothing tells states apart": (Quotient, "_refined", lambda self, _: self),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_code_is_noticed(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the first random systems shows it."""
    owner, name, instead = FAULTS[fault]
    monkeypatch.setattr(owner, name, instead)
    systems = (marked(Recipe(seed, 3, 2, 1, folded=True).system(), seed) for seed in range(30))
    small = (system for system in systems if len(interpreter.states(system, Limits(states=MOST + 1))) <= MOST)
    assert any(judged(system, item, 8) for system in small for item in asked(system))

"""What can still be avoided, and the facts behind a condition, are what their definitions say on random systems."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from draincheck.analysis.avoidability import Avoidabilities, Avoidability
from draincheck.analysis.explain import _Deciding
from draincheck.exploration.graph import StateGraph
from draincheck.properties import Always, Assertion, CanAlwaysFinish, NoDeadlock, Property
from draincheck.system import State, TransitionSystem
from draincheck.verdict import Limits
from tests.support.strategies import systems

# -- against the definitions --------------------------------------------------------------------------


@given(systems(careless=0), st.data())
@settings(max_examples=60, deadline=None)
def test_facts_decide_their_condition(system: TransitionSystem, data: st.DataObject) -> None:
    """In every state in which the atoms behind a condition have the same truth, so has the condition."""
    always = [p.holds for p in system.properties if isinstance(p, Always)]
    conditions = [*(action.guard for action in system.actions), *always]
    states = reached(system)
    condition, here = data.draw(st.sampled_from(conditions)), data.draw(st.sampled_from(states))
    atoms = list(_Deciding(system, here)[condition])
    alike = [other for other in states if all(bool(system.value(atom, other)) == true for atom, true in atoms)]
    assert here in alike
    assert {system.holds(condition, other) for other in alike} == {system.holds(condition, here)}


def reached(system: TransitionSystem) -> list[State]:
    """Some hundred states, in no special order."""
    found = dict.fromkeys(system.initial)
    for state in found.copy():
        found |= dict.fromkeys(system.step(state, a) for a in system.enabled(state) if system.fault(state, a) is None)
    return list(found)[:200]


def naive(system: TransitionSystem, item: Property, graph: StateGraph, holding: set[int]) -> dict[int, Avoidability]:
    """The avoidabilities by their definitions, one search from each state."""
    numbers = range(len(graph))
    match item:
        case NoDeadlock() if system.at_rest:
            bad = {n for n in numbers if is_stuck(system, graph, n, holding)}
        case NoDeadlock():
            bad = {n for n in numbers if n in graph.stuck and n not in holding}
        case CanAlwaysFinish():
            bad = {n for n in numbers if not forwards(graph, n, lambda here, action: True) & holding}
        case Assertion():
            bad = set()
        case _:
            bad = set(numbers) - holding

    def breaks(here: int, action: int) -> bool:
        return item.name in system.broken_checks(graph.state(here), system.actions[action])

    wrong = bad | {n for n in numbers if any(breaks(n, action) for action, _ in graph.edges[n])}
    safe = {n for n in numbers if not forwards(graph, n, lambda here, action: True) & wrong}
    avoidabilities = {}
    for n in numbers:
        good = forwards(graph, n, lambda here, action: here not in bad and not breaks(here, action))
        avoidabilities[n] = (
            Avoidability.SAFE
            if n in safe
            else Avoidability.AVOIDABLE
            if good & safe and n not in bad
            else Avoidability.DOOMED
        )
    return avoidabilities


def is_stuck(system: TransitionSystem, graph: StateGraph, start: int, final: set[int]) -> bool:
    """Whether some process can never move again from a state, or rest, with no final state to come."""
    after = forwards(graph, start, lambda here, action: True)
    states = [graph.state(number) for number in after]
    if any(system.fault(state, action) for state in states for action in system.enabled(state)):
        return False
    movers = {action.process for state in states for action in system.enabled(state)}
    lost = (name not in movers and not any(system.holds(where, s) for s in states) for name, where in system.at_rest)
    return not after & final and any(lost)


def forwards(graph: StateGraph, start: int, follow: object) -> set[int]:
    """The states that can be reached over edges that may be followed, the start included."""
    assert callable(follow)
    found, queue = {start}, [start]
    for here in queue:
        for action, target in graph.edges[here]:
            if target not in found and follow(here, action):
                found.add(target)
                queue.append(target)
    return found


@given(systems(careless=0))
@settings(max_examples=60, deadline=None)
def test_fates_are_what_they_are_defined_to_be(system: TransitionSystem) -> None:
    """On random systems, for every kind of property."""
    kinds = [p for p in system.properties if isinstance(p, (Always, Assertion, CanAlwaysFinish, NoDeadlock))]
    for item in kinds:
        condition = getattr(item, "holds", getattr(item, "goal", system.final))
        graph = StateGraph(system, (condition,), Limits(states=60))
        if graph.incomplete:
            return
        holding = {n for n, true in enumerate(graph.where(condition)) if true}
        avoidabilities = Avoidabilities(system, item)
        assert {n: avoidabilities.of(n) for n in range(len(graph))} == naive(system, item, graph, holding)
        for here in range(len(graph)):
            for way in avoidabilities.other_ways(here, taken=-1):
                if way.avoidability is Avoidability.AVOIDABLE:
                    assert len(way.rest) == steps_to_safety(avoidabilities, graph, dict(graph.edges[here])[way.action])


def steps_to_safety(avoidabilities: Avoidabilities, graph: StateGraph, start: int) -> int:
    """By the definition: layer after layer of what can be reached without violating the property."""
    layer, number = {start}, 0
    while not any(avoidabilities.of(here) is Avoidability.SAFE for here in layer):
        assert layer, "no way leads to safety"
        edges = ((here, action, target) for here in layer for action, target in graph.edges[here])
        layer = {
            t for here, action, t in edges if not avoidabilities.is_bad(t) and not avoidabilities.breaks(here, action)
        }
        number += 1
    return number

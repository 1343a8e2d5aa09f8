"""What can still be avoided, and the facts behind a condition, are what their definitions say on random systems."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from draincheck.analysis.avoidability import Avoidabilities, Avoidability, Evasion
from draincheck.analysis.explain import _Deciding
from draincheck.exploration.graph import StateGraph
from draincheck.promise import Fairness, Strength
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


@pytest.mark.slow
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


@given(systems(careless=0))
@settings(max_examples=30, deadline=None)
def test_a_graph_that_is_there_is_as_good(system: TransitionSystem) -> None:
    """Whichever conditions it was explored for, it tells the same as one that is explored for the property."""
    graph = StateGraph(system, (), Limits(states=100))
    if graph.incomplete:
        return
    for item in system.properties:
        if isinstance(item, (Always, Assertion, CanAlwaysFinish, NoDeadlock)):
            own, given = Avoidabilities(system, item), Avoidabilities(system, item, graph=graph)
            numbers = range(len(graph))
            assert [(own.of(n), own.is_bad(n)) for n in numbers] == [(given.of(n), given.is_bad(n)) for n in numbers]


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


@given(systems(careless=60))
@settings(max_examples=100, deadline=None)
def test_an_error_is_avoided_by_whatever_else_a_run_can_do(system: TransitionSystem) -> None:
    """By its definition: safe is where none comes into reach any more, avoidable where such a state does, whatever errors are passed by."""
    graph = StateGraph(system, (), Limits(states=60))
    if graph.incomplete:
        return
    numbers = range(len(graph))
    onwards = {n: forwards(graph, n, lambda here, action: True) for n in numbers}
    for item in system.implicit:
        near = {n for n in numbers if system.faulty(graph.state(n), item.kind)}
        safe = {n for n in numbers if not onwards[n] & near}
        found = Avoidabilities(system, item)
        assert {n for n in numbers if found.errs(n)} == near
        for n in numbers:
            left = Avoidability.AVOIDABLE if onwards[n] & safe else Avoidability.DOOMED
            assert found.of(n) is (Avoidability.SAFE if n in safe else left)


@pytest.mark.slow
@given(systems(careless=40), st.sets(st.sampled_from(["process 0", "process 1", "process 2"])))
@settings(max_examples=100, deadline=None)
def test_what_never_violates_is_what_a_walk_from_every_doomed_state_finds(
    system: TransitionSystem, fair: set[str]
) -> None:
    """A place to stay at, a way back to where it was, or a step with an error, without a violation on the way: each by its definition."""
    promised = {name: [a.index for a in system.actions if a.process == name] for name in sorted(fair)}
    fairness = [Fairness(name, Strength.WEAK, tuple(own)) for name, own in promised.items() if own]
    system = replace(system, fairness=tuple(fairness))
    for item in [p for p in system.properties if isinstance(p, Always | Assertion | CanAlwaysFinish)]:
        condition = getattr(item, "holds", getattr(item, "goal", system.final))
        graph = StateGraph(system, (condition,), Limits(states=60))
        if graph.incomplete:
            return
        avoidabilities = Avoidabilities(system, item)
        for start in range(len(graph)):
            if avoidabilities.of(start) is Avoidability.DOOMED:
                assert avoidabilities.evasions(start) == naive_evasions(system, graph, avoidabilities, start)


def naive_evasions(
    system: TransitionSystem, graph: StateGraph, avoidabilities: Avoidabilities, start: int
) -> tuple[Evasion, ...]:
    """Looked for in every state that is come to without a violation."""

    def kept(here: int, action: int) -> bool:
        return not avoidabilities.is_bad(here) and not avoidabilities.breaks(here, action)

    clean = {n for n in forwards(graph, start, kept) if not avoidabilities.is_bad(n)}
    after = {n: {t for action, t in graph.edges[n] if kept(n, action)} for n in clean}
    states = [(graph.state(n), list(system.enabled(graph.state(n)))) for n in clean]
    promised = {index for fairness in system.fairness for index in fairness.actions}
    found = {
        Evasion.STOPS: any(promised.isdisjoint(a.index for a in enabled) for _, enabled in states),
        Evasion.CIRCLES: any(n in forwards(graph, t, kept) for n in clean for t in after[n] & clean),
        Evasion.ERRS: any(system.fault(state, action) for state, enabled in states for action in enabled),
    }
    return tuple(evasion for evasion, possible in found.items() if possible)

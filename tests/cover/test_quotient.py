"""States merged into few nodes: what becomes of a property, which marks were passed, by what nodes are told apart."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import networkx as nx
import pytest

from draincheck.analysis.quotient import Quotient, quotient_graph
from draincheck.analysis.state_story import StateFate, StateStory
from draincheck.analysis.traits import TraitKind, read_by, traits_of
from draincheck.checking import check
from draincheck.errors import GraphTooLarge, OutOfBudget, SourceLine
from draincheck.expr import TRUE
from draincheck.lang import Model
from draincheck.properties import Always, Assertion, Eventually
from draincheck.report.graphs import to_graphml, to_node_link
from draincheck.sorts import BOOL, IntSort
from draincheck.system import Action, BoolVar, Check, IntVar, Part, TransitionSystem
from draincheck.verdict import Limits
from tests.support.machines import counter

LOST = "nothing in flight in the window"


OPEN, SUBMITTED, BESIDE = (BoolVar(name, BOOL, (0,)) for name in ("open", "submitted", "beside"))
JOB, GUEST = (IntVar(f"pc {name}", IntSort(0, 2), (0,), internal=True, counts=name) for name in ("job", "guest"))
LINE = SourceLine("window.py", 1)


def part(label: str, mark: str) -> tuple[Part]:
    """What takes place in an action."""
    return (Part(label, (), 0, mark, LINE, TRUE),)


def window() -> TransitionSystem:
    """A window opens and closes while a request is submitted: six states, by what the job has done and then the guest.

    (0, 0) and (1, 0) can still avoid that both come together, (0, 1) cannot, (1, 1) is where they do, (2, 0) and (2, 1) are past it.
    """
    return TransitionSystem(
        "window",
        (OPEN, SUBMITTED, BESIDE, JOB, GUEST),
        (
            Action(0, "job", part("opens", "w"), JOB.is_(0), (OPEN.set(), JOB.set(1)), location=0),
            Action(1, "job", part("closes", "c"), JOB.is_(1), (OPEN.clear(), JOB.set(2)), location=1),
            Action(
                2,
                "guest",
                part("submits", "b"),
                GUEST.is_(0),
                (SUBMITTED.set(), GUEST.set(1)),
                (Check("closed", ~OPEN, LINE),),
                location=0,
            ),
        ),
        (
            Always(LOST, ~(OPEN & SUBMITTED)),
            Assertion("closed"),
            Always("nothing beside", ~BESIDE),
            Eventually("served", SUBMITTED),
        ),
    )


def story(name: str = LOST) -> StateStory:
    """The story of one of its properties."""
    system = window()
    return StateStory(system, system.property_named(name))


def done(found: StateStory) -> list[tuple[int, int]]:
    """For each state how much the job has done, and the guest."""
    job, guest = (found.system.position[counter] for counter in (JOB, GUEST))
    return [(state[job], state[guest]) for state in found.states]


# -- the story --------------------------------------------------------------------------------------


def test_fates_of_a_property_of_states() -> None:
    """By hand: who comes first decides it, and after the window all is well, whatever has been."""
    found = story()
    assert dict(zip(done(found), found.fates, strict=True)) == {
        (0, 0): StateFate.AVOIDABLE,
        (0, 1): StateFate.DOOMED,
        (1, 0): StateFate.AVOIDABLE,
        (1, 1): StateFate.VIOLATED,
        (2, 0): StateFate.SAFE,
        (2, 1): StateFate.SAFE,
    }


def test_a_state_that_is_reached_without_a_violation_is_not_violated() -> None:
    """Of the assertion: that the window is open with a request in flight is fine if the request came first."""
    found = story("closed")
    fates = dict(zip(done(found), found.fates, strict=True))
    assert fates[1, 1] is StateFate.SAFE
    assert fates[0, 0] is fates[1, 0] is StateFate.AVOIDABLE


def test_marks_are_passed_on_every_way() -> None:
    """The request may have come before the window or in it: what is common to both ways counts."""
    found = story()
    assert dict(zip(done(found), found.passed, strict=True)) == {
        (0, 0): (),
        (0, 1): ("b",),
        (1, 0): ("w",),
        (1, 1): ("w", "b"),
        (2, 0): ("w", "c"),
        (2, 1): ("w", "c", "b"),
    }


def test_what_cannot_be_said_is_said() -> None:
    """Of a goal that is to be reached nothing is avoided; and a system without a property has no fates."""
    system = counter(3, "top")
    told = StateStory(system, system.properties[0])
    assert (told.fates, "asks that something can be reached" in told.untold) == ([], True)
    assert (StateStory(system).fates, StateStory(system).untold) == ([], "")


def test_a_part_of_a_system_is_refused() -> None:
    """One state too many, and there is no story, with a property or without."""
    system = counter(9, "small")
    assert len(StateStory(system, None, Limits(states=10))) == 10
    for item in (None, system.properties[0]):
        with pytest.raises(GraphTooLarge, match="has more than 9 reachable states"):
            StateStory(system, item, Limits(states=9))
        with pytest.raises(OutOfBudget, match="time limit"):
            StateStory(system, item, Limits(seconds=-1))


def test_a_demand_on_runs_tells_where_its_counterexample_stays() -> None:
    """The guest is promised nothing: a run may stop before it submits."""
    system = window()
    trace = check(system, ["served"])["served"].verdict.trace
    found = StateStory(system, system.property_named("served"), shown=trace)
    assert trace is not None
    assert [done(found)[n] for n in found.forever] == [(0, 0)]
    assert set(found.fates) == {StateFate.AVOIDABLE}
    assert (
        StateStory(system, system.property_named(LOST), shown=check(system, [LOST])[LOST].verdict.trace).forever
        == frozenset()
    )


# -- traits -----------------------------------------------------------------------------------------


def test_what_matters_most_comes_first() -> None:
    """StateFate, marks, what the property reads, where processes stand, what is left."""
    found = [(trait.kind, trait.name) for trait in traits_of(story())]
    assert found == [
        (TraitKind.FATE, "fate"),
        *((TraitKind.MARK, mark) for mark in ("w", "c", "b")),
        (TraitKind.VARIABLE, "open"),
        (TraitKind.VARIABLE, "submitted"),
        (TraitKind.PLACE, "job"),
        (TraitKind.PLACE, "guest"),
        (TraitKind.VARIABLE, "beside"),
    ]


def test_a_check_is_part_of_what_a_property_reads() -> None:
    """An assertion has no condition of its own: its checks have."""
    system = window()
    assert {v.name for v in read_by(system, system.property_named("closed"))} == {"open"}
    assert {v.name for v in read_by(system, system.property_named("nothing beside"))} == {"beside"}


def test_a_number_with_many_values_is_told_by_conditions() -> None:
    """What the property compares it with tells states apart, long before its values do."""
    system = counter(100, "small")
    names = [
        trait.name for trait in traits_of(StateStory(system, system.properties[0])) if trait.kind is TraitKind.CONDITION
    ]
    assert names == ["number < 100"]


# -- the quotient -----------------------------------------------------------------------------------


def edges(graph: nx.MultiDiGraph[int]) -> dict[tuple[int, int], dict[str, Any]]:
    """Edges by the nodes that they join."""
    return {(u, v): dict(values) for u, v, values in graph.edges(data=True)}


def merged(most: int, name: str = LOST) -> nx.MultiDiGraph[int]:
    """The quotient in so many nodes."""
    return quotient_graph(Quotient.of(story(name), most))


def test_a_node_for_each_fate() -> None:
    """With four nodes nothing else tells states apart; what is safe, avoidable and so on is never merged."""
    graph = merged(4)
    assert [values["fate"] for _, values in graph.nodes(data=True)] == ["avoidable", "doomed", "safe", "violated"]
    assert [values["states"] for _, values in graph.nodes(data=True)] == [2, 1, 2, 1]
    assert graph.graph["merged_by"] == "fate"
    assert set(edges(graph)) == {(0, 0), (0, 1), (0, 2), (0, 3), (1, 3), (3, 2), (2, 2)}
    assert set(edges(merged(1))) == set(edges(graph))


def test_an_edge_says_who_does_what() -> None:
    """Steps with marks are what these stand for; the violation and the point of no return are told."""
    found = edges(merged(4))
    assert found[0, 1] == {
        "steps": 1,
        "actions": "2",
        "labels": "guest: (b) submits",
        "marks": "b",
        "violates": False,
        "no_return": True,
    }
    assert {ends for ends, edge in found.items() if edge["violates"]} == {(0, 3), (1, 3)}
    assert {ends for ends, edge in found.items() if edge["no_return"]} == {(0, 1), (0, 3)}


def test_marks_tell_states_apart_next() -> None:
    """With six nodes each state has its own, also those that are safe."""
    graph = merged(6)
    assert [values["states"] for _, values in graph.nodes(data=True)] == [1] * 6
    assert graph.graph["merged_by"].split("\n") == ["fate", "(w)", "(b)"]
    assert {values["passed"] for _, values in graph.nodes(data=True)} == {"", "w", "b", "w,b", "w,c", "w,c,b"}


def test_a_node_says_what_its_states_share() -> None:
    """Values that all have, as attributes by name; others are left out."""
    first = merged(4).nodes[0]
    assert (first["submitted"], first["beside"], "open" in first) == (False, False, False)
    assert (first["initial"], first["final"], first["deadlock"], first["violates"]) == (True, False, False, False)
    assert [values["violates"] for _, values in merged(4).nodes(data=True)] == [False, False, False, True]


def test_what_is_safe_for_good_is_not_told_apart_by_values() -> None:
    """There is nothing to see: detail is for where it matters. Where all is safe, all of it does."""
    m = Model("late")
    wrong, good, number = m.bool("wrong"), m.bool("good"), m.int("number", 0, 5)
    with m.thread("p") as p:
        with p.either() as choice:
            with choice():
                p.do("goes wrong", wrong.set())
            with choice():
                p.do("goes well", good.set())
                with p.while_(number < 5):
                    p.do("counts", number.inc())
    m.always("right", ~wrong)
    system = m.compile()
    graph = quotient_graph(Quotient.of(StateStory(system, system.property_named("right")), 20))
    assert [values["states"] for _, values in graph.nodes(data=True) if values["fate"] == "safe"] == [
        len(StateStory(system)) - 2
    ]
    assert len(quotient_graph(Quotient.of(StateStory(system), 20))) > 6


def test_no_more_nodes_than_may_be() -> None:
    """A trait that would make too many is left out, and those behind it are tried."""
    assert [len(merged(most)) for most in range(1, 8)] == [4, 4, 4, 4, 5, 6, 6]


# -- read back --------------------------------------------------------------------------------------


def test_a_quotient_comes_back_from_json_and_graphml() -> None:
    """Networkx reads the same nodes, edges and values, but for empty text, which GraphML leaves out."""
    graph = merged(6)
    back: Any = nx.node_link_graph(json.loads(json.dumps(to_node_link(graph))), edges="edges")
    assert nx.utils.graphs_equal(back, graph)
    other: Any = nx.read_graphml(BytesIO(to_graphml(graph)), node_type=int, force_multigraph=True)
    for node, values in graph.nodes(data=True):
        assert other.nodes[node] == dict(_kept(values))
    found = {
        (u, v): {name: value for name, value in values.items() if name != "id"}
        for u, v, values in other.edges(data=True)
    }
    assert found == {ends: dict(_kept(values)) for ends, values in edges(graph).items()}


def _kept(values: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((name, value) for name, value in values.items() if value != "")

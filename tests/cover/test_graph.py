"""The transition graph: what stands in it, when it is refused, and its files."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from io import BytesIO
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from draincheck.analysis.transition_graph import MAX_DRAWN, attribute_names, transition_graph
from draincheck.errors import DrawingError, GraphTooLarge, ModelError, SourceLine
from draincheck.expr import FALSE, TRUE
from draincheck.lang import Model
from draincheck.properties import Always, Assertion
from draincheck.report.dot import draw_svg
from draincheck.report.graphs import to_dot, to_graphml, to_node_link, to_svg
from draincheck.sorts import BOOL, EnumSort, IntSort
from draincheck.system import (
    Action,
    BoolVar,
    Check,
    EnumVar,
    Fault,
    FaultKind,
    IntVar,
    Part,
    TransitionSystem,
    Variable,
)
from draincheck.verdict import Limits

needs_dot = pytest.mark.needs("dot")

LINE = SourceLine("demo.py", 3)
OPEN = BoolVar("open", BOOL, (0,))
REQUEST = EnumVar("request", EnumSort.of(["new", "in flight", "done"]), (0,))
PC = IntVar("pc", IntSort(0, 1), (0,), internal=True)


def part(label: str, mark: str = "", when: Any = TRUE) -> Part:
    """A part that stands in no call."""
    return Part(label, (), 0, mark, LINE, when)


def system() -> TransitionSystem:
    """A section opens and closes while a request comes and goes; two different steps close it."""
    return TransitionSystem(
        "demo",
        (OPEN, REQUEST, PC),
        (
            Action(0, "main", (part("begin", "a"),), ~OPEN & PC.is_(0), (OPEN.set(), PC.set(1))),
            Action(1, "main", (part("end", "c"), part("skipped", "x", FALSE)), OPEN, (OPEN.clear(),)),
            Action(2, "main", (part("leave"),), OPEN, (OPEN.clear(),)),
            Action(
                3,
                "guest",
                (part("submit", "b"), part("count")),
                REQUEST.is_("new"),
                (REQUEST.set("in flight"),),
                (Check("drained", ~OPEN, LINE),),
            ),
        ),
        (Assertion("drained"), Always("quiet", ~(OPEN & REQUEST.is_("in flight"))), Always("never open", ~OPEN)),
        final=REQUEST.is_("in flight") & ~OPEN & PC.is_(1),
    )


def counter(last: int) -> TransitionSystem:
    """A system with `last + 1` states in a row."""
    count = IntVar("count", IntSort(0, last), (0,))
    return TransitionSystem("counter", (count,), (Action(0, "p", (), count < last, (count.inc(),)),))


def nodes(graph: nx.MultiDiGraph[int]) -> dict[int, dict[str, Any]]:
    """Attributes by node."""
    return {node: dict(values) for node, values in graph.nodes(data=True)}


def edges(graph: nx.MultiDiGraph[Any]) -> list[tuple[int, int, dict[str, Any]]]:
    """Edges with their attributes, in a fixed order."""
    return sorted(
        ((u, v, dict(d)) for u, v, d in graph.edges(data=True)), key=lambda edge: (*edge[:2], edge[2]["action"])
    )


# -- the graph --------------------------------------------------------------------------------------


def test_graph_has_every_state_and_every_action_once() -> None:
    """States are numbered layer by layer, the smaller first; two actions between two states are two edges."""
    graph = transition_graph(system())
    assert [(u, v, key) for u, v, key in graph.edges(keys=True)] == [
        (0, 2, 0),
        (0, 1, 3),
        (1, 4, 0),
        (2, 3, 1),
        (2, 3, 2),
        (2, 4, 3),
        (3, 5, 3),
        (4, 5, 1),
        (4, 5, 2),
    ]
    assert list(graph) == [0, 1, 2, 3, 4, 5]
    assert graph.graph == {"name": "demo", "digest": system().digest}


def test_node_carries_values_and_what_is_demanded_of_it() -> None:
    """Visible values decoded, internal ones left out; initial, final and violating states are told."""
    found = nodes(transition_graph(system()))
    assert found[0] == {
        "open": False,
        "request": "new",
        "initial": True,
        "final": False,
        "deadlock": False,
        "bound": False,
        "violates": "",
    }
    assert [found[n]["violates"] for n in found] == ["", "", "never open", "", "quiet,never open", ""]
    assert [n for n in found if found[n]["final"]] == [5]
    assert [n for n in found if found[n]["initial"]] == [0]
    assert found[4]["request"] == "in flight"


def test_edge_carries_what_took_place() -> None:
    """An edge tells the action, its process, the labels and marks of the parts that took place, and broken assertions."""
    graph = transition_graph(system())
    assert graph.edges[2, 4, 3] == {
        "action": 3,
        "process": "guest",
        "label": "submit; count",
        "marks": "b",
        "violates": "drained",
    }
    assert graph.edges[0, 1, 3]["violates"] == ""
    assert (graph.edges[2, 3, 1]["label"], graph.edges[2, 3, 1]["marks"]) == ("end", "c")
    assert graph.edges[2, 3, 2]["marks"] == ""


def test_state_without_actions_is_a_deadlock_unless_final() -> None:
    """The last state of a counter is a deadlock; declared final, it is not."""
    deadlocked = nodes(transition_graph(counter(2)))
    assert [deadlocked[n]["deadlock"] for n in deadlocked] == [False, False, True]
    assert not nodes(transition_graph(system()))[5]["deadlock"]


def test_all_initial_states_come_first() -> None:
    """Several initial states are the first nodes, and all of them are marked."""
    free = BoolVar("free", BOOL, (0, 1))
    found = nodes(transition_graph(TransitionSystem("free", (free, OPEN), system().actions[:0])))
    assert [(found[n]["free"], found[n]["initial"]) for n in found] == [(False, True), (True, True)]


def test_bound_is_not_passed_but_told() -> None:
    """An action that passes a bound is not followed, and its state is neither complete nor a deadlock."""
    bound = Fault(FaultKind.BOUND, OPEN, "too deep", LINE)
    action = Action(0, "p", (), TRUE, (OPEN.set(),), (), (bound,))
    found = transition_graph(TransitionSystem("bounded", (OPEN,), (action,)))
    assert [(n["bound"], n["deadlock"]) for n in nodes(found).values()] == [(False, False), (True, False)]
    assert found.number_of_edges() == 1


def test_an_error_marks_the_state_where_it_is_met() -> None:
    """A step that makes no sense is not taken; its state says what it violates."""
    fault = Fault(FaultKind.RANGE, OPEN, "open would become 2", LINE)
    action = Action(0, "p", (), TRUE, (OPEN.set(),), (), (fault,))
    found = transition_graph(TransitionSystem("faulty", (OPEN,), (action,)))
    assert [(n["bound"], n["deadlock"], n["violates"]) for n in nodes(found).values()] == [
        (False, False, ""),
        (False, False, "values in range"),
    ]
    assert found.number_of_edges() == 1


def test_limit_is_the_number_of_states_that_still_fit() -> None:
    """A graph of exactly as many states as allowed is given; one state more, and there is no part of a graph."""
    assert len(transition_graph(counter(9), Limits(states=10))) == 10
    with pytest.raises(GraphTooLarge, match="counter has more than 9 reachable states"):
        transition_graph(counter(9), Limits(states=9))


def test_no_limit_means_none() -> None:
    """Without limits a graph above the usual size is given."""
    assert len(transition_graph(counter(5_000), Limits())) == 5_001
    with pytest.raises(GraphTooLarge):
        transition_graph(counter(5_000))


def test_time_limit_refuses_too() -> None:
    """A graph that is not complete in time is refused, one that is complete is given."""
    assert len(transition_graph(counter(9), Limits(seconds=600))) == 10
    with pytest.raises(GraphTooLarge, match="not complete after -1 s;"):
        transition_graph(counter(9), Limits(seconds=-1))


def test_variable_named_like_an_attribute_is_renamed() -> None:
    """No variable hides an attribute of the graph, nor another variable."""
    names = ["id", "final", "variable_final", "node_for_adding", "data[0]"]
    variables: tuple[Variable, ...] = tuple(BoolVar(name, BOOL, (1,)) for name in names)
    named = TransitionSystem("names", variables, ())
    assert attribute_names(named) == {
        "id": "variable_id",
        "final": "variable_variable_final",
        "variable_final": "variable_final",
        "node_for_adding": "node_for_adding",
        "data[0]": "data[0]",
    }
    graph = transition_graph(named)
    assert graph.nodes[0]["variable_id"] is True
    assert graph.nodes[0]["final"] is False
    nodes = to_node_link(graph)["nodes"]
    assert isinstance(nodes, list) and isinstance(nodes[0], dict) and nodes[0]["id"] == 0


def test_networkx_is_loaded_only_for_a_graph() -> None:
    """What checks, explains and reports does not load networkx: commands that draw nothing start without it."""
    modules = "draincheck.checking, draincheck.analysis.explain, draincheck.report.text, draincheck.report.explain_text"
    code = f"import sys, {modules}; sys.exit('networkx' in sys.modules)"
    paths = [str(Path(__file__).parents[2] / "model")]
    subprocess.run([sys.executable, "-c", f"import sys; sys.path[:0] = {paths!r}; {code}"], check=True)


# -- JSON and GraphML -------------------------------------------------------------------------------


def test_node_link_comes_back_as_the_same_graph() -> None:
    """Through JSON text and networkx' own reader the graph is the same, keys and attributes included."""
    graph = transition_graph(system())
    data = json.loads(json.dumps(to_node_link(graph)))
    back = nx.node_link_graph(data, edges="edges")
    assert nx.utils.graphs_equal(back, graph)
    assert set(data) == {"directed", "multigraph", "graph", "nodes", "edges"}


def _read_back(data: bytes) -> nx.MultiDiGraph[int]:
    return nx.read_graphml(BytesIO(data), node_type=int, force_multigraph=True)  # type: ignore[return-value]


def test_graphml_comes_back_with_all_values() -> None:
    """What networkx reads back are the same nodes, edges and typed values; empty text is left out."""
    graph = transition_graph(system())
    back = _read_back(to_graphml(graph))
    assert isinstance(back, nx.MultiDiGraph)
    full = {node: {k: v for k, v in values.items() if v != ""} for node, values in nodes(graph).items()}
    assert nodes(back) == full
    found = [(u, v, {k: x for k, x in d.items() if k != "id"}) for u, v, d in edges(back)]
    assert found == [(u, v, {k: x for k, x in d.items() if x != ""}) for u, v, d in edges(graph)]
    assert back.graph["name"] == "demo"


def test_graphml_edge_ids_are_unique() -> None:
    """An id stands once in the whole file, though actions repeat."""
    ids = [
        edge.get("id")
        for edge in ET.fromstring(to_graphml(transition_graph(system()))).iter()
        if "source" in edge.attrib
    ]
    assert len(ids) == len(set(ids)) == 9


def test_graphml_spells_truth_values_as_xml_does() -> None:
    """Truth values are `true` and `false`; text that happens to read True stays as it is."""
    word = EnumVar("word", EnumSort.of(["True"]), (0,))
    root = ET.fromstring(to_graphml(transition_graph(TransitionSystem("word", (word, OPEN), ()))))
    texts = [data.text for data in root.iter() if data.tag.endswith("data")]
    assert "True" in texts
    assert {"true", "false"} <= set(texts)
    assert "False" not in texts


def test_graphml_is_the_same_whether_lxml_is_installed_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """The writer that networkx silently prefers where lxml is installed is never used."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the lxml writer was used")

    for name in ("write_graphml", "write_graphml_lxml", "GraphMLWriterLxml"):
        monkeypatch.setattr(f"networkx.readwrite.graphml.{name}", refuse)
    data = to_graphml(transition_graph(system()))
    assert data.startswith(b"<?xml version='1.0' encoding='utf-8'?>\n<graphml ")
    assert data == to_graphml(transition_graph(system()))


def _tricky(label: str) -> nx.MultiDiGraph[int]:
    action = Action(0, 'the "guest"', (part(label, "b"),), ~OPEN, (OPEN.set(),))
    return transition_graph(TransitionSystem("tricky", (OPEN,), (action,)))


def test_graphml_holds_any_label() -> None:
    """Markup in a label is escaped; a character that XML cannot hold is replaced, or no reader would take the file."""
    assert edges(_read_back(to_graphml(_tricky('a < "b" & ü\n'))))[0][2]["label"] == 'a < "b" & ü\n'
    assert edges(_read_back(to_graphml(_tricky("bell \x07 rings"))))[0][2]["label"] == "bell \\u0007 rings"


def test_writing_files_leaves_the_graph_alone() -> None:
    """No writer changes the graph it is given."""
    graph = transition_graph(system())
    assert all([to_dot(graph), to_graphml(graph), to_node_link(graph)])
    assert nx.utils.graphs_equal(graph, transition_graph(system()))


# -- DOT and SVG ------------------------------------------------------------------------------------


def test_dot_shows_what_matters() -> None:
    """Nodes show what differs from the first state; special states and marked edges stand out."""
    lines = to_dot(transition_graph(system())).splitlines()
    assert lines[0] == 'digraph "demo" {'
    assert '  0 [label="0", peripheries="2"];' in lines
    assert (
        '  4 [label="4\\nopen=1\\nrequest=in flight", fillcolor="salmon", tooltip="violates quiet,never open"];'
        in lines
    )
    assert '  5 [label="5\\nrequest=in flight", fillcolor="gray85"];' in lines
    assert '  0 -> 2 [label="(a) main: begin", style="bold", penwidth="2"];' in lines
    assert '  2 -> 3 [label="main: leave"];' in lines
    assert (
        '  2 -> 4 [label="(b) guest: submit; count", style="bold", penwidth="2", color="red", tooltip="violates drained"];'
        in lines
    )


def test_dot_highlights_deadlocks_and_bounds() -> None:
    """A deadlock is orange; a state behind which a bound was not passed is dashed."""
    assert '  2 [label="2\\ncount=2", fillcolor="orange"];' in to_dot(transition_graph(counter(2))).splitlines()
    fault = Fault(FaultKind.BOUND, TRUE, "too deep", LINE)
    bounded = TransitionSystem("bounded", (OPEN,), (Action(0, "p", (), TRUE, (), (), (fault,)),))
    assert '  0 [label="0", peripheries="2", style="rounded,filled,dashed"];' in to_dot(transition_graph(bounded))


def test_dot_escapes_labels() -> None:
    """Quotes, backslashes and line ends do not end a label, and a backslash before an N does not become the name of the node."""
    text = to_dot(_tricky('say "\\N"\nor not'))
    assert '[label="(b) the \\"guest\\": say \\"\\\\N\\"\\nor not", style=' in text


@needs_dot
@pytest.mark.parametrize(
    "label", ['"quoted"', "\\N \\G \\", "two\nlines", "<b>bold</b> &amp;", "ünï", "\x07\x00", "};"]
)
def test_dot_accepts_any_label(label: str) -> None:
    """Graphviz draws a graph with any label in it, and the picture is XML."""
    svg = draw_svg(to_dot(_tricky(label)))
    assert ET.fromstring(svg).tag.endswith("svg")


@needs_dot
def test_picture_shows_labels_as_they_are() -> None:
    """What a label says is what the picture says."""
    texts = [text.text for text in ET.fromstring(to_svg(_tricky('a < "\\N"'))).iter() if text.tag.endswith("text")]
    assert '(b) the "guest": a < "\\N"' in texts


@needs_dot
def test_graphviz_error_is_passed_on() -> None:
    """What Graphviz says about a text it cannot read is in the error."""
    with pytest.raises(DrawingError, match=r"dot failed with status 1: .*syntax error"):
        draw_svg("digraph {")


def test_missing_graphviz_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Graphviz the error says what is missing and what to do."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(DrawingError, match=r"Graphviz is needed .* install the package graphviz"):
        draw_svg(to_dot(transition_graph(system())))


def test_endless_drawing_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A drawing that takes too long is given up with a clear error."""

    def too_long(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("dot", 120)

    monkeypatch.setattr(shutil, "which", lambda _: "dot")
    monkeypatch.setattr(subprocess, "run", too_long)
    with pytest.raises(DrawingError, match="did not finish in 120 seconds"):
        draw_svg("digraph {}")


def test_hairball_is_not_drawn() -> None:
    """Above the size at which anybody finds anything in it, no picture is made, whether Graphviz is there or not."""
    with pytest.raises(GraphTooLarge, match=f"counter has more than {MAX_DRAWN} reachable states"):
        to_svg(transition_graph(counter(MAX_DRAWN)))


def test_a_graph_is_of_a_system() -> None:
    """What has one says how it is got."""
    m = Model("m")
    with m.thread("p") as p:
        p.do("step")
    for what in (m, m.compile):
        with pytest.raises(ModelError, match=r"a graph is of a system: write \.compile\(\) behind a model"):
            transition_graph(what)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert len(transition_graph(m.compile())) == 2  # negative control

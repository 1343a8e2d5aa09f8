"""Pictures of graphs: what a quotient and a trace with its neighbours look like, and that they can be read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import nullcontext
from io import BytesIO
from typing import Any

import networkx as nx
import pytest

from check_invariants.documents import json_text
from draincheck import Run
from draincheck.analysis.neighbourhood import neighbourhood
from draincheck.analysis.quotient import Quotient, quotient_graph
from draincheck.analysis.state_story import StateStory
from draincheck.checking import check
from draincheck.escape import unescaped
from draincheck.lang import Model
from draincheck.report.dot import draw_png, draw_svg
from draincheck.report.graphs import to_graphml, to_node_link
from draincheck.report.path_picture import MOST, path_dot
from draincheck.report.picture import FILLS, LEAST_SIZE, cut, is_legible, text_size, two_lines
from draincheck.report.quotient_picture import legible_quotient, quotient_dot
from draincheck.run import Trace
from draincheck.system import TransitionSystem
from tests.golden.documents import validator
from tests.support.drawn_graphs import boxes, nodes_of, overlapping, smallest_letters, texts
from tests.support.machines import counter
from tests.support.samples import sampled

pytestmark = pytest.mark.needs("dot")

#: what breaks other formats
NASTY = (
    '"',
    "\\N \\",
    "<b>&amp;",
    "]]>",
    "{a|b}",
    "\x1b[31m\x00",
    "\ud800",
    "two\nlines",
    "ünï ☃",
    "x" * 300,
    "",
    "a, b",
    "};",
)


def race(names: Callable[[str], str] = str) -> TransitionSystem:
    """A window opens and closes while a request is submitted; `names` makes the names of everything."""
    m = Model(names("race"))
    opened, state = m.bool(names("open")), m.enum(names("request"), names("new"), names("in flight"))
    with m.thread(names("job")) as p, p.call(names("mirror_run")):
        p.do(names("opens"), opened.set(), mark="w")
        p.do(names("closes"), opened.clear(), mark="c")
    with m.thread(names("guest")) as p:
        p.do(names("submits"), state.set(names("in flight")), mark="b")
    m.always(names("apart"), ~(opened & state.is_(names("in flight"))), meaning=names("never together"))
    return m.compile()


def merged(system: TransitionSystem, most: int = 20) -> nx.MultiDiGraph[int]:
    """The quotient of a system by its first property."""
    return quotient_graph(Quotient.of(StateStory(system, system.properties[0]), most))


def path(system: TransitionSystem) -> nx.MultiDiGraph[int]:
    """The counterexample of a system's first property, with its neighbours."""
    item = system.properties[0]
    trace = check(system, [item.name])[item.name].verdict.trace
    assert trace is not None
    return neighbourhood(Run.of(system, trace), StateStory(system, item))


# -- quotients --------------------------------------------------------------------------------------


def test_the_violating_region_is_coloured() -> None:
    """Each fate has its colour, and the node that violates the property a red frame."""
    graph = merged(race())
    nodes = nodes_of(quotient_dot(graph))
    for node, values in graph.nodes(data=True):
        assert nodes[str(node)]["fillcolor"] == FILLS[values["fate"]]
        assert (nodes[str(node)].get("penwidth") == "3") is values["violates"]


def test_the_initial_state_is_marked() -> None:
    """By a double frame, and an arrow from nowhere."""
    text = quotient_dot(merged(race()))
    assert {name for name, node in nodes_of(text).items() if node.get("peripheries") == "2"} == {"0"}
    assert "  start -> 0;" in text.splitlines()


def test_the_legend_says_what_is_there() -> None:
    """How many states have which fate, and which arrows are of note; what is not there is not explained."""
    said = texts(draw_svg(quotient_dot(merged(race()))))
    for words in (
        "2 violation avoidable",
        "1 no longer avoidable",
        "1 violated",
        "2 safe for good",
        "→ the point of no return",
        "→ a step that violates it",
    ):
        assert words in said
    holding = texts(draw_svg(quotient_dot(merged(counter(3, "in range")))))
    assert "4 safe for good" in holding
    assert not any(words in holding for words in ("avoidable", "violated", "→"))


def test_steps_of_note_look_otherwise() -> None:
    """The violating step is red, the point of no return orange; others are plain."""
    graph = merged(race(), 4)
    lines = {
        tuple(map(int, re.findall(r"\d+", line)[:2])): line
        for line in quotient_dot(graph).splitlines()
        if re.match(r"  \d+ -> ", line)
    }
    kinds = {
        ends: "red" if "#b00020" in line else "orange" if "#d05f00" in line else "" for ends, line in lines.items()
    }
    expected = {
        (u, v): "red" if edge["violates"] else "orange" if edge["no_return"] else ""
        for u, v, edge in graph.edges(data=True)
        if u != v
    }
    assert kinds == expected
    assert set(expected.values()) == {"red", "orange", ""}


def stumbling(*, again: bool) -> TransitionSystem:
    """A step violates the property, and what comes after it does not; `again`: it comes back to where it was taken."""
    m = Model("stumbling")
    up, done = m.bool("up"), m.bool("done")
    with m.thread("other") as p:
        p.do("rises", up.set())
    with m.thread("walker") as p, p.loop() if again else nullcontext(), p.atomic():
        p.check("never up", ~up)
        p.do("walks", done.set(not again))
    return m.compile()


@pytest.mark.parametrize("again", [False, True])
def test_a_step_that_violates_comes_to_a_red_node(again: bool) -> None:
    """It stands between two that have other colours; also where the step does not leave its node."""
    drawn = quotient_dot(merged(stumbling(again=again)))
    (red,) = re.findall(r"^  (violated_\d+_(\d+)) \[label=\"violated\", .*fillcolor=\"#f28b82\"", drawn, re.MULTILINE)
    name, target = red
    assert re.search(rf'-> {name} \[label="walker: walks".*color="#b00020"', drawn)
    assert re.search(rf"{name} -> {target} \[", drawn)
    assert (f"violated_{target}_{target}" == name) is again


def test_a_trace_is_red_from_the_step_on_that_violates() -> None:
    """Whatever could come after it alone: what the trace has come to is no good news."""
    m = Model("stumbling")
    up = m.bool("up")
    with m.thread("walker") as p:
        p.do("rises", up.set())
        p.check("never up", ~up)
    drawn = path_dot(path(m.compile()))
    fills = re.findall(r'label="(start|after \d+).*fillcolor="([^"]*)"', drawn)
    assert [FILLS["violated"] == fill for _, fill in fills] == [False, False, True]


def test_steps_inside_a_node_are_a_sign_in_it() -> None:
    """No arrow leads from a node to itself; whoever has such steps says so."""
    graph = merged(race(), 4)
    nodes = nodes_of(quotient_dot(graph))
    assert (
        {int(name) for name, node in nodes.items() if "↻" in node["label"]}
        == {n for n in graph if graph.has_edge(n, n)}
        != set()
    )


def test_why_there_are_no_colours_is_said() -> None:
    """Of a goal that is to be reached no state has a fate."""
    assert "no colours:" in texts(draw_svg(quotient_dot(merged(counter(3, "top")))))


def fan(arms: int, length: int) -> TransitionSystem:
    """One state from which many others are reached, by steps and values with long names."""
    m = Model("fan")
    names = [f"{number:03} " + "m" * length for number in range(arms)]
    way = m.enum("way", *names)
    with m.thread("p") as p, p.either() as choice:
        for name in names[1:]:
            with choice():
                p.do(name, way.set(name))
    m.reachable("somewhere", way.is_(names[1]))
    return m.compile()


def test_a_picture_that_cannot_be_read_is_drawn_with_fewer_nodes() -> None:
    """As many nodes as still can be read; what is narrow anyway keeps them all."""
    system = fan(18, 60)
    story = StateStory(system, system.properties[0])
    wide = draw_svg(quotient_dot(quotient_graph(Quotient.of(story))))
    assert not is_legible(wide) and smallest_letters(wide) < LEAST_SIZE
    graph = legible_quotient(story)
    assert 1 < len(graph) < 18
    assert smallest_letters(draw_svg(quotient_dot(graph))) >= LEAST_SIZE
    narrow = race()
    assert len(legible_quotient(StateStory(narrow, narrow.properties[0]))) == len(merged(narrow))


def test_the_size_of_letters_is_what_the_picture_says() -> None:
    """Computed from the width alone it is what its texts and view box say."""
    for system in (race(), fan(18, 60)):
        svg = draw_svg(quotient_dot(merged(system)))
        assert text_size(svg) == pytest.approx(smallest_letters(svg), rel=0.02)


def test_long_texts_are_cut() -> None:
    """In two lines at an edge, a long word included, and in one in a node."""
    assert two_lines("a few words that go on and on", 12) == ["a few words", "that go on …"]
    assert two_lines("x" * 99, 10) == ["x" * 17 + "…"]
    assert two_lines("", 10) == [""]
    assert (cut("abc", 3), cut("abcd", 3)) == ("abc", "ab…")


def test_a_picture_for_a_dark_screen() -> None:
    """An SVG turns its colours round where that is wanted; a PNG is a PNG."""
    text = quotient_dot(merged(race()))
    assert "prefers-color-scheme: dark" in draw_svg(text)
    assert draw_png(text).startswith(b"\x89PNG")


# -- traces -----------------------------------------------------------------------------------------


def test_a_trace_is_a_path_with_its_neighbours() -> None:
    """States of the trace have numbers, the others are dashed; colours say what becomes of the property."""
    graph = path(race())
    nodes = nodes_of(path_dot(graph))
    on_path = [values["at"] for _, values in graph.nodes(data=True)]
    assert on_path == ["0", "1", "2", "", ""]
    assert [nodes[str(node)]["label"].split("\\n")[0] for node in range(3)] == ["start", "after 1", "after 2"]
    assert [nodes[str(node)].get("style") for node in range(5)] == ["rounded,filled"] * 3 + [
        "rounded,filled,dashed"
    ] * 2
    assert all(nodes[str(node)]["fillcolor"] == FILLS[values["fate"]] for node, values in graph.nodes(data=True))


def long_run(length: int, arms: int = 1, mark: str = "") -> nx.MultiDiGraph[int]:
    """A trace of a counter that could also have stopped, in so many ways, at every number."""
    m = Model("long run")
    number, stopped = m.int("number", 0, length), m.int("stopped", 0, arms)
    with m.thread("p") as p, p.while_(number < length):
        p.do("counts", number.inc(), mark=mark)
    for arm in range(arms):
        with m.thread(f"q{arm}") as p:
            p.do("stops", stopped.set(arm + 1), when=stopped.is_(0))
    m.always("short", number < length)
    system = m.compile()
    trace = check(system, ["short"])["short"].verdict.trace
    assert trace is not None
    return neighbourhood(Run.of(system, trace), StateStory(system, system.properties[0]))


def test_a_long_trace_is_folded() -> None:
    """In a picture of at most so many nodes; how many steps an arrow stands for is said. The graph itself has all of them."""
    graph = long_run(70)
    text = path_dot(graph)
    assert len(graph) > 2 * 70 and len(nodes_of(text)) <= MOST
    assert "style=dotted" in text.replace('"', "") and "several at once where an arrow is dotted" in texts(
        draw_svg(text)
    )
    assert "dotted" not in path_dot(long_run(5))


def test_the_longest_trace_is_folded() -> None:
    """Also if each of its steps tells something, and much could be done beside each: the last steps are kept."""
    text = path_dot(long_run(70, 9, "a"))
    assert len(nodes_of(text)) <= MOST
    assert "(a) counts" in texts(draw_svg(text))


def test_many_neighbours_are_counted() -> None:
    """Four of them are drawn, of the others the number."""
    nodes = nodes_of(path_dot(long_run(1, 9)))
    assert nodes["more0"]["label"] == "and 5 more"


def test_a_loop_comes_back() -> None:
    """A state that the trace passes twice is one node."""
    m = Model("round")
    bit = m.bool("bit")
    with m.thread("p") as p, p.loop():
        p.do("up", bit.set())
        p.do("down", bit.clear())
    system = m.compile()
    run = Run.of(system, Trace(system.name, system.digest, "", system.initial[0], (0, 1), 0))
    graph = neighbourhood(run)
    assert [values["at"] for _, values in graph.nodes(data=True)] == ["0,2", "1"]
    assert [edge["step"] for _, _, edge in graph.edges(data=True)] == ["1", "2"]
    assert nodes_of(path_dot(graph))["0"]["label"] == "after 0, 2"


# -- what both have to stand ------------------------------------------------------------------------

DRAWINGS: dict[str, Callable[[TransitionSystem], str]] = {
    "quotient": lambda system: quotient_dot(merged(system)),
    "path": lambda system: path_dot(path(system)),
}


@pytest.mark.parametrize("drawing", DRAWINGS)
@pytest.mark.parametrize("name", sampled(NASTY, list(NASTY)[::3]))
def test_any_name_is_drawn(name: str, drawing: str) -> None:
    """Graphviz reads it, the picture is XML, and no node lies over another one."""
    plain = DRAWINGS[drawing](race())
    text = DRAWINGS[drawing](race(lambda word: f"{word}{name}{word}"))
    assert nodes_of(text).keys() == nodes_of(plain).keys()
    assert texts(draw_svg(text))
    assert overlapping(boxes(text)) == []


@pytest.mark.parametrize("kind", ["graph-merged", "graph-trace"])
@pytest.mark.parametrize("name", NASTY)
def test_any_name_comes_back_from_files(name: str, kind: str) -> None:
    """Networkx reads the same values from JSON, which follows its schema, and from GraphML, where others stand for what XML cannot hold."""
    system = race(lambda word: f"{word}{name}{word}")
    graph = merged(system) if kind == "graph-merged" else path(system)
    data = json.loads(json_text(kind, {**to_node_link(graph)}))
    validator(kind).validate(data)
    assert nx.utils.graphs_equal(nx.node_link_graph(data, edges="edges"), graph)
    back: Any = nx.read_graphml(BytesIO(to_graphml(graph)), node_type=int, force_multigraph=True)
    for node, values in graph.nodes(data=True):
        assert {unescaped(k): _plain(v) for k, v in back.nodes[node].items()} == {
            k: v for k, v in values.items() if v != ""
        }
    found = {(u, v): {k: _plain(x) for k, x in edge.items() if k != "id"} for u, v, edge in back.edges(data=True)}
    assert found == {(u, v): {k: x for k, x in edge.items() if x != ""} for u, v, edge in graph.edges(data=True)}


def _plain(value: Any) -> Any:
    return unescaped(value) if isinstance(value, str) else value


@pytest.mark.parametrize("name", ['"', "\\N", "<b>&amp;", "&#65;", "ü☃"])
def test_names_are_shown_as_they_are(name: str) -> None:
    """What the model calls things is what the picture says."""
    said = texts(draw_svg(quotient_dot(merged(race(lambda word: f"{word} {name}")))))
    assert f"race {name}: apart {name}" in said
    assert f"(b) submits {name}" in said.replace("\n", " ")


def test_nodes_that_lie_over_each_other_are_noticed() -> None:
    """The negative control of what is read back: two nodes pinned to one place."""
    text = 'digraph { graph [layout=neato]; a [pos="0,0!"]; b [pos="0.1,0!"]; c [pos="9,9!"]; }'
    assert overlapping(boxes(text)) == [("a", "b")]

"""Traces in Graphviz' language, as Graphviz itself reads them."""

from __future__ import annotations

import subprocess
from html import unescape
from itertools import pairwise

import pytest

from draincheck.escape import unescaped
from draincheck.report import trace_dot
from draincheck.report.folding import folded
from draincheck.report.lanes import lanes_of
from draincheck.report.trace_dot import MOST_STEPS, trace_in_dot
from tests.support.graphviz import read
from tests.support.runs import RUNS, of_code_base
from tests.support.samples import sampled

pytestmark = pytest.mark.needs("dot")


def words(label: str) -> str:
    """A label as it is shown, without spaces: Graphviz breaks lines at a backslash and an n, and shows of two backslashes one."""
    shown = unescape(label).replace("\\\\", "\0").replace("\\n", "").replace("\0", "\\")
    return said(unescaped(shown))


def said(text: str) -> str:
    """A text without spaces."""
    return "".join(text.split())


@pytest.mark.parametrize("name", sampled(RUNS, [name for name in RUNS if name != "long"]))
def test_graphviz_reads_a_path_with_all_its_words(name: str) -> None:
    """A state for each step that is drawn and one before, an edge to each; and one back, where it goes on for ever."""
    run, about = RUNS[name]()
    lanes = lanes_of(run, about)
    steps = folded(lanes, MOST_STEPS).steps
    graph = read(trace_in_dot(run, about))
    labels = [words(node["label"]) for node in graph["objects"]]
    edges = graph.get("edges", [])
    numbers = [int(node["name"]) for node in graph["objects"]]
    assert numbers == [0, *(step.number for step in steps)]
    path = [(numbers[edge["tail"]], numbers[edge["head"]]) for edge in edges]
    assert path[: len(steps)] == list(pairwise(numbers))
    assert len(path) == len(steps) + (lanes.loop is not None)
    for label, edge, step in zip(labels[1:], edges, steps, strict=False):
        assert all(said(change.name) in label for change in step.changes)
        assert all(said(part) in words(edge["label"]) for part in (lanes.lanes[step.lane].name, *step.labels))
    assert words(graph["label"]) == said(lanes.ending.words)


def test_windows_marks_and_the_end_show() -> None:
    """States in the window are coloured, the last one otherwise; marked steps are bold, those that break a check red."""
    graph = read(trace_in_dot(*of_code_base()))
    colours = {node["name"]: node.get("fillcolor") for node in graph["objects"]}
    assert (colours["22"], colours["23"], colours["41"], colours["42"]) == ("white", "mistyrose", "mistyrose", "salmon")
    bold = [edge["label"].partition(".")[0] for edge in graph["edges"] if edge.get("style") == "bold"]
    assert bold == ["23", "26", "35", "42"]
    assert [edge["label"].partition(".")[0] for edge in graph["edges"] if edge["color"] == "red"] == ["23", "26", "42"]


def test_what_is_left_out_is_counted() -> None:
    """Before the step that comes next."""
    graph = read(trace_in_dot(*of_code_base(), short=True))
    assert any("left out" in edge["label"] for edge in graph["edges"])


def test_a_broken_escaper_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: without it Graphviz does not read the file."""
    monkeypatch.setattr(trace_dot, "quoted", lambda text: f'"{text}"')
    with pytest.raises((subprocess.CalledProcessError, AssertionError, UnicodeEncodeError)):
        test_graphviz_reads_a_path_with_all_its_words("nasty")

"""`list` and `graph`: tables of names, and graphs for other tools."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from draincheck.knobs import all_knobs
from draincheck.revisions import REVISIONS, code_bases
from drainspecs.mirror.claims import CLAIMS
from drainspecs.mirror.liveness import LIVENESS
from drainspecs.mirror.mitigations import MITIGATIONS
from drainspecs.mirror.properties import PROPERTIES
from drainspecs.mirror.scenarios import SCENARIOS
from drainspecs.mirror.stray_requests import CASES
from drainspecs.mirror.terms import TERMS
from tests.golden.documents import validator
from tests.support.cli import run

# -- list -------------------------------------------------------------------------------------------

NAMES = {
    "revisions": [row.name for row in code_bases()],
    "scenarios": [item.name for item in SCENARIOS],
    "properties": [item.name for item in (*PROPERTIES, *LIVENESS)] + list(CASES),
    "knobs": [knob.name for knob in all_knobs().values()],
    "claims": [claim.name for claim in CLAIMS],
    "terms": [item.name for item in TERMS],
    "mitigations": [item.name for item in MITIGATIONS],
}


@pytest.mark.parametrize("what", NAMES)
def test_a_list_has_a_line_a_name(what: str) -> None:
    """Every name of the table, in its order, below a line of headers."""
    result = run("list", what)
    lines = result.stdout.partition("\n\n")[0].splitlines()[1:]
    assert len(lines) == len(NAMES[what])
    assert all(line.startswith(f"{name} ") for line, name in zip(lines, NAMES[what], strict=True))
    assert result.exit_code == 0


@pytest.mark.parametrize("what", NAMES)
def test_a_list_as_json(what: str) -> None:
    """The document follows its schema and has the same names."""
    data = json.loads(run("list", what, "--json").stdout)
    validator("list").validate(data)
    key = "revision" if what == "revisions" else "name"
    assert (data["list"], [item[key] for item in data["items"]]) == (what, NAMES[what])


def test_revisions_say_what_they_turn() -> None:
    """A row's knobs against the row before it, a control's against its base."""
    items = {item["revision"]: item for item in json.loads(run("list", "revisions", "--json").stdout)["items"]}
    assert items["ab27c3b5e7"]["turns"] == {"bandage": True}
    assert items["d4a92a8420"]["turns"] == {"bandage": False}
    assert items["ab27c3b5e7-nested-drain"]["turns"] == {"drain": "nested"}
    assert (items["ab27c3b5e7"]["control"], items["ab27c3b5e7-nested-drain"]["control"]) == (False, True)
    assert "  bandage=on\n" in run("list", "revisions").stdout


def test_the_list_of_revisions_says_what_its_dates_are() -> None:
    """They are author dates, which do not follow the order of the rows; not every list has something to add."""
    dates = [revision.date for revision in REVISIONS]
    assert dates != sorted(dates)
    _, note = run("list", "revisions").stdout.split("\n\n")
    assert note.startswith("dates are author dates; the order is that in which the commits came into QEMU's tree")
    assert not any(
        "\n\n" in run("list", what).stdout for what in NAMES if what not in ("revisions", "properties", "mitigations")
    )


def test_a_list_of_something_else() -> None:
    """One message with what there is, code 2."""
    result = run("list", "bugs")
    assert (
        "'bugs' is not one of 'revisions', 'scenarios', 'properties', 'knobs', 'claims', 'terms', 'mitigations'"
        in result.stderr
    )
    assert result.exit_code == 2


# -- graph ------------------------------------------------------------------------------------------

MODEL = """
from draincheck.lang import Model

def build():
    m = Model("counter")
    x = m.int("x", 0, {size})
    with m.thread("t") as p, p.while_(x < {size}):
        p.do("counts", x.inc())
    m.always("small", x <= {size})
    return m
"""


def model(folder: Path, size: int) -> str:
    """A model with a little more than `size` states in a row."""
    file = folder / "counter.py"
    file.write_text(MODEL.format(size=size), encoding="utf-8")
    return f"{file}:build"


def states(name: str) -> int:
    """How many states the search finds."""
    count: int = json.loads(run("check", name, "--json").stdout)["statistics"]["states"]
    return count


def test_dot_is_the_default(tmp_path: Path) -> None:
    """Graphviz' language on standard output."""
    result = run("graph", model(tmp_path, 3))
    assert result.stdout.startswith('digraph "counter" {\n')
    assert result.stdout.endswith("}\n")
    assert result.exit_code == 0


@pytest.mark.slow
def test_graphml_has_every_state(tmp_path: Path) -> None:
    """Networkx reads as many nodes as the search finds states."""
    file = tmp_path / "graph.graphml"
    assert run("graph", "--revision", "ab27c3b5e7", "--format", "graphml", "-o", str(file)).exit_code == 0
    graph: Any = nx.read_graphml(file, node_type=int, force_multigraph=True)
    assert len(graph) == json.loads(run("check", "--scenario", "mirror", "--json").stdout)["statistics"]["states"]


@pytest.mark.parametrize(
    ("name", "begin"), [("g.graphml", "<?xml"), ("g.json", "{"), ("g.dot", "digraph"), ("g.txt", "digraph")]
)
def test_the_format_is_that_of_the_suffix(name: str, begin: str, tmp_path: Path) -> None:
    """Unless `--format` says another; what no format is called is DOT."""
    file = tmp_path / name
    assert run("graph", model(tmp_path, 3), "-o", str(file)).exit_code == 0
    assert file.read_text(encoding="utf-8").startswith(begin)
    assert run("graph", model(tmp_path, 3), "-o", str(file), "--format", "dot").exit_code == 0
    assert file.read_text(encoding="utf-8").startswith("digraph")


@pytest.mark.parametrize("option", [["--json"], ["--format", "json"]])
def test_json_is_a_node_link_graph(tmp_path: Path, option: list[str]) -> None:
    """The document follows its schema, and networkx reads it."""
    name = model(tmp_path, 5)
    data = json.loads(run("graph", name, *option).stdout)
    validator("graph").validate(data)
    assert len(nx.node_link_graph(data, edges="edges")) == states(name)


@pytest.mark.needs("dot")
def test_svg_is_drawn(tmp_path: Path) -> None:
    """A small graph as a picture."""
    file = tmp_path / "graph.svg"
    assert run("graph", model(tmp_path, 3), "--format", "svg", "-o", str(file)).exit_code == 0
    assert "<svg" in file.read_text(encoding="utf-8")


def test_svg_without_graphviz(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what is missing and what works without."""
    monkeypatch.setenv("PATH", "")
    result = run("graph", model(tmp_path, 3), "--format", "svg")
    assert "Graphviz is needed" in result.stderr
    assert (result.exit_code, result.stdout) == (2, "")


def test_a_picture_of_too_many_states_is_refused(tmp_path: Path) -> None:
    """Size, limit, and what to do; nothing is written."""
    name = model(tmp_path, 300)
    result = run("graph", name, "--states", "--format", "svg", "-o", str(tmp_path / "graph.svg"))
    assert (
        f"counter has {states(name)} reachable states, and svg with a node for each is for at most 250" in result.stderr
    )
    assert "dot, graphml or json with --states" in result.stderr
    assert result.exit_code == 30
    assert not (tmp_path / "graph.svg").exists()


def test_a_file_of_too_many_states_is_refused(tmp_path: Path) -> None:
    """Above the limit of files the search for the size stops, too."""
    result = run("graph", model(tmp_path, 6000))
    assert (
        "counter has more than 5000 reachable states, and dot with a node for each is for at most 5000; "
        in result.stderr
    )
    assert (result.exit_code, result.stdout) == (30, "")


def test_a_graph_marks_where_an_error_is_met(tmp_path: Path) -> None:
    """The step is not taken; the state says what it violates."""
    name = model(tmp_path, 3)
    file = tmp_path / "counter.py"
    file.write_text(file.read_text(encoding="utf-8").replace("p.while_(x < 3)", "p.loop()"), encoding="utf-8")
    result = run("graph", name)
    assert result.stdout.count("violates values in range") == 1
    assert (result.exit_code, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--json", "--format", "dot"], "--json and --format dot exclude each other"),
        (["--format", "bmp"], "'bmp' is not one of"),
        (["-o", "no/such/folder/graph.dot"], "no/such/folder/graph.dot cannot be written"),
    ],
)
def test_wrong_arguments_of_graph(arguments: list[str], message: str) -> None:
    """One message, code 2; on standard output the document, if one was wanted, that says so."""
    result = run("graph", *arguments)
    assert message in result.stderr
    assert result.exit_code == 2
    assert [message] * ("--json" in arguments) == [json.loads(line)["error"] for line in [result.stdout] if line]

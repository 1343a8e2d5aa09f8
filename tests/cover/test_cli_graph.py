"""`graph`: which graph, in which format, and what is said about it."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from check_invariants.work import graph
from draincheck import Limits
from draincheck.analysis import neighbourhood as around
from tests.golden.documents import validator
from tests.support.cli import run
from tests.support.drawn_graphs import nodes_of, smallest_letters, texts

needs_dot = pytest.mark.needs("dot")

MODEL = """
from draincheck.lang import Model

def race(length: int = 3):
    m = Model("race")
    opened, submitted, beside = m.bool("open"), m.bool("submitted"), m.int("beside", 0, length)
    with m.thread("job") as p:
        p.do("opens", opened.set(), mark="w")
        p.do("closes", opened.clear(), mark="c")
    with m.thread("guest") as p:
        p.do("submits", submitted.set(), mark="b")
    with m.thread("clock") as p, p.while_(beside < length):
        p.do("ticks", beside.inc())
    m.always("small", beside <= length)
    m.always("apart", ~(opened & submitted))
    return m

def calm():
    m = Model("calm")
    x = m.int("x", 0, 3)
    with m.thread("p") as p, p.while_(x < 3):
        p.do("counts", x.inc())
    m.always("small", x <= 3)
    m.always("smaller", x < 4)
    return m

def nothing():
    m = Model("nothing")
    x = m.bool("x")
    with m.thread("p") as p:
        p.do("sets", x.set())
    return m
"""


@pytest.fixture
def model(tmp_path: Path) -> str:
    """A model in which a window and a request come together, or do not."""
    file = tmp_path / "race.py"
    file.write_text(MODEL, encoding="utf-8")
    return f"{file}:race"


def document(*arguments: str) -> dict[str, Any]:
    """The JSON document of a graph, which follows the schema of its kind."""
    result = run("graph", *arguments, "--json")
    data: dict[str, Any] = json.loads(result.stdout)
    validator(data["format"].rpartition("/")[2]).validate(data)
    assert result.exit_code == 0
    return data


# -- states merged ----------------------------------------------------------------------------------


@needs_dot
@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_a_code_base_can_be_drawn(tmp_path: Path, suffix: str) -> None:
    """A picture of a thousand states in twenty nodes; the last line says by what they were merged, and how to have each."""
    file = tmp_path / f"bandage.{suffix}"
    result = run("graph", "--revision", "ab27c3b5e7", "-o", str(file))
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.splitlines()[-1].startswith("991 states merged into 20 nodes by fate, (w), (a), (c), (b), ")
    data = file.read_bytes()
    assert data.startswith(b"\x89PNG" if suffix == "png" else b"<?xml")
    if suffix == "svg":
        assert "ab27c3b5e7 / mirror: S1" in texts(data.decode())
        assert smallest_letters(data.decode()) >= 11


def test_states_are_merged_by_the_first_violated_property(model: str) -> None:
    """Or by the one that is named, whether it holds or not; by the first where all hold; by none where nothing is demanded."""
    assert document(model, "--merge")["graph"]["property"] == "apart"
    assert document(model, "--property", "small")["graph"]["property"] == "small"
    assert document(model.replace(":race", ":calm"), "--merge")["graph"]["property"] == "small"
    assert document(model.replace(":race", ":nothing"), "--merge")["graph"]["property"] == ""


def test_errors_of_runs_are_properties_too(tmp_path: Path, model: str) -> None:
    """Where a value can leave its range, that is what the picture is about."""
    file = tmp_path / "over.py"
    file.write_text(MODEL.replace("p.while_(beside < length)", "p.loop()"), encoding="utf-8")
    data = document(f"{file}:race", "--property", "values in range")
    assert data["graph"]["property"] == "values in range"
    assert any(node["violates"] for node in data["nodes"])


def test_so_many_nodes_at_most(model: str) -> None:
    """As `--nodes` says, from one for each fate on."""
    assert [len(document(model, "--nodes", str(most))["nodes"]) for most in (4, 6)] == [4, 6]
    for most in ("3", "61"):
        assert run("graph", model, "--nodes", most).exit_code == 2


def test_merged_states_add_up(model: str) -> None:
    """Whatever is merged, every state and every step is in it once."""
    data, whole = document(model, "--merge"), document(model)
    assert sum(node["states"] for node in data["nodes"]) == len(whole["nodes"]) == data["graph"]["states"]
    assert sum(edge["steps"] for edge in data["edges"]) == len(whole["edges"]) == data["graph"]["steps"]


def test_the_quotient_in_every_format(tmp_path: Path, model: str) -> None:
    """Networkx reads JSON and GraphML, and the same is in both."""
    data = document(model, "--merge")
    found: Any = nx.node_link_graph(data, edges="edges")
    text = run("graph", model, "--merge", "--format", "graphml").stdout
    other: Any = nx.read_graphml(BytesIO(text.encode()), node_type=int, force_multigraph=True)
    assert set(found.edges()) == set(other.edges())
    assert {n: v["states"] for n, v in found.nodes(data=True)} == {n: v["states"] for n, v in other.nodes(data=True)}
    assert run("graph", model, "--merge").stdout.startswith('digraph "race" {')


def test_files_of_programs_have_each_state(model: str) -> None:
    """Unless they are to be merged: what reads them does not find another kind of graph one day."""
    assert document(model)["format"] == "check-invariants/graph"
    assert document(model, "--merge")["format"] == "check-invariants/graph-merged"


@needs_dot
def test_each_state_is_drawn_if_that_is_wanted(tmp_path: Path, model: str) -> None:
    """`--states` draws small systems; of a large one the refusal names what would fit."""
    small, large = tmp_path / "small.svg", tmp_path / "large.svg"
    assert run("graph", model, "--states", "-o", str(small)).exit_code == 0
    assert "(w) job: opens" in texts(small.read_text(encoding="utf-8"))
    result = run("graph", model, "--set", "length=99", "--states", "-o", str(large))
    assert result.exit_code == 30 and not large.exists()
    for words in (
        "1200 reachable states",
        "at most 250",
        "--merge, which has at most 60 nodes",
        "graphml or json with --states",
    ):
        assert words in result.stderr


def test_a_system_that_is_too_large_to_merge(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code 30, and the limit."""
    monkeypatch.setattr(graph, "STORY_LIMITS", Limits(states=40))
    result = run("graph", model, "--merge")
    assert (result.exit_code, result.stdout) == (30, "")
    assert "race has more than 40 reachable states: too many" in result.stderr and "--trace" in result.stderr


def test_a_trace_in_a_large_system_is_drawn_without_fates(
    trace: str, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands around it needs no search."""
    monkeypatch.setattr(graph, "STORY_LIMITS", Limits(states=5))
    data = document("--trace", trace, "--model", model)
    assert {node["fate"] for node in data["nodes"]} == {""}
    assert any(edge["step"] == "" for edge in data["edges"])


# -- a trace with its neighbours --------------------------------------------------------------------


@pytest.fixture
def trace(tmp_path: Path, model: str) -> str:
    """The counterexample of the model's property."""
    file = tmp_path / "apart.json"
    assert run("trace", "export", model, "--property", "apart", "-o", str(file)).exit_code == 0
    return str(file)


def test_a_trace_has_its_neighbours(trace: str, model: str) -> None:
    """Its steps are numbered, and from each of its states leads what could be done instead."""
    data = document("--trace", trace, "--model", model)
    assert (data["format"], data["graph"]["property"], data["graph"]["steps"]) == (
        "check-invariants/graph-trace",
        "apart",
        2,
    )
    assert [edge["step"] for edge in data["edges"] if edge["step"]] == ["1", "2"]
    fates = {node["at"]: node["fate"] for node in data["nodes"]}
    assert (fates["0"], fates["2"], "" in fates) == ("avoidable", "violated", True)


def test_a_trace_with_too_much_around_it(trace: str, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code 30, and the limit."""
    monkeypatch.setattr(around, "MAX_NODES", 4)
    result = run("graph", "--trace", trace, "--model", model)
    assert (result.exit_code, result.stdout) == (30, "")
    assert "4 is the most for a graph; take a shorter trace" in result.stderr


@needs_dot
def test_a_trace_of_a_code_base_is_drawn(tmp_path: Path) -> None:
    """It names its model itself; letters can be read, and there are no more nodes than may be."""
    file, picture = tmp_path / "S1.json", tmp_path / "S1.svg"
    assert run("trace", "export", "--revision", "ab27c3b5e7", "--property", "S1", "-o", str(file)).exit_code == 0
    assert run("graph", "--trace", str(file), "-o", str(picture)).exit_code == 0
    svg = picture.read_text(encoding="utf-8")
    assert smallest_letters(svg) >= 11
    assert "(b) blk_aio_writev" in texts(svg).replace("\n", " ")
    assert len(nodes_of(run("graph", "--trace", str(file)).stdout)) <= 60


def test_a_program_that_a_trace_names_is_not_run(trace: str, model: str) -> None:
    """As in other commands, the user names it."""
    result = run("graph", "--trace", trace)
    assert result.exit_code == 2 and "--model" in result.stderr
    assert run("graph", "--trace", trace, model).exit_code == run("graph", "--model", model).exit_code == 2


# -- wrong arguments --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--states", "--nodes", "5"], "--states merges nothing: --nodes goes with --merge"),
        (["--states", "--property", "S1"], "--states merges nothing: --property goes with --merge"),
        (["--format", "png"], "a PNG is no text: name a file for it with --output"),
        (["--property", "S99"], "S99"),
        (["--trace", "no.json"], "no.json"),
        (["--trace", "no.json", "--merge"], "--trace and --merge exclude each other"),
        (["--trace", "no.json", "--states"], "--trace and --states exclude each other"),
        (["--trace", "no.json", "--nodes", "9"], "--trace and --nodes exclude each other"),
        (["--trace", "no.json", "--property", "S1"], "--trace and --property exclude each other"),
        (["--trace", "no.json", "--revision", "v2.6.0"], "--trace and --revision exclude each other"),
    ],
)
def test_wrong_arguments(arguments: list[str], message: str) -> None:
    """One message, code 2, nothing on standard output."""
    result = run("graph", *arguments)
    assert message in result.stderr
    assert (result.exit_code, result.stdout) == (2, "")


def test_a_trace_is_not_replaced_by_what_is_made_of_it(tmp_path: Path) -> None:
    """Neither by its graph nor by a smaller one."""
    file = tmp_path / "S1.json"
    assert run("trace", "export", "--revision", "v2.6.0", "--property", "S1", "-o", str(file)).exit_code == 0
    before = file.read_bytes()
    assert run("graph", "--trace", str(file), "-o", str(file)).exit_code == 2
    assert run("trace", "minimize", str(file), "-o", str(file)).exit_code == 2
    assert file.read_bytes() == before

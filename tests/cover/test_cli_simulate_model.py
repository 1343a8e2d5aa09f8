"""`simulate` and `liveness` of models of one's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.golden.documents import validator
from tests.support.cli import run

MODEL = """
from draincheck.lang import Model, variant

@variant("bad", last=9, expect={"below": "violated"})
def counter(last: int = 2, promised: bool = True) -> Model:
    m = Model("counter")
    n = m.int("n", 0, 9)
    with m.thread("thread") as p, p.while_(n < last):
        p.do("up", n.inc())
    with m.thread("other") as p:
        p.do("never", when=n > 3)
    m.always("below", n < 3)
    m.eventually("comes to an end", n.is_(last))
    m.leads_to("goes on", n.is_(1), n > 1)
    if promised:
        m.progress()
    return m

def plain() -> Model:
    m = Model("plain")
    n = m.bool("n")
    with m.thread("thread") as p:
        p.do("set", n.set())
    m.reachable("set", n)
    return m

def nothing() -> Model:
    m = Model("nothing")
    n = m.bool("n")
    with m.thread("thread") as p:
        p.do("set", n.set())
    return m
"""


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The file of these models."""
    monkeypatch.chdir(tmp_path)
    Path("m.py").write_text(MODEL, encoding="utf-8")
    return "m.py:counter"


def document(command: str, kind: str, *arguments: str, code: int) -> dict[str, Any]:
    """The JSON document, checked against its schema."""
    result = run(command, *arguments, "--json")
    assert result.exit_code == code, result.output
    data: dict[str, Any] = json.loads(result.stdout)
    validator(kind).validate(data)
    return data


def verdicts(data: dict[str, Any]) -> dict[str, str]:
    """By property."""
    return {item["name"]: item["verdict"] for item in data["properties"]}


def test_a_walk_finds_what_is_violated_and_proves_nothing(model: str) -> None:
    """12 with a trace; else 0, and every property is unknown but a goal that was walked to."""
    data = document("simulate", "simulate-model", model, "--set", "last=4", code=12)
    assert verdicts(data)["below"] == "violated"
    data = document("simulate", "simulate-model", model, "--runs", "7", code=0)
    assert set(verdicts(data).values()) == {"unknown"}
    assert (data["runs"], data["steps"], data["never_taken"]) == (7, 7 * 2 + 7 * 3, ["other: never"])
    assert verdicts(document("simulate", "simulate-model", "m.py:plain", code=0)) == {"set": "holds"}


def test_the_same_seed_walks_the_same_way(model: str) -> None:
    """And the answer stands first and last."""
    first, again = (run("simulate", model, "--set", "last=9", "--seed", "5").stdout for _ in range(2))
    assert first == again
    assert first.splitlines()[0] == first.splitlines()[-1]
    assert first.startswith("counter: violated: below (")


def test_a_walk_is_written_and_shown(model: str) -> None:
    """With the parameters of its model."""
    data = document("simulate", "simulate-model", model, "--set", "last=4", "--trace-out", "walks", code=12)
    assert data["traces"] == ["walks/below.json"]
    for command in (("trace", "show"), ("explain",)):
        assert run(*command, "walks/below.json", "--model", model, "--set", "last=4").exit_code == 0
        assert run(*command, "walks/below.json", "--model", model).exit_code == 14


def test_liveness_of_a_model_is_what_it_demands_of_runs(model: str) -> None:
    """As `check` decides it; nothing else is asked."""
    data = document("liveness", "check", model, code=0)
    assert verdicts(data) == {"comes to an end": "holds", "goes on": "holds"}
    data = document("liveness", "check", model, "--set", "promised=off", code=13)
    assert verdicts(data) == {"comes to an end": "violated", "goes on": "violated"}
    assert "violation of" in run("liveness", model, "--set", "promised=off", "--trace").stdout
    assert "violation of" not in run("liveness", model, "--set", "promised=off").stdout


def test_liveness_of_a_code_base_with_a_knob_turned() -> None:
    """Nothing is expected of it; the verdicts decide. A knob that is what it was changes none of them."""
    plain, same = (
        document("liveness", "liveness", "--revision", "ab27c3b5e7", "--scenario", "mirror", *more, code=code)["rows"][
            0
        ]
        for more, code in (([], 0), (["--set", "drain=yield_late"], 0))
    )
    found = {name: cell["verdict"] for name, cell in plain["properties"].items()}
    assert {name: cell["verdict"] for name, cell in same["properties"].items()} == found
    assert {cell["expected"] for cell in same["properties"].values()} == {None}


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["liveness", "m.py:plain"], 10, "plain demands nothing of whole runs"),
        (["liveness", "m.py:counter", "--notify"], 2, "has no --revision, --scenario, --notify or --full"),
        (["liveness", "m.py:counter", "--set", "lst=3"], 2, "unknown parameter 'lst'; did you mean last"),
        (["liveness", "--notify", "--set", "drain=nested"], 2, "no --revision, --scenario or --set"),
        (["simulate", "m.py:nothing"], 10, "nothing demands nothing"),
        (["simulate", "m.py:counter", "--all"], 2, "has no --revision, --scenario, --all or --scheduler pct"),
        (["simulate", "m.py:counter", "--set", "last=1..3"], 2, "several values are for a table"),
        (["simulate", "m.py"], 2, "'m.py' is not of the form MODEL.py:FUNCTION"),
    ],
)
def test_what_is_no_question_is_one_message(model: str, arguments: list[str], code: int, message: str) -> None:
    """With the documented code, and nothing on standard output."""
    result = run(*arguments)
    assert message in " ".join(result.stderr.split())
    assert (result.exit_code, result.stdout) == (code, "")

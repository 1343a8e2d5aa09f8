"""`sweep` and `why` of models of one's own: the answers, each combination decided again here, one by one."""

from __future__ import annotations

import json
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import pytest

from check_invariants.output import Counter
from draincheck.budget import interrupt
from draincheck.checking import check
from draincheck.errors import SpaceTooLarge
from draincheck.model_file import ModelFile
from drainspecs.questions.parameters import MOST, points_of
from tests.golden.documents import validator
from tests.support.cli import run

#: violated if and only if (a and not b) or mode is wild with more than one round
MODEL = """
from enum import Enum
from typing import Literal
from draincheck.lang import Model, variant

class Speed(Enum):
    SLOW = 1
    FAST = 2

@variant("bad", a=True, expect={"fine": "violated"})
def build(a: bool = False, b: bool = False, mode: Literal["tame", "wild"] = "tame", rounds: int = 1, speed: Speed = Speed.SLOW) -> Model:
    m = Model("parameters")
    bad = m.bool("bad")
    with m.thread("thread") as p:
        p.do("first")
        if (a and not b) or (mode == "wild" and rounds > 1):
            p.do("goes wrong", bad.set())
    m.always("fine", ~bad)
    return m

def two() -> Model:
    return build()

def choosy(a: bool) -> Model:
    m = build(a)
    m.reachable("more", m.at("thread", "(ended)"))
    return m

def breaks(a: bool = False) -> Model:
    if a:
        raise ValueError("no such model")
    return build()

def bounded(a: bool = False, asks: bool = True, ends: bool = False) -> Model:
    m = Model("bounded")
    x = m.bool("x")
    with m.thread("thread") as p:
        p.do("first", x.set())
        if asks:
            p.check("fine", ~x if a else x)
        if ends:
            p.bound("more")
        else:
            p.do("last")
    m.assertion("fine")
    m.no_deadlock()
    return m
"""


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The file of that model."""
    monkeypatch.chdir(tmp_path)
    Path("m.py").write_text(MODEL, encoding="utf-8")
    return "m.py:build"


def document(command: str, *arguments: str, code: int = 0) -> dict[str, Any]:
    """The JSON document, checked against its schema."""
    result = run(command, *arguments, "--json")
    assert result.exit_code == code, result.output
    data: dict[str, Any] = json.loads(result.stdout)
    validator(f"{command}-model").validate(data)
    return data


def holds(**parameters: bool | int | str) -> bool:
    """What a search says of one combination, alone."""
    return check(ModelFile.load("m.py:build", parameters)).holds


def test_a_sweep_decides_every_combination(model: str) -> None:
    """Each as a search does alone; the table says safe of exactly those."""
    data = document("sweep", model, "--set", "rounds=1..2")
    axes: dict[str, list[Any]] = {
        "a": [False, True],
        "b": [False, True],
        "mode": ["tame", "wild"],
        "speed": ["SLOW", "FAST"],
        "rounds": [1, 2],
    }
    assert data["parameters"] == axes
    found = {tuple(item["parameters"][name] for name in axes): item["verdicts"]["fine"] for item in data["models"]}
    assert len(found) == 32
    for values in product(*axes.values()):
        point = dict(zip(axes, values, strict=True))
        safe = holds(**point)
        assert found[values] == ("holds" if safe else "violated")
        assert safe == any(all(point[name] in allowed for name, allowed in row.items()) for row in data["table"])
    assert data["safe"] == sum(verdict == "holds" for verdict in found.values())
    assert all("speed" not in row for row in data["table"])


def test_what_has_one_value_stays_so(model: str) -> None:
    """And what is named by --knob alone is swept."""
    data = document("sweep", model, "--set", "b=on", "--knob", "a")
    assert (data["fixed"], data["parameters"], data["safe"]) == ({"b": True}, {"a": [False, True]}, 2)
    data = document("sweep", model, "--set", "rounds=2", "--knob", "mode", "--knob", "a")
    assert (data["table"], data["safe"]) == ([{"a": [False], "mode": ["tame"]}], 1)


def test_the_answer_of_a_sweep_stands_first_and_last(model: str) -> None:
    """As everywhere."""
    shown = run("sweep", model).stdout.splitlines()
    assert shown[0] == shown[-1] == "m.py:build: fine holds in 12 of 16 models"


def test_what_is_known_not_to_hold_is_not_unknown(model: str) -> None:
    """A bound hides what is behind it: a model is unknown where nothing was violated or never asked before it. Asked for itself it is known."""
    data = document("sweep", "m.py:bounded", code=30)
    verdicts = {tuple(item["parameters"].values()): item["verdicts"] for item in data["models"]}
    unknown = [values for values, found in verdicts.items() if found["fine"] == "unknown"]
    assert unknown == [(False, True, True)] and sum("unknown" in found.values() for found in verdicts.values()) == 4
    assert (data["safe"], data["undecided"]) == (1, 1)
    data = document("sweep", "m.py:bounded", "--property", "fine", "--property", "no bound passed")
    assert (data["safe"], data["undecided"]) == (1, 0)


#: what it demands depends on a: nothing more, `more`, or that by another form
DEMANDS = """
from typing import Literal
from draincheck.lang import Model

def build(a: Literal["all", "less", "other", "none", "wrong"] = "all") -> Model:
    m = Model("demands")
    f = m.bool("f")
    with m.thread("thread") as p:
        p.do("set", f.set(a == "wrong"))
    if a not in ("none",):
        m.always("fine", f | ~f)
    if a in ("all", "wrong"):
        m.always("more", ~f)
    if a == "other":
        m.reachable("more", ~f)
    return m
"""


def test_what_is_not_demanded_does_not_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model without a demand that others make is not one in which it holds; one that demands something else by its name neither."""
    monkeypatch.chdir(tmp_path)
    Path("d.py").write_text(DEMANDS, encoding="utf-8")
    data = document("sweep", "d.py:build", "--set", "a=less,all")
    assert (data["safe"], data["table"], data["undecided"]) == (1, [{"a": ["all"]}], 0)
    assert [item["not_demanded"] for item in data["models"]] == [["more"], []]
    assert "in 1 of 2 models; not demanded in 1 where all else holds: more" in data["answer"]
    data = document("sweep", "d.py:build", "--set", "a=none,wrong,all")
    assert (data["safe"], [item["not_demanded"] for item in data["models"]]) == (1, [["fine", "more"], [], []])
    data = document("sweep", "d.py:build", "--set", "a=all,other")
    assert data["properties"] == ["fine", "more (always)", "more (reachable)"] and data["safe"] == 0
    data = document("sweep", "d.py:build", "--set", "a=all,wrong")  # negative control
    assert data["safe"] == 1 and not any(item["not_demanded"] for item in data["models"])


def test_a_property_that_some_models_have_can_be_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever is the first; one that none has is refused, and so is a sweep of models none of which demands anything."""
    monkeypatch.chdir(tmp_path)
    Path("d.py").write_text(DEMANDS, encoding="utf-8")
    for values in ("a=less,all", "a=all,less"):
        data = document("sweep", "d.py:build", "--set", values, "--property", "more")
        assert (data["safe"], data["table"]) == (1, [{"a": ["all"]}])
    assert run("sweep", "d.py:build", "--set", "a=less,all", "--property", "mor").exit_code == 2
    none = DEMANDS.replace('if a not in ("none",)', "if False").replace('in ("all", "wrong")', "in ()")
    Path("d.py").write_text(none, encoding="utf-8")
    assert run("sweep", "d.py:build", "--set", "a=less,all").exit_code == 10


@pytest.mark.parametrize(
    ("start", "flips"),
    [
        (["a=on"], [{"a": False}, {"b": True}]),
        ([], [{"a": True}]),
        (["rounds=2"], [{"a": True}, {"mode": "wild"}]),
        (["a=on", "b=on"], [{"b": False}]),
        (["mode=wild", "rounds=2"], [{"mode": "tame"}, {"rounds": 1}]),
        (["mode=wild", "rounds=2", "a=on"],
         [{"a": False, "mode": "tame"}, {"a": False, "rounds": 1}, {"b": True, "mode": "tame"}, {"b": True, "rounds": 1}]),
    ],
)  # fmt: skip
def test_why_has_every_smallest_change_and_no_other(model: str, start: list[str], flips: list[dict[str, Any]]) -> None:
    """Worked out by hand from the model; and each is the other verdict when it is decided alone."""
    settings = [word for one in start for word in ("--set", one)]
    data = document("why", model, *settings)
    assert [item["changes"] for item in data["answers"]] == flips
    was = {**{"a": False, "b": False, "mode": "tame", "rounds": 1}, **data["parameters"]}
    for change in flips:
        assert holds(**{**was, **change}) != holds(**was)


def test_what_was_tried_has_what_was_set(model: str) -> None:
    """A number has no list of values: two are known, its default and what it is set to; and every combination that is counted was there."""
    data = document("why", model, "--set", "rounds=2")
    assert data["tried"]["rounds"] == [1, 2]
    assert data["examined"] <= data["combinations"] == prod(map(len, data["tried"].values()))
    assert "rounds" not in document("why", model)["tried"]


def test_a_reason_is_shown_by_the_command_that_it_names(model: str) -> None:
    """As it stands there."""
    (see, *_) = (line.strip() for line in run("why", model, "--set", "a=on").stdout.splitlines() if "see: " in line)
    result = run(*see.split()[2:])
    assert (see, result.exit_code) == ("see: check-invariants check m.py:build --set a=off --property fine", 0)


def test_a_variant_has_its_own_reasons(model: str) -> None:
    """It starts with its parameters."""
    data = document("why", f"{model}:bad")
    assert [item["changes"] for item in data["answers"]] == [{"a": False}, {"b": True}]


def test_a_verdict_that_nothing_turns(model: str) -> None:
    """Is said to stay as it is."""
    result = run("why", "m.py:choosy", "--set", "a=off", "--property", "more")
    answer = "parameters: more holds, whatever else its parameters are"
    lines = result.stdout.splitlines()
    assert (result.exit_code, lines[0], lines[-1]) == (0, answer, answer)


def test_a_verdict_that_nothing_turns_of_what_was_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There are more numbers than that: with nine devices it is violated, and nobody has asked."""
    monkeypatch.chdir(tmp_path)
    Path("d.py").write_text(
        "from draincheck.lang import FALSE, TRUE, Model\n\n\ndef build(devices: int = 1, quick: bool = False) -> Model:\n"
        "    m = Model('d')\n    x = m.bool('x')\n    with m.thread('p') as p:\n        p.do('set', x.set())\n"
        "    m.always('few', TRUE if devices < 9 else ~x)\n    return m\n"
    )
    first, *_ = run("why", "d.py:build", "--property", "few").stdout.splitlines()
    assert first == "d: few holds, with every value that was tried of quick"
    first, *_ = run("why", "d.py:build", "--property", "few", "--set", "devices=2").stdout.splitlines()
    assert first == "d: few holds, with every value that was tried of quick and devices"


def test_evidence_is_written_and_accepted(model: str) -> None:
    """A certificate where it holds, a trace where it is violated."""
    for start, file in (("a=on", "with-a=off.smt2"), ("a=off", "with-a=on.json")):
        data = document("why", model, "--set", start, "--evidence", "evidence")
        assert file in [item["evidence"] for item in data["answers"]]
    for command, file, value in (
        (("certificate", "check"), "off.smt2", "a=off"),
        (("trace", "show"), "on.json", "a=on"),
    ):
        assert run(*command, f"evidence/with-a={file}", "--model", model, "--set", value).exit_code == 0


@pytest.fixture
def third(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C when three models have been decided."""

    def advance(_: Counter, decided: int) -> None:
        if decided == 3:
            interrupt()

    monkeypatch.setattr(Counter, "advance", advance)


@pytest.mark.usefixtures("third")
def test_a_sweep_that_was_stopped_says_what_is_unknown(model: str) -> None:
    """The table is of those that were decided, and nothing is said of the others but that; the command that goes on is the control above."""
    data = document("sweep", model, "--processes", "1", code=130)
    assert (len(data["models"]), data["undecided"], data["stopped"]) == (3, 13, "interrupted")
    good = [item["parameters"] for item in data["models"] if item["verdicts"]["fine"] == "holds"]
    points = [dict(zip(data["parameters"], values, strict=True)) for values in product(*data["parameters"].values())]
    fit = [point for point in points if any(all(point[n] in row[n] for n in row) for row in data["table"])]
    assert (fit, data["safe"]) == (good, len(good))
    result = run("sweep", model, "--processes", "1")
    assert result.stdout.startswith(
        "m.py:build: fine holds in 3 of 16 models; 13 unknown\n\nsafe are those that fit a row"
    )
    assert "; of 13 others that is unknown:" in result.stdout and "no other" not in result.stdout


@pytest.mark.usefixtures("third")
def test_a_reason_that_was_stopped_leaves_the_others_open(model: str) -> None:
    """Answers that were found have their evidence; without one it is not said that nothing turns the verdict."""
    data = document(
        "why", model, "--set", "a=on", "--set", "b=off", "--evidence", "evidence", "--processes", "1", code=130
    )
    assert [item["changes"] for item in data["answers"]] == [{"a": False}, {"b": True}]
    assert (Path("evidence") / data["answers"][0]["evidence"]).exists()
    assert data["stopped"] == "interrupted"
    result = run("why", model, "--set", "mode=wild", "--set", "b=on", "--processes", "1")
    assert result.exit_code == 130
    assert "no change among those that were decided turns it" in result.stdout and "whatever else" not in result.stdout
    assert "interrupted before more were" in result.stdout and "any other" not in result.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["sweep", "m.py:two"], 2, "there is no parameter with values to try"),
        (["sweep", "m.py:build", "--knob", "c"], 2, "unknown parameter 'c'"),
        (["sweep", "m.py:build", "--knob", "rounds"], 2, "rounds cannot be varied: list values, as in --set NAME=1..3"),
        (["sweep", "m.py:build", "--set", "rounds=1..13"], 30, "rounds has 13 values, and a decision table takes 12 at most"),
        (["sweep", "m.py:build", "--set", "rounds=1..9999"], 30, "combinations are too many"),
        (["sweep", "m.py:build", "--property", "fin"], 2, "unknown property 'fin'; did you mean fine"),
        (["sweep", "m.py:build", "--scenario", "timer"], 2, "has no --revision, --scenario or --order"),
        (["sweep", "m.py:breaks", "--processes", "1"], 150, "m.py:31: breaks() failed: ValueError: no such model"),
        (["why", "m.py:breaks"], 150, "m.py:31: breaks() failed: ValueError: no such model"),
        (["why", "m.py:two"], 10, "nothing can be changed: two() takes no parameters"),
        (["why", "m.py:choosy"], 2, "choosy() needs a"),
        (["why", "m.py:choosy", "--set", "a=on"], 2, "name one property by --property: fine, more"),
        (["why", "m.py:build", "--set", "rounds=1..2"], 2, "one model is asked about here: give rounds one value"),
        (["why", "m.py:build", "--against", "v2.6.0"], 2, "--against is for code bases"),
        (["repair", "m.py:build"], 2, "repair takes no model"),
    ],
)  # fmt: skip
def test_a_question_that_is_none_is_one_message(model: str, arguments: list[str], code: int, message: str) -> None:
    """With the documented code, and nothing on standard output."""
    result = run(*arguments)
    assert message in " ".join(result.stderr.split())
    assert (result.exit_code, result.stdout) == (code, "")


def test_a_space_has_an_end() -> None:
    """So many combinations and no more."""
    assert len(points_of({"n": tuple(range(MOST))}, {})) == MOST
    with pytest.raises(SpaceTooLarge):
        points_of({"n": tuple(range(MOST)), "b": (False, True)}, {})

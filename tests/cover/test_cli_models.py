"""`check` of several models of one's own: the variants of a file, and a function with several values of a parameter."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from check_invariants import judge
from check_invariants.work import models
from draincheck import Subject
from tests.support.cli import run
from tests.support.several_models import COUNTER, document, lines


@pytest.fixture
def counter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The file of that counter, in the current folder."""
    monkeypatch.chdir(tmp_path)
    Path("counter.py").write_text(COUNTER.replace("n.inc(step)", "n.set(n + step)"), encoding="utf-8")
    return "counter.py"


def test_a_file_is_held_against_what_it_expects(counter: str) -> None:
    """An expected violation is 0; the first and the last line say so."""
    shown = lines(counter, code=0)
    assert shown[0] == shown[-1] == "counter.py: 2 variants; all verdicts are as expected"
    data = document(counter, code=0)
    assert [(item["name"], item["source"].get("parameters")) for item in data["models"]] == [
        ("counter:low", {"last": 2}),
        ("counter:high", {"last": 4}),
    ]


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ("last=4, expect={", "last=2, expect={", "counter:high (below holds)"),
        ('"low", last=2', '"low", last=5', "counter:low (below violated)"),
        ('"low", last=2', '"low", last=2, ask=False', "counter:low (asked never asked)"),
        ('"low", last=2', '"low", last=2, step=20', "counter:low (values in range violated)"),
    ],
)
def test_whatever_is_not_as_expected_is_a_difference(counter: str, old: str, new: str, wrong: str) -> None:
    """10: what holds and should not, what is violated, what was never asked, an error of a run; said first and last."""
    text = Path(counter).read_text(encoding="utf-8")
    assert old in text
    Path(counter).write_text(text.replace(old, new), encoding="utf-8")
    shown = lines(counter, code=10)
    assert shown[0] == shown[-1] == f"counter.py: 2 variants; not as expected: {wrong}"


def test_never_asked_can_be_expected(counter: str) -> None:
    """It is a verdict like others."""
    text = Path(counter).read_text(encoding="utf-8")
    Path(counter).write_text(
        text.replace("last=2)\n", 'last=2, ask=False, expect={"asked": "never asked"})\n', 1), encoding="utf-8"
    )
    assert lines(counter, code=0)


def test_a_variant_that_is_named_is_judged_by_its_verdicts(counter: str) -> None:
    """As a code base is: it is violated, whether or not the file knows."""
    result = run("check", f"{counter}:counter:high")
    assert result.exit_code == 12
    assert "expected" in result.stdout
    assert run("check", f"{counter}:counter:low").exit_code == 0


def test_several_values_are_a_table_with_a_line_each(counter: str) -> None:
    """A range, a list, and all combinations; the worst verdict decides, and a command shows it."""
    shown = lines(f"{counter}:counter", "--set", "last=1..4", "--set", "ask=on", code=12)
    assert shown[0] == shown[-1] == "counter.py:counter with ask=on: 4 models; violated in 2 (below)"
    table = [line.split() for line in shown[3:7]]
    assert [row[0] for row in table] == ["last=1", "last=2", "last=3", "last=4"]
    assert [row[1:-1] for row in table] == [[], [], ["below"], ["below"]]
    (see,) = (line for line in shown if line.startswith("see: "))
    assert run(*see.split()[2:]).exit_code == 12
    data = document(f"{counter}:counter", "--set", "last=1,2", "--set", "ask=on,off", code=10)
    assert [item["name"] for item in data["models"]] == [
        "last=1, ask=on",
        "last=1, ask=off",
        "last=2, ask=on",
        "last=2, ask=off",
    ]


def test_everything_holds_is_0(counter: str) -> None:
    """And is said in words."""
    shown = lines(f"{counter}:counter", "--set", "last=1..2", code=0)
    assert shown[-1] == "counter.py:counter: 2 models; everything holds in each"


@pytest.mark.parametrize("values", ["1,2", "2,1"])
def test_what_was_not_asked_about_holds_in_none(values: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one of the models has another property the answer names those that hold, whichever model comes first."""
    monkeypatch.chdir(tmp_path)
    text = "from draincheck.lang import Model\n\n\ndef build(k: int = 1) -> Model:\n    m = Model('m')\n    x = m.bool('x')\n"
    text += "    with m.thread('t') as p:\n        p.do('set', x.set())\n    m.reachable('a', x)\n"
    Path("other.py").write_text(f"{text}    if k == 2:\n        m.always('b', ~x)\n    return m\n", encoding="utf-8")
    shown = lines("other.py:build", "--set", f"k={values}", "--property", "a", code=0)
    assert shown[-1] == "other.py:build: 2 models; holds: a in each"


@pytest.fixture
def various(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Variants of which some have properties that others have not."""
    monkeypatch.chdir(tmp_path)
    Path("various.py").write_text(
        "from draincheck.lang import Model, variant\n\n\n"
        "@variant('plain')\n@variant('one', k=1)\n@variant('two', k=2, expect={'b': 'violated'})\n"
        "def build(k: int = 0) -> Model:\n    m = Model('m')\n    x = m.bool('x')\n"
        "    with m.thread('t') as p:\n        p.do('set', x.set())\n    m.reachable('r', x)\n"
        "    if k > 0:\n        m.reachable('a', x)\n    if k > 1:\n        m.always('b', ~x)\n    return m\n",
        encoding="utf-8",
    )
    return "various.py"


@pytest.mark.parametrize(
    ("asked", "decided", "without"),
    [
        (["r"], [["r"], ["r"], ["r"]], ""),
        (["a"], [[], ["a"], ["a"]], "; without a: build:plain"),
        (["r", "b"], [["r"], ["r"], ["r", "b"]], "; without b: build:plain and build:one"),
        (["a", "b"], [[], ["a"], ["a", "b"]], "; without a: build:plain; without b: build:plain and build:one"),
    ],
    ids=["all", "some", "one", "two"],
)
def test_what_some_have_is_decided_of_these(
    various: str, asked: list[str], decided: list[list[str]], without: str
) -> None:
    """And who does not have it is told, in a line and in the answer; the explorer shows those that have it."""
    names = [word for name in asked for word in ("--property", name)]
    shown = lines(various, *names, "--html", "page.html", code=0)
    assert shown[0] == shown[-1] == f"various.py: 3 variants; all verdicts are as expected{without}"
    data = document(various, *names, code=0)
    assert [[item["name"] for item in model["properties"]] for model in data["models"]] == decided
    assert [[*model["lacks"], *names] for model, names in zip(data["models"], decided, strict=True)] == [
        [*(name for name in asked if name not in names), *names] for names in decided
    ]
    assert Path("page.html").exists()


@pytest.mark.parametrize("names", [["c"], ["a", "c"]])
def test_what_none_of_them_has_is_refused(various: str, names: list[str]) -> None:
    """With what any of them has."""
    for command in (["check"], ["report", "-o", "page.html"]):
        result = run(command[0], various, *command[1:], *(word for name in names for word in ("--property", name)))
        assert (result.exit_code, "unknown property 'c'; known: r, " in result.stderr) == (2, True)
        assert result.stderr.rstrip().endswith("a, b")


def test_a_property_can_be_asked_for_alone(counter: str) -> None:
    """The others are not decided."""
    data = document(f"{counter}:counter", "--set", "last=1..4", "--property", "asked", code=0)
    assert {tuple(item["name"] for item in model["properties"]) for model in data["models"]} == {("asked",)}


@pytest.mark.parametrize("engine", ["bmc", "induction", "auto", "simulation"])
def test_other_engines_take_the_same_question(counter: str, engine: str) -> None:
    """What one cannot decide is unknown, and no success."""
    data = document(f"{counter}:counter", "--set", "last=2,4", "--property", "below", "--engine", engine,
                    code=12)  # fmt: skip
    assert data["models"][1]["properties"][0]["verdict"] == "violated"
    assert data["models"][1]["states"] is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["counter.py", "--set", "last=2"], "--set is for one function: name it, as counter.py:FUNCTION"),
        (
            ["counter.py", "-j", "2"],
            "--processes is for a code base in several scenarios: models of your own are searched by one process",
        ),
        (["counter.py", "--traces"], "--traces is for one model, and counter.py is 2 here: name one"),
        (["counter.py", "--trace-out", "t.json"], "--trace-out is for one model, and counter.py is 2 here: name one"),
        (["counter.py:counter", "--set", "last=0..99", "--set", "step=0..999"], "100000 combinations are too many"),
        (["counter.py:counter", "--set", "last=3..1"], "last: 3..1 is empty"),
        (["other.py"], "there is no file 'other.py'"),
        (["plain.py"], "plain.py has no variants: name a function of it, plain.py:build"),
    ],
)
def test_what_makes_no_table_is_one_message(counter: str, arguments: list[str], message: str) -> None:
    """2, and nothing on standard output."""
    Path("plain.py").write_text("def build(): ...\n", encoding="utf-8")
    result = run("check", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in " ".join(result.stderr.split())


def test_commands_for_one_model_refuse_several(counter: str) -> None:
    """And say that there are tables."""
    result = run("graph", f"{counter}:counter", "--set", "last=1..3")
    assert (result.exit_code, "several values are for a table" in result.stderr) == (2, True)


def test_an_impossible_variant_is_150(counter: str) -> None:
    """With the line that says it."""
    text = Path(counter).read_text(encoding="utf-8")
    Path(counter).write_text(text.replace("last=2)", "lst=2)"), encoding="utf-8")
    result = run("check", counter)
    assert (result.exit_code, "counter.py:4: the variant 'low': unknown parameter 'lst'" in result.stdout) == (
        150,
        True,
    )


def test_models_that_nobody_came_to_are_unknown(counter: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """After Ctrl-C nothing is said of them, nor that all is well."""
    decide = judge.checked

    def once(model: Subject, *asked: Any) -> Any:
        monkeypatch.setattr(models, "checked", interrupted)
        return decide(model, *asked)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(models, "checked", once)
    shown = lines(counter, code=130)
    assert shown[0] == shown[-1] == "counter.py: 2 variants; unknown: counter:high (interrupted)"


def test_a_verdict_that_was_not_reached_is_not_unexpected(counter: str) -> None:
    """Nor as expected: of a variant it is unknown."""
    shown = lines(counter, "--max-states", "1", code=30)
    assert "unknown: counter:" in shown[-1]
    assert "expected" not in shown[-1]


def test_of_many_models_a_few_are_named(counter: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that names a thousand of them is none that anybody reads; the document has them all."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(models, "checked", interrupted)
    asked = (f"{counter}:counter", "--set", "last=1..2000")
    few = ", ".join(f"last={number}" for number in range(1, 6))
    shown = lines(*asked, code=130)
    assert shown[0] == shown[-1] == f"counter.py:counter: 2000 models; unknown: {few} and 1995 more (interrupted)"
    assert len(json.loads(run("check", *asked, "--json").stdout)["undecided"]) == 2000


@pytest.mark.parametrize("command", ["check", "sweep", "why"])
@pytest.mark.usefixtures("hurry")
def test_a_limit_of_time_leaves_models_undecided(counter: str, command: str) -> None:
    """30, which limit it was, and how far it came."""
    more = {"check": ["--set", "last=1..3"], "why": ["--set", "last=4", "--property", "below"]}.get(command, [])
    result = run(command, f"{counter}:counter", *more, "--timeout", "5")
    assert result.exit_code == 30
    assert "time limit" in result.stderr


def test_a_limit_of_states_is_said_of_a_table(counter: str) -> None:
    """Those that are small enough were decided."""
    result = run("check", f"{counter}:counter", "--set", "last=1..3", "--property", "below", "--max-states", "9")
    assert result.exit_code == 30
    assert "state limit 9 reached" in result.stderr and "1 of 3 models was decided" in result.stderr


BOUNDED = """
from draincheck.lang import Model

def counter(last: int = 2) -> Model:
    m = Model("counter")
    n = m.int("n", 0, 9)
    with m.thread("thread") as p, p.while_(n < last):
        p.do("up", n.inc())
        if last == 2:
            with p.when(n.is_(2)):
                p.bound("two")
    m.always("below", n < 5)
    return m
"""


def test_what_a_bound_leaves_unknown_is_not_decided(tmp_path: Path) -> None:
    """Only the first of three is: a bound hides the end of the second, a limit that of the third."""
    file = tmp_path / "bounded.py"
    file.write_text(BOUNDED, encoding="utf-8")
    asked = ["check", f"{file}:counter", "--set", "last=1,2,5", "--property", "below", "--max-states"]
    assert run(*asked, "99").stderr == ""
    stopped = run(*asked, "8")
    assert stopped.exit_code == 30
    assert "1 of 3 models was decided" in stopped.stderr


@pytest.mark.parametrize("expected", ["holds", "violated", "never asked"])
def test_what_is_unknown_is_never_as_expected(expected: str, tmp_path: Path) -> None:
    """Whatever is expected behind a bound ends with 30, the bound itself being expected; and with 10 if another variant is otherwise."""
    file = tmp_path / "bounded.py"
    said = f"@variant('bound', expect={{'no bound passed': 'violated', 'below': '{expected}'}})\n"
    model = BOUNDED.replace("import Model", "import Model, variant")
    file.write_text(model.replace("def counter", f"{said}def counter"), encoding="utf-8")
    assert run("check", str(file)).exit_code == 30
    file.write_text(model.replace("def counter", f"@variant('late', last=6)\n{said}def counter"), encoding="utf-8")
    assert run("check", str(file)).exit_code == 10


@pytest.mark.parametrize(
    ("decorator", "message"),
    [
        ("@variant", "counter.py:4: the name of a variant is a text in quotes; this is counter (function)"),
        ("@variant()", "counter.py:4: 'name' missing: write variant(name, expect=..., **parameters)"),
        ("@variant('a', 'b')", "counter.py:4: too many arguments: write variant(name, expect=..., **parameters)"),
    ],
)
def test_a_decorator_that_is_written_wrong_is_said_in_the_words_of_the_language(
    counter: str, decorator: str, message: str
) -> None:
    """With its line."""
    text = Path(counter).read_text(encoding="utf-8")
    Path(counter).write_text(text.replace('@variant("low", last=2)', decorator), encoding="utf-8")
    result = run("check", counter)
    assert (result.exit_code, result.stdout) == (150, "")
    assert message in " ".join(result.stderr.split())

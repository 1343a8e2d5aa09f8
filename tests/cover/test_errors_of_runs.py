"""Errors that a model names: `p.error`, and what a coroutine scheduled twice comes to."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from draincheck import Outcome, Run, Trace, check
from draincheck.analysis.accident import accident
from draincheck.engines.registry import ENGINES
from draincheck.errors import ModelError
from draincheck.lang import Model
from draincheck.report.jsontrace import read_trace
from tests.golden.documents import validator
from tests.support.cli import run

FREED = """
from draincheck.lang import Model

def build(guarded=False):
    m = Model("freed twice")
    freed, first = m.bool("freed"), m.bool("first")
    for name in ("main", "iothread"):
        with m.thread(name) as p, p.call("bdrv_unref"), p.atomic():
            if guarded:
                with p.when(freed):
                    p.do("leave it")
                with p.otherwise():
                    p.error("the node is freed twice", when=freed)
                    p.do("free", freed.set())
            else:
                p.error("the node is freed twice", when=freed)
                p.do("free", freed.set())
    m.always("nothing else", ~first)
    return m

def sound():
    return build(guarded=True)
"""


Items = dict[str, dict[str, Any]]


def checked(target: str, *options: str) -> tuple[int, Items]:
    """The exit code of `check`, and by name what its document says of each property."""
    result = run("check", target, *options, "--json")
    return result.exit_code, {item["name"]: item for item in json.loads(result.stdout)["properties"]}


def exported(target: str, folder: Path) -> str:
    """The file of the trace that meets the error."""
    file = str(folder / "trace.json")
    assert run("trace", "export", target, "--property", "no error met", "-o", file).exit_code == 0
    return file


@pytest.fixture
def model(tmp_path: Path) -> str:
    """The file of a model that frees something twice."""
    file = tmp_path / "freed.py"
    file.write_text(FREED, encoding="utf-8")
    return str(file)


@pytest.mark.parametrize("engine", [engine.name for engine in ENGINES])
def test_every_engine_finds_an_error_that_the_model_names(engine: str, model: str) -> None:
    """It is violated after one step, beside the other verdicts, and ends with 12."""
    code, found = checked(f"{model}:build", "--engine", engine)
    assert (code, found["no error met"]["verdict"]) == (12, "violated")
    assert len(found["no error met"]["trace"]["steps"]) == 1
    assert found["no error met"]["trace"]["error"]["message"] == "the node is freed twice"
    assert found["nothing else"]["verdict"] in ("holds", "unknown")


def test_an_error_that_no_run_comes_to_is_none(model: str) -> None:
    """Negative control: with a test before it, everything holds, and the demand itself does by its name."""
    code, found = checked(f"{model}:sound", "--property", "no error met")
    assert (code, [item["verdict"] for item in found.values()]) == (0, ["holds"])


def test_an_error_is_exported_shown_explained(model: str, tmp_path: Path) -> None:
    """The file of its trace goes through every command that reads one, and names the line of the statement."""
    target = f"{model}:build"
    file = exported(target, tmp_path)
    for command in (["trace", "show"], ["explain"]):
        result = run(*command, file, "--model", target)
        assert result.exit_code == 0
        assert "the node is freed twice" in result.stdout
        assert "freed.py:16" in "".join(result.stdout.split())


def test_control_goes_past_an_error_that_is_not_there() -> None:
    """Where its condition is false nothing changes, and what follows is reached; without a condition nothing follows."""
    m = Model("past")
    n = m.int("n", 0, 3)
    with m.thread("t") as p:
        p.error("not yet", when=n > 2)
        p.do("one", n.inc())
        with p.when(n.is_(1)):
            p.error("always")
    m.reachable("one", n.is_(1))
    result = check(m)
    assert {name: verdict.outcome for name, verdict in result.verdicts.items()} == {
        "one": Outcome.HOLDS,
        "no error met": Outcome.VIOLATED,
    }


def test_nothing_stands_behind_an_error_without_a_condition() -> None:
    """A statement there is refused with its line."""
    m = Model("behind")
    with m.thread("t") as p:
        p.error("always")
        with pytest.raises(ModelError, match="unreachable") as raised:
            p.do("never")
    assert raised.value.line is not None


@pytest.mark.parametrize("name", ["no bound passed", "mine", ""])
def test_what_an_error_violates_is_an_error_of_a_run(name: str) -> None:
    """A bound is no error, and neither is a property of the model; those that there are are named."""
    m = Model("names")
    with m.thread("t") as p, pytest.raises(ModelError, match="'coroutines scheduled once'") as raised:
        p.error("wrong", violates=name)
    assert raised.value.line is not None
    assert raised.value.line.file.endswith("test_errors_of_runs.py")


def test_a_coroutine_scheduled_twice_is_told_by_its_name() -> None:
    """The demand that an event loop's own scheduling violates stands beside the others."""
    m = Model("twice")
    scheduled = m.bool("scheduled")
    for name in ("main", "iothread"):
        with m.thread(name) as p, p.call("aio_co_schedule"), p.atomic():
            p.error("already scheduled", when=scheduled, violates="coroutines scheduled once")
            p.do("insert", scheduled.set())
    result = check(m)
    assert list(result.verdicts) == ["coroutines scheduled once"]
    assert result["coroutines scheduled once"].outcome is Outcome.VIOLATED


# -- what is told of it -------------------------------------------------------------------------------------------------


def ending(model: Model, name: str) -> str:
    """What is told of the error that violates a demand; its line is one of this file."""
    result = check(model, [name])
    trace = result[name].verdict.trace
    assert trace is not None
    end = accident(Run.of(result.system, trace))
    assert end is not None
    assert end.line.file.endswith("test_errors_of_runs.py")
    return re.sub(r"\(\S*test_errors_of_runs.py:\d+\)", "(LINE)", end.told)


@pytest.mark.parametrize(
    ("start", "step", "told"),
    [(0, "dec", "n would become -1 (n - 1): below its least, 0"), (3, "inc", "n would become 4 (n + 1): above its greatest, 3")],
)  # fmt: skip
def test_a_value_out_of_range_is_told_with_its_value(start: int, step: str, told: str) -> None:
    """Which variable would get which value, and on which side of which range that is."""
    m = Model("range")
    n = m.int("n", 0, 3, start)
    with m.thread("t") as p:
        p.do("step", getattr(n, step)())
    assert ending(m, "values in range") == told


def test_a_value_that_the_same_step_made_is_told() -> None:
    """Inside atomic it is the value at that place, not the one before the step."""
    m = Model("range")
    n = m.int("n", 0, 3, 1)
    with m.thread("t") as p, p.atomic():
        p.do("two", n.set(3))
        p.do("more", n.set(n + 2))
    assert ending(m, "values in range") == "n would become 5: above its greatest, 3"


def reentered(by: str) -> Model:
    """A coroutine that main has entered stands at its second step when somebody else enters it; or has ended before."""
    m = Model("re-entered")
    fired = m.bool("fired")
    co = m.coroutine("request")
    with co:
        co.here("submitting")
        co.do("submit", when=fired)
    with m.thread("main") as p, p.call("blk_co_pwritev"):
        p.enter(co)
        if by == "main":
            p.enter(co)
    with m.thread("timer") as p:
        p.do("fire", fired.set())
        if by == "timer":
            p.wait("a moment", m.at("request", "submitting") & co.on)
            p.enter(co, "qemu_co_sleep_wake")
    return m


@pytest.mark.parametrize(
    ("by", "told"),
    [
        (
            "timer",
            "timer would enter request, which is running: main (LINE) has entered it, and it stands at 'submitting' (LINE)",
        ),
        ("main", "main would enter request, which has ended"),
    ],
)
def test_a_coroutine_entered_again_is_told_with_who_entered_it(by: str, told: str) -> None:
    """Who enters it, who has entered it, and where it stands; or that it has ended."""
    assert ending(reentered(by), "coroutines entered once") == told


def test_a_passed_bound_is_told() -> None:
    """Who passes it, and what the model calls it."""
    m = Model("bound")
    with m.thread("t") as p:
        p.bound("two kicks")
    assert ending(m, "no bound passed") == "t passes a bound of the model: two kicks"


def test_an_explanation_tells_it_too(model: str, tmp_path: Path) -> None:
    """`explain --json` has the same object as the trace file, by its schema; a trace of another property has none."""
    target = f"{model}:build"
    file = exported(target, tmp_path)
    document = json.loads(run("explain", file, "--model", target, "--json").stdout)
    validator("explain").validate(document)
    assert document["error"] == json.loads(Path(file).read_text(encoding="utf-8"))["error"]
    assert document["error"]["told"] == "the node is freed twice"
    assert [fact["text"] for fact in document["error_because"]] == ["freed"]
    result = check(reentered(""))
    assert (
        accident(Run.of(result.system, Trace(result.system.name, result.system.digest, "", (0, 0, 0, 0, 0), ())))
        is None
    )


OVERFLOW = """
from draincheck.lang import Model

def build():
    m = Model("two ends")
    n, seen = m.int("n", 0, 1), m.bool("seen")
    with m.thread("thread") as p:
        p.do("look", seen.set())
        p.do("up", n.inc())
        p.do("up again", n.inc())
    m.always("not seen", ~seen)
    m.always("small", n <= 1)
    return m
"""


@pytest.mark.parametrize(
    ("names", "kept", "code"),
    [
        (["not seen"], "not seen", 12),
        (["values in range"], "values in range", 12),
        (["small"], "values in range", 12),
        (["not seen", "values in range"], None, 2),
        ([], None, 2),
    ],
)
def test_the_counterexample_of_what_was_named_goes_to_the_file(
    names: list[str], kept: str | None, code: int, tmp_path: Path
) -> None:
    """An error of a run that nobody asked about is no second one for it, and is told; two that were asked about are two."""
    source, file = tmp_path / "two_ends.py", tmp_path / "r.json"
    source.write_text(OVERFLOW, encoding="utf-8")
    asked = [word for name in names for word in ("--property", name)]
    result = run("check", f"{source}:build", *asked, "--trace-out", str(file))
    assert (result.exit_code, file.exists()) == (code, kept is not None)
    assert kept is None or read_trace(file.read_bytes()).trace.property == kept
    assert ("left out: values in range" in result.stderr) == (names == ["not seen"])


BESIDE = """
from draincheck.lang import Model

def two():
    m = Model("two")
    n, x = m.int("n", 0, 1), m.bool("x")
    with m.thread("a") as p:
        p.do("once", n.inc())
        p.do("twice", n.inc())
    with m.thread("b") as p:
        p.do("on", x.set())
        p.error("it is on", when=x)
    return m

def beside():
    m = two()
    m.can_always_finish("anything", m.variables["x"] | ~m.variables["x"])
    return m

def within():
    m = Model("within")
    n = m.int("n", 0, 2)
    with m.thread("a") as p:
        p.do("once", n.inc())
    return m

def named():
    m = within()
    with m.thread("b") as p:
        p.error("too many", when=m.variables["n"] > 1)
    return m

def idle():
    m = Model("idle")
    with m.thread("a") as p:
        p.do("once")
    return m
"""


@pytest.fixture
def demands(tmp_path: Path) -> str:
    """The file of models that demand nothing, or what few engines decide."""
    file = tmp_path / "beside.py"
    file.write_text(BESIDE, encoding="utf-8")
    return str(file)


@pytest.mark.parametrize("engine", [engine.name for engine in ENGINES])
@pytest.mark.parametrize("function", ["two", "beside"])
def test_every_engine_looks_for_every_error(engine: str, function: str, demands: str) -> None:
    """Where nothing is demanded, or nothing that the engine decides, and behind the first of them."""
    code, found = checked(f"{demands}:{function}", "--engine", engine)
    violated = {name: len(item["trace"]["steps"]) for name, item in found.items() if item["verdict"] == "violated"}
    assert (code, set(violated)) == (12, {"values in range", "no error met"})
    assert set(violated.values()) == {1} or engine == "simulation"


@pytest.mark.parametrize(
    ("function", "code", "words"),
    [
        (
            "within",
            10,
            "within demands nothing: it has no properties, and no error of a run was found (values in range)",
        ),
        ("idle", 10, "idle demands nothing: it has no properties; give it some"),
        ("named", 0, "no error met"),
    ],
)
def test_a_model_without_demands_is_searched_for_errors(function: str, code: int, words: str, demands: str) -> None:
    """It ends with 10 if it has none, for nothing else was asked; `error` statements are demands of its own."""
    result = run("check", f"{demands}:{function}")
    assert (result.exit_code, words in result.output) == (code, True), result.output


def test_a_simulation_looks_for_errors_too(demands: str) -> None:
    """Of a model that demands nothing as well."""
    result = run("simulate", f"{demands}:two", "--runs", "50")
    assert (result.exit_code, "values in range" in result.stdout, "no error met" in result.stdout) == (12, True, True)
    nothing = run("simulate", f"{demands}:within", "--runs", "5")
    assert (nothing.exit_code, "within demands nothing" in nothing.stderr) == (10, True)

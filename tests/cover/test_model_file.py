"""A user's model file: parameters, variants with what is expected of each, and what files remember of them."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from draincheck.checking import check
from draincheck.engines.explicit import states
from draincheck.errors import MalformedModel, ModelError, NoSuchModel, UnfitParameters
from draincheck.lang import variant
from draincheck.model_file import ModelFile, builders
from draincheck.verdict import Outcome
from tests.support.cli import run

#: a queue whose consumer may sleep through the last item
QUEUE = """
from draincheck.lang import Model, variant

@variant("bug", expect={"handled": "violated"})
@variant("bug, twice", items=2, expect={"handled": "violated"})
@variant("fixed", recheck=True)
def build(recheck: bool = False, items: int = 1) -> Model:
    m = Model("queue")
    items_left, asleep = m.int("items", 0, items), m.bool("asleep")
    with m.thread("producer") as p:
        for number in range(items):
            p.do(f"put {number}", items_left.inc())
    with m.thread("consumer") as p:
        with p.when(items_left.is_(0)):
            p.do("sleep", asleep.set())
            if recheck:
                p.wait("for an item", items_left > 0)
            else:
                p.wait("for nobody", ~asleep)
        p.do("take all", items_left.set(0), asleep.clear())
    m.can_always_finish("handled", ~asleep & items_left.is_(0))
    return m

def other():
    return build()
"""


@pytest.fixture
def queue(tmp_path: Path) -> str:
    """The file of that queue."""
    path = tmp_path / "queue_model.py"
    path.write_text(QUEUE, encoding="utf-8")
    return str(path)


def test_parameters_come_from_the_command_line_and_from_python(queue: str) -> None:
    """As texts or as values; the rest have their defaults."""
    texts, values = (
        ModelFile.load(f"{queue}:build", given)
        for given in ({"recheck": "on", "items": "3"}, {"recheck": True, "items": 3})
    )
    assert texts.parameters == values.parameters and texts.system().digest == values.system().digest
    assert ModelFile.load(f"{queue}:build").system().digest != texts.system().digest


def test_a_file_is_all_its_variants_in_their_order(queue: str) -> None:
    """Those of each function, from above; functions without any are no variants."""
    found = [item.build({}) for item in builders(queue)]
    assert [(item.variant.name, item.parameters) for item in found if item.variant is not None] == [
        ("bug", {}),
        ("bug, twice", {"items": 2}),
        ("fixed", {"recheck": True}),
    ]
    assert next(item.name for item in found) == f"{queue}:build:bug"


def test_a_variant_expects_what_it_says_and_else_that_all_holds(queue: str) -> None:
    """Findings know it."""
    for item in builders(queue):
        (finding,) = check(item.build({})).findings
        assert finding.expectation is not None and finding.as_expected
        assert (finding.outcome is Outcome.VIOLATED) == (item.variant is not None and item.variant.name != "fixed")


def test_nothing_is_expected_of_a_variant_with_other_parameters(queue: str) -> None:
    """Nor of a function that is asked about without one; the same parameters given again change nothing."""
    load = ModelFile.load
    assert load(f"{queue}:build:bug", {"items": 3}).expectation("handled") is None
    assert load(f"{queue}:build").expectation("handled") is None
    assert load(f"{queue}:build:fixed", {"recheck": "on"}).expectation("handled") is not None


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("build:fixd", "unknown variant 'fixd'; did you mean fixed"),
        ("other:bug", "other has no variants"),
        ("biuld:bug", "unknown function 'biuld'; did you mean build"),
    ],
)
def test_a_name_that_leads_to_no_variant(queue: str, name: str, message: str) -> None:
    """With the nearest one."""
    with pytest.raises(NoSuchModel, match=message):
        ModelFile.load(f"{queue}:{name}")


def test_a_file_without_variants_has_none_to_build(tmp_path: Path) -> None:
    """It says what to name instead."""
    (tmp_path / "m.py").write_text("def build(): ...\n", encoding="utf-8")
    with pytest.raises(NoSuchModel, match="has no variants: name a function of it"):
        builders(str(tmp_path / "m.py"))


ODD = """
from draincheck.lang import Model, variant
from draincheck.lang import Model as Mod
from os.path import normpath as notes
from dataclasses import dataclass as nerve

class Nevermore:
    pass

def never() -> Model:
    raise ValueError

def build() -> Model:
    raise ValueError

def _nope() -> Model:
    raise ValueError

nevermind = 3
"""


def test_functions_of_the_file_alone_are_offered(tmp_path: Path) -> None:
    """No class, nothing imported, nothing private; where there is none, the form."""
    file = tmp_path / "odd.py"
    file.write_text(ODD, encoding="utf-8")
    with pytest.raises(NoSuchModel, match=r"unknown function 'nope'; did you mean never\?$"):
        ModelFile.load(f"{file}:nope")
    with pytest.raises(NoSuchModel, match=r"unknown function 'Modl'; known: never, build$"):
        ModelFile.load(f"{file}:Modl")
    with pytest.raises(NoSuchModel, match=rf"name a function of it, {file}:never or {file}:build$"):
        builders(str(file))
    file.write_text("from draincheck.lang import Model\n", encoding="utf-8")
    with pytest.raises(NoSuchModel, match=r"name a function of it, as MODEL\.py:FUNCTION$"):
        builders(str(file))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"bug", expect', '"bug", itms=2, expect', r"queue_model.py:4: the variant 'bug': unknown parameter 'itms'; did you mean items"),
        ('"bug", expect', '"bug", items=2.5, expect', r"queue_model.py:4: the variant 'bug': items is an integer, not 2.5"),
        ('{"handled": "violated"})\n@variant("bug, ', '{"handld": "violated"})\n@variant("bug, ', "unknown property 'handld'; did you mean handled"),
        ('"violated"})\n@variant("bug, ', '"broken"})\n@variant("bug, ', "'holds', 'violated' or 'never asked', not 'broken'"),
        ('"fixed", ', '"bug", ', "there is a variant 'bug' already"),
        ('"fixed", ', '" ", ', "the name of a variant is empty"),
        ('expect={"handled": "violated"})\n@variant("bug, ', 'expect="violated")\n@variant("bug, ', "expect is a table of verdicts by property"),
    ],
)  # fmt: skip
def test_a_variant_that_cannot_be_is_refused_with_its_line(queue: str, old: str, new: str, message: str) -> None:
    """Whether the file says it or its function would have to."""
    assert old in QUEUE
    Path(queue).write_text(QUEUE.replace(old, new), encoding="utf-8")
    with pytest.raises(MalformedModel, match=message) as raised:
        for item in builders(queue):
            item.build({})
    assert "queue_model.py:" in str(raised.value)


def test_the_decorator_changes_nothing_else() -> None:
    """The function is the same one, and a name that is none is refused at once."""

    def function() -> None: ...

    assert variant("some")(function) is function
    with pytest.raises(ModelError, match="the name of a variant"):
        variant(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_a_trace_remembers_the_parameters(queue: str, tmp_path: Path) -> None:
    """And is shown by the same function, if the user names them; another digest is another model still."""
    file = str(tmp_path / "trace.json")
    result = run("trace", "export", f"{queue}:build", "--set", "items=2", "--property", "handled", "-o", file)
    assert result.exit_code == 0, result.output
    assert json.loads(Path(file).read_text(encoding="utf-8"))["source"]["parameters"] == {"items": 2}
    own = ("--model", f"{queue}:build", "--set", "items=2")
    assert run("trace", "show", file, *own).exit_code == 0
    assert run("explain", file, *own).exit_code == 0
    Path(queue).write_text(
        QUEUE.replace('"take all"', '"take some"').replace("asleep.clear()", "asleep.set()"), encoding="utf-8"
    )
    changed = run("trace", "show", file, *own)
    assert (changed.exit_code, "the model has changed" in changed.stderr) == (14, True)


def test_a_trace_goes_by_what_the_model_does(queue: str, tmp_path: Path) -> None:
    """A step that has another label is shown by it; one who takes part alone *does* something."""
    file = str(tmp_path / "trace.json")
    run("trace", "export", f"{queue}:build", "--property", "handled", "-o", file)
    Path(queue).write_text(QUEUE.replace('"sleep"', '"doze off"'), encoding="utf-8")
    shown = run("trace", "show", file, "--model", f"{queue}:build").stdout
    assert "doze off" in shown and "consumer: sleep" not in shown
    assert "scenario: what producer and consumer do\n" in shown
    lone = tmp_path / "lone.py"
    lone.write_text(QUEUE.replace("in range(items)", "in range(0)"), encoding="utf-8")
    assert ModelFile.load(f"{lone}:other").about.scenario == "what consumer does"


def test_a_trace_whose_parameters_are_gone_belongs_to_another_model(queue: str, tmp_path: Path) -> None:
    """14; naming them is 2, and says what the function takes now; damage in the file is 150."""
    file = tmp_path / "trace.json"
    run("trace", "export", f"{queue}:build", "--set", "items=2", "--property", "handled", "-o", str(file))
    assert run("trace", "show", str(file), "--model", f"{queue}:other").exit_code == 14
    gone = run("trace", "show", str(file), "--model", f"{queue}:other", "--set", "items=2")
    assert (gone.exit_code, "other() takes no parameters" in gone.stderr) == (2, True)
    text = file.read_text(encoding="utf-8").replace('"parameters": {\n      "items": 2\n    }', '"parameters": "items"')
    file.write_text(text, encoding="utf-8")
    assert run("trace", "show", str(file), "--model", f"{queue}:build").exit_code == 150


def test_a_certificate_remembers_the_parameters(queue: str, tmp_path: Path) -> None:
    """It is checked against the model with them, and rejected by one with others."""
    file = str(tmp_path / "proof.smt2")
    assert run("prove", f"{queue}:build", "--set", "recheck=on", "--property", "handled", "-o", file).exit_code == 0
    own = ("--model", f"{queue}:build", "--set", "recheck=on")
    assert run("certificate", "check", file, *own).exit_code == 0
    Path(queue).write_text(QUEUE.replace("if recheck", "if not recheck"), encoding="utf-8")
    assert run("certificate", "check", file, *own).exit_code == 14


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "rechek=on"], "unknown parameter 'rechek'; did you mean recheck?; build() takes recheck (off or on; default off)"),
        (["--set", "items=two"], "items is an integer, not 'two'"),
        (["--set", "items"], "'items' lacks a value; write items=VALUE"),
        (["--set", "items=1", "--set", "items=2"], "--set gives items two values"),
        (["--set", "items=1", "--scenario", "timer"], "a model of your own has no --revision, --scenario or --order"),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_one_message(queue: str, arguments: list[str], message: str) -> None:
    """Before the model's name or after it: 2."""
    for words in (["check", f"{queue}:build", *arguments], ["check", *arguments, f"{queue}:build"]):
        result = run(*words)
        assert (result.exit_code, result.stdout) == (2, "")
        assert message in " ".join(result.stderr.split())


def test_a_required_parameter_is_asked_for() -> None:
    """The message says how to give it."""
    with pytest.raises(UnfitParameters, match=r"needs\(\) needs n; needs\(\) takes n \(an integer\)"):
        ModelFile.load(f"{Path(__file__).parent / 'test_model_file.py'}:needs")


def needs(n: int) -> None:
    """A function that cannot do without its parameter."""


WRAPPED = """
from functools import cache, partial, wraps
from draincheck.lang import Model, variant
from neighbour import build as imported, both

def model(bad: bool = False) -> Model:
    m = Model("m")
    n = m.bool("n")
    with m.thread("t") as p:
        p.do("set", n.set())
    m.always("kept", ~n if bad else n | ~n)
    return m

@variant("of a cache")
@cache
def cached():
    return model()

def through(function):
    @wraps(function)
    def call():
        return function()
    return call

@through
@variant("wrapped")
def wrapped():
    return model()

@both
def twice(bad: bool = False) -> Model:
    return model(bad)

alias = twice
made = variant("of a partial")(partial(model, False))
"""
NEIGHBOUR = """
from draincheck.lang import Model, variant

@variant("not the importer's")
def build() -> Model: ...

def both(function):
    return variant("as it is")(variant("bad", bad=True, expect={"kept": "violated"})(function))
"""


def test_every_variant_of_the_file_is_found_however_it_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what wraps a function, by a decorator of one's own, once under two names; not those of functions that are imported."""
    monkeypatch.chdir(tmp_path)
    Path("neighbour.py").write_text(NEIGHBOUR, encoding="utf-8")
    Path("wrapped_model.py").write_text(WRAPPED, encoding="utf-8")
    names = ["cached:of a cache", "wrapped:wrapped", "twice:as it is", "twice:bad", "made:of a partial"]
    assert [item.title for item in builders("wrapped_model.py")] == names
    assert run("check", "wrapped_model.py").exit_code == 0
    assert run("check", "wrapped_model.py:alias:bad").exit_code == 12


@pytest.mark.parametrize(
    "lost",
    [
        "@variant('first')\ndef other(): ...\ndef other(): ...\n",
        "@variant('first')\ndef other(): ...\ndel other\n",
        "variant('first')\n",
        "class C:\n    @variant('first')\n    def other(self): ...\n",
    ],
)
def test_a_variant_that_nothing_leads_to_is_refused(queue: str, lost: str) -> None:
    """It would be left out in silence: 150 with its line."""
    Path(queue).write_text(QUEUE + lost, encoding="utf-8")
    result = run("check", queue)
    assert (result.exit_code, result.stdout) == (150, "")
    assert "the variant 'first' is of nothing that has a name in this file" in " ".join(result.stderr.split())
    assert "queue_model.py:" in result.stderr


@pytest.mark.parametrize("where", ["the file", "a file that it imports"])
def test_what_is_read_is_the_file_as_it_is(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python's cache would take a file for unchanged that is as long as before and was written in the same second."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    file, limits = tmp_path / "counts.py", tmp_path / "limits_of_counts.py"
    changing = file if where == "the file" else limits
    last = "from limits_of_counts import LAST" if changing is limits else "LAST = 2"
    file.write_text(COUNTS.replace("LAST = 2", last))
    limits.write_text("LAST = 2\n")
    second = (1_700_000_000, 1_700_000_000)
    sizes = []
    for number in ("2", "4"):
        changing.write_text(changing.read_text().replace("LAST = 2", f"LAST = {number}"))
        os.utime(changing, second)
        sys.modules.pop("limits_of_counts", None)
        sizes.append(len(states(ModelFile.load(f"{file}:counts").system())))
    assert sizes == [6, 10]
    assert not list(tmp_path.rglob("*.pyc"))


COUNTS = """
from draincheck.lang import Model
LAST = 2

def counts():
    m = Model("counts")
    n = m.int("n", 0, 9)
    with m.thread("thread") as p, p.while_(n < LAST):
        p.do("up", n.inc())
    m.always("below", n < 9)
    return m
"""


_MIXED = """
from typing import Literal

from draincheck.lang import Model, variant


@variant("v", x=1, expect={"kept": "violated"})
def build(x: Literal[0, 1, True] = 0) -> Model:
    m = Model(f"m {x!r}")
    n = m.int("n", 0, 1)
    with m.thread("t") as p:
        p.do("one", n.set(int(x is not True and x == 1)))
    m.always("kept", n.is_(0))
    return m
"""


def test_values_that_python_takes_for_the_same_make_models_of_their_own(tmp_path: Path) -> None:
    """A table has a line for each, a variant with the other of them is another model, and so has a sweep a point for each."""
    file = tmp_path / "m.py"
    file.write_text(_MIXED, encoding="utf-8")
    table = json.loads(run("check", f"{file}:build", "--set", "x=0,1,on", "--json").stdout)
    assert [row["model"] for row in table["models"]] == ["m 0", "m 1", "m True"]
    assert ModelFile.load(f"{file}:build:v", {"x": "1"}).variant is not None
    assert ModelFile.load(f"{file}:build:v", {"x": "on"}).variant is None
    assert run("check", f"{file}:build:v", "--set", "x=on").exit_code == 0
    swept = json.loads(run("sweep", f"{file}:build", "--json").stdout)
    assert swept["table"] == [{"x": [0, True]}]
    changes = json.loads(run("why", f"{file}:build", "--set", "x=1", "--property", "kept", "--json").stdout)
    assert [item["changes"] for item in changes["answers"]] == [{"x": 0}, {"x": True}]

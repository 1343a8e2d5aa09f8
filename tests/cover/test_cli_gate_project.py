"""`gate` of a project: what its configuration names, against what it expects; each kind of trouble has its line and its code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from junitparser import JUnitXml
from msgspec.structs import replace

from check_invariants.work import gate_project, gate_replay
from draincheck.errors import OutOfBudget
from draincheck.reason import Stop, StopKind
from tests.golden.documents import validator
from tests.support.cli import run
from tests.support.projects import FIXED, MODEL, RING, TROUBLES, code_base, gate, project, troubles
from tests.support.samples import sampled

pytestmark = pytest.mark.usefixtures("empty_folder")

# -- what is as expected ----------------------------------------------------------------------------


def test_all_variants_of_a_file() -> None:
    """A file without a function is held against what it expects itself."""
    result = gate(RING)
    said = "2 models, 6 verdicts; all as expected, of them 1 violated, 2 never asked"
    assert result.stdout == f"ring.py:build:bug: violated, as expected: safe\ndrain-gate.toml: {said}\n"
    assert result.exit_code == 0


def test_a_function_with_expectations_parameters_and_counts() -> None:
    """What is not named is expected to hold."""
    result = gate(f"{FIXED}parameters = {{ size = 2 }}\ncounts = {{ states = 3, transitions = 2, depth = 2 }}\n")
    said = "drain-gate.toml: 1 model, 3 verdicts, 1 pinned count; all as expected, of them 1 never asked\n"
    assert (result.stdout, result.exit_code) == (said, 0)


def test_an_error_of_a_run_that_is_expected() -> None:
    """It is looked for by name; without the expectation it is a difference."""
    config = FIXED + "parameters.size = 2\n"
    model = MODEL.replace("x.set(size)", "x.set(size + 1)")
    expected = config.replace("goal =", '"values in range" = "violated", goal =')
    expected = expected.replace('goal = "reachable"', 'goal = "violated", safe = "never asked"')
    assert gate(expected, model=model).exit_code == 0
    (line, *_) = [text for text in troubles(gate(config, model=model)) if ": values in range:" in text]
    assert line.startswith("ring.py:build (size=2): values in range: expected holds, found violated")


def test_a_variant() -> None:
    """One of them, alone."""
    result = gate(f'{RING}function = "build"\nvariant = "bug"\n')
    assert result.stdout.endswith(
        "drain-gate.toml: 1 model, 3 verdicts; all as expected, of them 1 violated, 1 never asked\n"
    )
    assert result.exit_code == 0


def test_a_code_base_and_the_replay_of_its_counterexamples() -> None:
    """Without expectations QEMU's history is one; what is violated is executed on the core, unless that is not wanted."""
    config = code_base("v2.6.0", ["mirror"], ["S1", "S4"])
    loses = "v2.6.0 (ab27c3b5e7) / mirror: violated, as expected: S1, S4 (silent loss)\n"
    for options, replays in (((), ", 2 replays"), (("--no-replay",), "")):
        result = gate(config, *options)
        assert (result.stdout, result.exit_code) == (
            f"{loses}drain-gate.toml: 1 model, 2 verdicts{replays}; all as expected, of them 2 violated\n",
            0,
        )


def test_the_order_is_a_knob_too() -> None:
    """It may be said either way, and changes nothing in what is expected; negative control: another knob does."""
    entry = code_base("f3926945c8", ["mirror"], ["S1"])
    listed = [gate(f"{entry}{said}\n", "--list").stdout for said in ('order = "any"', 'settings.order = "any"')]
    assert listed[0] == listed[1] and "as QEMU's history says" in listed[0]
    assert "as QEMU's history says" not in gate(f'{entry}settings.drain = "nested"\n', "--list").stdout


def test_a_table_of_pyproject() -> None:
    """`[tool.check-invariants]` is a configuration, too; a file of its own is asked first."""
    project(Path(), FIXED)
    Path("drain-gate.toml").rename("other.toml")
    Path("pyproject.toml").write_text(
        "[tool.check-invariants]\n" + FIXED.replace("[[model", "[[tool.check-invariants.model")
    )
    assert run("gate").stdout.startswith("pyproject.toml: 1 model")
    assert run("gate", "other.toml").stdout.startswith("other.toml: 1 model")
    Path("other.toml").rename("drain-gate.toml")
    assert run("gate").stdout.startswith("drain-gate.toml: 1 model")


def test_a_configuration_elsewhere() -> None:
    """Files are those of its folder, and are named from here."""
    project(Path("inner"), FIXED.replace('"never asked"', '"holds"'))
    result = run("gate", "inner/drain-gate.toml")
    assert troubles(result) == ["inner/ring.py:build: unasked: expected holds, found never asked (no check asks it)"]


def test_a_release_that_loses_writes_is_no_good_news_anywhere() -> None:
    """What is violated as expected, and what comes of it, stands in every report; rules inside QEMU alone are called so."""
    result = gate(code_base("v2.6.0", ["mirror"]), "--markdown", "m.md", "--junit", "j.xml")
    loses = "violated, as expected: S1, S3, S4 (silent loss)"
    assert loses in result.stdout and result.exit_code == 0
    for report in map(Path, ("m.md", "j.xml")):
        assert "nothing is wrong" not in report.read_text() and "of them 8 violated" in report.read_text()
    assert f"| ⚪ | `v2.6.0 (ab27c3b5e7) / mirror` | {loses} |" in Path("m.md").read_text()
    suite = next(iter(JUnitXml.fromstring(Path("j.xml").read_bytes())))
    (said,) = [case.system_out for case in suite if case.name == "S4"]
    assert f'<property name="violated, as expected" value="{loses}" />' in Path("j.xml").read_text()
    assert said is not None and said.endswith(", as expected")
    (found,) = json.loads(run("gate", "--json").stdout)["suites"]
    assert found["accepted"] == loses
    inside = gate(code_base("v2.7.0", ["mirror"])).stdout
    assert "violated, as expected: S6, B6 (rules inside QEMU, which no guest sees)" in inside


def test_a_change_may_be_asked_only_about_what_a_guest_can_see() -> None:
    """Without it rules inside QEMU are red, and say how to leave them out; with it what a guest sees still is."""
    entry = '[[code_base]]\nrevision = "v2.6.0"\nsettings = { begin = "before_check" }\nscenarios = '
    visible, hint = 'properties = "guest-visible"\n', 'properties = "guest-visible" leaves it out'
    found = troubles(gate(f'{entry}["mirror"]\n'))
    assert [line.split(": ")[1] for line in found if line.endswith(hint)] == ["S7", "B3", "B6"] and len(found) == 3
    assert gate(f'{entry}["mirror"]\n{visible}').exit_code == 0
    listed = json.loads(run("gate", "--list", "--json").stdout)["items"]
    assert [item["properties"] for item in listed] == [["S1", "S3", "S4", "A1", "F1", "R1"]]
    assert [line.split(": ")[1] for line in troubles(gate(f'{entry}["timer"]\n{visible}'))] == ["S1", "A1"]
    assert not any(hint in line for line in troubles(gate(f'{entry}["timer"]\n')))
    assert hint not in gate(f'{entry}["mirror"]\nproperties = ["S7"]\n').stdout


def test_where_nothing_is_violated_nothing_is_said_of_it() -> None:
    """Negative control."""
    result = gate(FIXED, "--markdown", "m.md", "--json")
    assert json.loads(result.stdout)["suites"][0]["accepted"] is None
    assert "violated" not in Path("m.md").read_text() and "| ✅ | `ring.py:build` |" in Path("m.md").read_text()


# -- what is not ------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", sampled(TROUBLES, list(TROUBLES)[::2]))
def test_each_trouble_has_its_line_and_code(what: str) -> None:
    """And hides nothing of what is beside it."""
    config, line, code = TROUBLES[what]
    result = gate(f"{RING}{config}{FIXED}")
    (found,) = troubles(result)
    assert found.startswith(line), found
    assert (result.exit_code, result.stdout.count("all as expected")) == (code, 0)
    assert result.stdout.splitlines()[-1].startswith("drain-gate.toml: 4 models, ")


def test_a_file_that_does_not_import() -> None:
    """It is malformed: 150, with the line."""
    result = gate(RING, model="1/0\n")
    assert troubles(result) == [
        "ring.py: model: ring.py:1: the model does not import: ZeroDivisionError: division by zero"
    ]
    assert result.exit_code == 150


def test_a_model_that_demands_nothing() -> None:
    """An empty selection is no pass."""
    model = MODEL[: MODEL.index("    m.always")] + "    return m\n"
    result = gate(f'{RING}function = "build"\n', model=model)
    assert troubles(result)[0].startswith("ring.py:build: model: queue demands nothing")
    assert result.exit_code == 10


def test_a_file_without_variants() -> None:
    """What names nothing is the configuration's fault."""
    result = gate(RING, model="def build(): ...\n")
    assert troubles(result) == [
        "ring.py: configuration: drain-gate.toml:2: ring.py has no variants: name a function of it, ring.py:build"
    ]
    assert result.exit_code == 151


def test_a_replay_that_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where model and core go different ways, the verdict is worth nothing: 14."""
    monkeypatch.setattr(gate_replay, "follow", lambda run, machine: run)
    monkeypatch.setattr(gate_replay, "parted", lambda parting, model: f"{model}: core and trace part ways")
    result = gate(code_base("v2.6.0", ["mirror"], ["S1"]))
    assert troubles(result) == [
        "v2.6.0 (ab27c3b5e7) / mirror: replay of S1: ab27c3b5e7 / mirror: core and trace part ways"
    ]
    assert result.exit_code == 14


def test_what_is_not_come_to_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit ends the run; whatever was left is undecided, never as expected."""
    decided, decide = list[str](), gate_project._decided

    def once(planned: Any, made: Any, subject: Any, replay: bool) -> gate_project.Ran:
        if decided:
            raise OutOfBudget(Stop(StopKind.SECONDS, 1))
        decided.append(made.called)
        return decide(planned, made, subject, replay)

    monkeypatch.setattr(gate_project, "_decided", once)
    result = gate(f"{FIXED}{RING}")
    assert troubles(result) == ["ring.py: model: not decided: time limit 1 s reached"]
    assert "1 undecided" in result.stdout and result.exit_code == 30


def test_a_limit_inside_a_search() -> None:
    """Its verdicts are unknown, and so is everything behind it."""
    result = gate(f"{FIXED}{FIXED}", "--timeout", "1e-9")
    assert result.exit_code == 30
    assert len(troubles(result)) >= 1


def test_a_model_at_which_a_limit_is_reached_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not again as one that was not come to; the one behind it is."""
    decide = gate_project._decided

    def stopped(*asked: Any) -> gate_project.Ran:
        return replace(decide(*asked), stop=Stop(StopKind.SECONDS, 1))

    monkeypatch.setattr(gate_project, "_decided", stopped)
    config = code_base("v2.6.0", ["mirror", "timer"], ["S1"])
    result = gate(config, "--no-replay", "--json")
    titles = [suite["title"] for suite in json.loads(result.stdout)["suites"]]
    assert titles == ["v2.6.0 (ab27c3b5e7) / mirror", "v2.6.0 (ab27c3b5e7) / timer"]
    assert troubles(run("gate", "--no-replay"))[-1].startswith(titles[1]) and result.exit_code == 30


def test_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    """130, and nothing is taken for decided."""

    def interrupted(*_: object) -> None:
        raise OutOfBudget(Stop(StopKind.REQUEST))  # as the process of a model hears it

    monkeypatch.setattr(gate_project, "_decided", interrupted)
    result = gate(FIXED)
    assert troubles(result) == ["ring.py:build: model: not decided: interrupted"]
    assert result.exit_code == 130


# -- lists, documents -------------------------------------------------------------------------------


def test_a_list_runs_no_model() -> None:
    """Neither the models nor what they import."""
    result = gate(FIXED, "--list", model="raise SystemExit('ran')\n")
    assert "drain-gate.toml:1  ring.py:build" in result.stdout and result.exit_code == 0
    document = json.loads(run("gate", "--list", "--json").stdout)
    validator("gate-list").validate(document)
    assert [item["what"] for item in document["items"]] == ["ring.py:build"]


def test_the_document() -> None:
    """It follows its schema, and ends with the code."""
    for config, code in ((FIXED, 0), (FIXED.replace("never asked", "holds"), 10)):
        result = gate(config, "--json")
        document = json.loads(result.stdout)
        validator("gate-project").validate(document)
        assert document["exit_code"] == result.exit_code == code
    standings = {item["name"]: item["standing"] for item in document["suites"][0]["items"]}
    assert standings == {"safe": "fine", "unasked": "wrong", "goal": "fine"}


def test_never_asked_is_never_green() -> None:
    """Not even where it is expected."""
    document = json.loads(gate(FIXED, "--json").stdout)
    assert {item["standing"] for item in document["suites"][0]["items"] if item["found"] == "never asked"} == {"noted"}


def test_the_order_is_that_of_the_file() -> None:
    """Twice the same, byte for byte."""
    config = RING + FIXED.replace("never asked", "holds") + code_base("v2.6.0", ["timer", "mirror"])
    texts = [gate(config, "--json").stdout for _ in range(2)]
    assert texts[0] == texts[1]
    titles = [suite["title"] for suite in json.loads(texts[0])["suites"]]
    assert titles == [
        "ring.py:build:bug",
        "ring.py:build:fixed",
        "ring.py:build",
        "v2.6.0 (ab27c3b5e7) / timer",
        "v2.6.0 (ab27c3b5e7) / mirror",
    ]


@pytest.mark.parametrize(("asked", "others"), [('["safe"]', False), ('["safe", "goal"]', True)])
def test_a_list_speaks_of_others_only_where_there_are_some(asked: str, others: bool) -> None:
    """Where `expect` names all that is asked about, there are none."""
    listed = gate(f'{RING}function = "build"\nproperties = {asked}\nexpect = {{ safe = "holds" }}\n', "--list")
    assert listed.exit_code == 0 and "safe holds" in listed.stdout, listed.output
    assert ("all others" in listed.stdout) is others

"""`check-invariants report`, and the explorer that other commands write: what they select, and where it goes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from check_invariants.explorer import tone_of
from check_invariants.work.findings import Checked
from draincheck.checking import check
from draincheck.explorer.runs import Tone
from drainspecs.mirror.code_base import CodeBase
from tests.golden.documents import validator
from tests.support.cli import run
from tests.support.projects import gate

pytestmark = pytest.mark.usefixtures("empty_folder")

MODEL = """from draincheck.lang import Model, variant


@variant("bug", careful=False, expect={"safe": "violated"})
@variant("fixed")
def build(careful: bool = True) -> Model:
    m = Model("queue")
    x = m.bool("x")
    with m.thread("t") as p:
        p.do("first", x.set(not careful))
    m.always("safe", ~x)
    return m
"""


def shown(file: str) -> dict[str, Any]:
    """The document in a file."""
    text = Path(file).read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="document">(.*?)</script>', text)
    assert found is not None
    document: dict[str, Any] = json.loads(found[1])
    return document


def selected(*options: str) -> list[str]:
    """The subjects that a report is about."""
    result = run("report", *options, "-o", "report.html")
    assert result.exit_code == 0, result.output
    return [subject["title"] for subject in shown("report.html")["subjects"]]


def test_a_scenario_of_a_code_base_is_one_subject() -> None:
    """It has no table."""
    assert selected("--revision", "v2.6.0", "--scenario", "mirror") == ["ab27c3b5e7 / mirror"]
    assert shown("report.html")["matrix"] is None


@pytest.mark.slow
def test_code_bases_and_scenarios_make_a_table() -> None:
    """Every cell leads to its subject; a scenario that a code base cannot run is left out."""
    titles = selected(
        "--revision", "5a7e7a0bad", "--revision", "v2.6.0", "--scenario", "mirror", "--scenario", "dataplane"
    )
    matrix = shown("report.html")["matrix"]
    cells = [[cell and titles[cell["subject"]] for cell in row["cells"]] for row in matrix["rows"]]
    assert cells == [["5a7e7a0bad / mirror", None], ["ab27c3b5e7 / mirror", "ab27c3b5e7 / dataplane"]]


def test_what_mends_one_scenario_is_not_said_of_all() -> None:
    """The answer names no remedy; each scenario has its own, and they differ."""
    scenarios = ("mirror", "timer")
    selected("--revision", "v2.6.0", *(word for name in scenarios for word in ("--scenario", name)))
    document = shown("report.html")
    assert "holds again" not in document["answer"]["sentence"]
    remedies = [subject["evidence"][0]["remedy"]["sentence"] for subject in document["subjects"]]
    assert all(told.startswith(f"in {name} S3 ") for name, told in zip(scenarios, remedies, strict=True))


@pytest.mark.slow
def test_every_name_in_the_table_has_its_meaning() -> None:
    """What matters first; the parentheses, too, where there are any."""
    selected("--revision", "v2.6.0", "--scenario", "mirror", "--scenario", "timer")
    matrix = shown("report.html")["matrix"]
    cells = [cell for row in matrix["rows"] for cell in row["cells"]]
    names = [name for cell in cells for name in (*cell["visible"], *cell["inside"])]
    assert dict.fromkeys(names).keys() | {"( )"} == dict(matrix["legend"]).keys()
    Path("own.py").write_text(MODEL, encoding="utf-8")
    selected("own.py")
    assert shown("report.html")["matrix"]["legend"] == []


@pytest.mark.parametrize(("scenario", "said"), [("dataplane", "safe, as far as modelled"), ("mirror", "silent loss")])
def test_a_heading_says_how_far_it_can_be_trusted(scenario: str, said: str) -> None:
    """As the table above does, and only where something is left out that the verdict could turn on."""
    selected("--revision", "v2.6.0", "--scenario", scenario)
    assert shown("report.html")["subjects"][0]["headline"] == said


def test_models_of_one_name_are_told_apart() -> None:
    """The variants of a file are one function's, and so have one title: each gets its name beside it; a model alone does not."""
    Path("model.py").write_text(MODEL, encoding="utf-8")
    assert selected("model.py") == ["queue (build:bug)", "queue (build:fixed)"]
    assert selected("model.py:build") == ["queue"]


@pytest.mark.parametrize(
    ("revisions", "options", "said"),
    [
        pytest.param(
            ("v2.6.0", "v6.1.0"),
            (),
            "1 of 2 code bases are unsafe: in some scenario a guest can see S1, ",
            marks=pytest.mark.slow,
        ),
        (("v6.1.0", "3bb0e2980a-permissions-first"), (), "0 of 2 code bases, 1 control among them, are unsafe: "),
        (("176c36997f", "v6.1.0"), ("--property", "L4"), "1 of 2 code bases violate something in some scenario"),
    ],
)
def test_of_several_code_bases_it_says_what_is_counted(
    revisions: tuple[str, ...], options: tuple[str, ...], said: str
) -> None:
    """What a guest can see violated; of demands on whole runs whatever is: none is safe because of what was not asked."""
    named = [word for revision in revisions for word in ("--revision", revision)]
    run("report", *named, "--scenario", "mirror", *options, "-o", "report.html")
    assert shown("report.html")["answer"]["headline"].startswith(said)


def test_a_knob_that_is_turned_is_turned_in_the_report() -> None:
    """The command below the answer says so, too."""
    named = ("--revision", "v2.6.0", "--scenario", "mirror", "--set", "drain=nested")
    assert selected(*named) == ["ab27c3b5e7+drain=nested / mirror"]
    assert "--set drain=nested" in shown("report.html")["command"]


def test_a_property_that_is_named_is_the_only_one() -> None:
    """Also a demand on whole runs."""
    for name in ("S1", "L1"):
        selected("--scenario", "mirror", "--revision", "v2.6.0", "--property", name)
        (subject,) = shown("report.html")["subjects"]
        assert len(subject["verdicts"]) == 1


def test_the_variants_of_a_file_are_subjects() -> None:
    """One of them alone is one."""
    Path("own.py").write_text(MODEL, encoding="utf-8")
    assert len(selected("own.py")) == 2
    assert [row["name"] for row in shown("report.html")["matrix"]["rows"]] == ["build:bug", "build:fixed"]
    assert len(selected("own.py:build", "--set", "careful=no")) == 1


def test_what_was_written_is_a_document() -> None:
    """With --json."""
    result = run("report", "--revision", "v2.6.0", "--scenario", "mirror", "--json")
    data = json.loads(result.stdout)
    validator("report").validate(data)
    assert (data["file"], data["answer"]) == ("report.html", shown("report.html")["answer"]["headline"])
    assert data["counterexamples"] >= 4


def test_it_goes_to_standard_output() -> None:
    """Alone; a document beside it is refused."""
    whole = run("report", "--scenario", "mirror", "--revision", "v2.6.0", "-o", "-")
    assert (whole.exit_code, whole.stdout.startswith("<!doctype html>")) == (0, True)
    assert run("report", "-o", "-", "--json").exit_code == 2


def test_a_run_that_is_cut_short_writes_nothing() -> None:
    """Neither a part of it, nor over an older one."""
    Path("report.html").write_text("old", encoding="utf-8")
    assert run("report", "--timeout", "0.000001").exit_code == 30
    assert Path("report.html").read_text(encoding="utf-8") == "old"


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("check", "--revision", "v2.6.0", "--scenario", "mirror"), 12),
        (("check", "own.py:build"), 0),
        (("check", "own.py"), 0),
    ],
)
def test_check_writes_what_it_found(command: tuple[str, ...], code: int) -> None:
    """Beside its answer, with the same exit code."""
    Path("own.py").write_text(MODEL, encoding="utf-8")
    with_file, without = run(*command, "--html", "found.html"), run(*command)
    assert with_file.exit_code == without.exit_code == code
    assert shown("found.html")["subjects"]


@pytest.mark.slow
def test_check_in_every_scenario_writes_all_of_them() -> None:
    """A subject each."""
    assert run("check", "--revision", "v2.6.0", "--no-trace", "--html", "found.html").exit_code == 12
    assert len(shown("found.html")["subjects"]) == 10


def test_check_keeps_standard_output_for_its_answer() -> None:
    """--html names a file."""
    assert run("check", "--scenario", "mirror", "--html", "-").exit_code == 2


@pytest.mark.parametrize("options", [(), ("--no-replay",)])
def test_a_gates_counterexample_has_its_bytes(options: tuple[str, ...]) -> None:
    """What a write that is lost comes to on the core, as `report` says it; where nothing was to be executed there, nothing."""
    config = (
        '[[code_base]]\nrevision = "v2.6.0"\nscenarios = ["mirror"]\nproperties = ["S3"]\nexpect = { S3 = "holds" }\n'
    )
    assert gate(config, *options, "--html", "gate.html").exit_code == 10
    (subject,) = shown("gate.html")["subjects"]
    (replay,) = (each["replay"] for each in subject["evidence"])
    assert (replay is None) is bool(options)
    assert replay is None or ([row[0] for row in replay["rows"]][:2] == ["written", "old disk"] and replay["lost_here"])


def test_the_gate_writes_every_counterexample() -> None:
    """A row for each suite; what came with a run can be walked in, and is shown again by the gate's own command."""
    config = '[[model]]\nfile = "ring.py"\nfunction = "build"\nparameters = { careful = false }\n'
    assert gate(config, "--html", "gate.html").exit_code != 0
    document = shown("gate.html")
    assert len(document["matrix"]["rows"]) == 1
    (subject,) = document["subjects"]
    assert {each["property"] for each in subject["evidence"]} >= {"safe"}
    assert all(each["command"].startswith("check-invariants check ring.py:build") for each in subject["evidence"])


def test_a_gate_that_is_refused_says_so_in_the_explorer() -> None:
    """As in every other report."""
    assert gate("[[model]]\nfile = 1\n", "--html", "gate.html").exit_code == 151
    assert shown("gate.html")["answer"]["tone"] == "bad"


def test_a_trace_is_exported_to_look_at() -> None:
    """One counterexample, of one property."""
    assert run("trace", "export", "--property", "S4", "-o", "S4.html").exit_code == 0
    (subject,) = shown("S4.html")["subjects"]
    assert [each["property"] for each in subject["evidence"]] == ["S4"]


@pytest.mark.parametrize(("revision", "tone"), [("v2.6.0", Tone.BAD), ("9a0cec664e", Tone.GOOD)])
def test_the_colour_says_what_the_words_say(revision: str, tone: Tone) -> None:
    """What a guest sees is bad, and rules inside alone are not."""
    subject = CodeBase.named(revision)
    assert tone_of(Checked(subject, check(subject), strict=False)) is tone

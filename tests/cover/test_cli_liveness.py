"""`check-invariants liveness`: verdicts beside what is expected, and an exit code that says whether they differ."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from check_invariants.main import cli
from draincheck.errors import ModelError
from draincheck.qemu import Scenario
from draincheck.revisions import Revision
from draincheck.verdict import Outcome, Verdict
from drainspecs import notify
from drainspecs.mirror import liveness
from drainspecs.mirror.liveness_expectations import expected_liveness
from drainspecs.suite.liveness import liveness_rows
from drainspecs.suite.matrix import all_rows
from tests.golden.documents import validator


def test_the_hang_is_the_kick_that_is_never_handled() -> None:
    """L2, in the code base where enabling does not wake the IOThread."""
    result = CliRunner().invoke(cli, ["liveness", "--scenario", "dataplane", "--revision", "91af091f92", "--json"])
    (row,) = json.loads(result.stdout)["rows"]
    assert result.exit_code == 13
    assert {name for name, cell in row["properties"].items() if cell["verdict"] == "violated"} == {"L2"}


def test_the_document_follows_its_schema() -> None:
    """Of code bases and of the notify suite."""
    for arguments in (["--revision", "91af091f92"], ["--notify"]):
        document = json.loads(CliRunner().invoke(cli, ["liveness", "--json", *arguments]).stdout)
        validator("liveness").validate(document)


def test_every_violated_demand_shows_its_counterexample() -> None:
    """--trace: the loop of the spin beside a flush, and the end of the notify suite's hangs, each once."""
    result = CliRunner().invoke(cli, ["liveness", "--revision", "bdffb31d8e", "--scenario", "mirror", "--trace"])
    assert result.exit_code == 13
    assert "-- again and again:" in result.stdout
    assert "violated by repeating from step" in result.stdout
    result = CliRunner().invoke(cli, ["liveness", "--notify", "--trace"])
    assert result.stdout.count(": violation of '") == 5


def test_full_says_why_it_is_expected() -> None:
    """A line a demand, with the argument."""
    result = CliRunner().invoke(cli, ["liveness", "--revision", "65c1b5b622", "--scenario", "dataplane", "--full"])
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("65c1b5b622  L2")]
    assert line.split()[2:4] == ["violated", "violated"]
    assert line.endswith("enabling external events does not wake it")


def test_the_notify_suite_has_no_revisions() -> None:
    """--notify with --revision makes no sense: exit code 2."""
    assert CliRunner().invoke(cli, ["liveness", "--notify", "--revision", "ab27"]).exit_code == 2


# -- liveness by the name of a property ---------------------------------------------------------------


def test_check_decides_a_demand_by_its_name() -> None:
    """`check --property L2` explores the model with the fairness that L2 needs; nothing is said of data."""
    result = CliRunner().invoke(
        cli, ["check", "--revision", "91af091f92", "--scenario", "dataplane", "--property", "L2"]
    )
    assert result.exit_code == 13
    assert "counterexample: 38 actions, then nothing moves" in result.stdout
    assert "outcome:" not in result.stdout


def test_a_changed_knob_has_no_expectation() -> None:
    """With --set the verdict itself makes the exit code: 13 for liveness."""
    arguments = [
        "check",
        "--revision",
        "321d1dba8b",
        "--scenario",
        "dataplane",
        "--property",
        "L2",
        "--set",
        "enable_notifies=off",
    ]
    assert CliRunner().invoke(cli, arguments).exit_code == 13


def test_demands_of_different_models_are_refused() -> None:
    """S1 and L2 cannot be decided on one model: exit code 2, and the message says what belongs where."""
    result = CliRunner().invoke(cli, ["check", "--property", "S1", "--property", "L2"])
    assert result.exit_code == 2
    assert "S1 (invariant), L2 (liveness)" in result.output


@pytest.mark.parametrize("command", ["why", "sweep"])
def test_commands_about_states_refuse_liveness(command: str) -> None:
    """Exit code 2, and the message names the commands that decide it."""
    result = CliRunner().invoke(cli, [command, "--property", "L2"])
    assert result.exit_code == 2
    assert "`check` and `liveness` decide them" in result.output


def test_an_exported_loop_is_shown_and_executed(tmp_path: Path) -> None:
    """A lasso is a file like other traces: it can be shown, explained, and executed on the core, which agrees; exit code 13."""
    file = str(tmp_path / "loop.json")
    selectors = ["--revision", "bdffb31d8e", "--property", "L7s"]
    assert CliRunner().invoke(cli, ["trace", "export", *selectors, "-o", file]).exit_code == 0
    assert "-- again and again:" in CliRunner().invoke(cli, ["trace", "show", file]).stdout
    assert CliRunner().invoke(cli, ["explain", file]).exit_code == 0
    replayed = CliRunner().invoke(cli, ["replay", file])
    assert replayed.exit_code == 13
    assert "model and core agree in each" in replayed.stdout


def test_the_core_has_no_coroutine_mutex(tmp_path: Path) -> None:
    """L4's model cannot be executed on it: exit code 2, for the file is sound, and the message says what can be done."""
    file = str(tmp_path / "L4.json")
    assert (
        CliRunner()
        .invoke(cli, ["trace", "export", "--revision", "176c36997f", "--property", "L4", "-o", file])
        .exit_code
        == 0
    )
    result = CliRunner().invoke(cli, ["replay", file])
    assert result.exit_code == 2
    assert f"check-invariants trace show {file}" in result.output


def test_the_notify_suite_has_its_has_its_twelve_rows() -> None:
    """All as published."""
    result = CliRunner().invoke(cli, ["liveness", "--notify", "--json"])
    rows = json.loads(result.stdout)["rows"]
    assert (result.exit_code, len(rows)) == (0, 12)


def test_a_wrong_expectation_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: exit code 10, and a mark in the table."""
    monkeypatch.setattr(notify, "ROWS", (replace(notify.ROWS[0], expected=Outcome.VIOLATED),))
    result = CliRunner().invoke(cli, ["liveness", "--notify"])
    assert result.exit_code == 10
    assert ".!" in result.stdout
    assert "1 not as expected" in result.stdout


def test_a_model_at_fault_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its verdicts are unknown, a line says why, the other code base is decided; exit code 10."""
    decide = liveness.verdicts

    def verdicts(revision: Revision, scenario: Scenario) -> dict[str, Verdict]:
        if revision.knobs.bandage:
            raise ModelError("wrong on purpose")
        return decide(revision, scenario)

    monkeypatch.setattr("check_invariants.work.liveness.verdicts", verdicts)
    arguments = ["liveness", "--scenario", "mirror", "--revision", "ab27c3b5e7~1", "--revision", "ab27c3b5e7"]
    result = CliRunner().invoke(cli, arguments)
    before, after = [line for line in result.stdout.splitlines() if "2016-04-22" in line]
    assert (before.count("?"), after.count("?!")) == (0, len(liveness.LIVENESS))
    assert "\nmodel fault: ab27c3b5e7 mirror: wrong on purpose\n" in result.stdout
    assert result.exit_code == 10


def test_two_jobs_have_no_expectations() -> None:
    """Nothing is written down for them, and nothing is compared."""
    rows = [row for row in all_rows() if row.scenario.jobs > 1]
    assert rows
    assert not liveness_rows(rows)
    assert {expected_liveness(row.revision.name, row.scenario, "L1") for row in rows} == {None}


def test_an_empty_selection_is_no_success() -> None:
    """Mirror was not allowed with dataplane there."""
    result = CliRunner().invoke(cli, ["liveness", "--scenario", "dataplane", "--revision", "5a7e7a0bad"])
    assert result.exit_code == 10


PROMISES = """
from draincheck.lang import Model

def build():
    m = Model("lone")
    done = m.bool("done")
    with m.thread("worker") as p:
        p.do("works", done.set())
    m.eventually("in the end", done)
    {promise}
    return m
"""


@pytest.mark.parametrize(
    ("promise", "code", "warned"), [("", 13, True), ("m.progress()", 0, False)], ids=["none", "all"]
)
def test_demands_on_runs_without_any_promise_are_warned_about(
    promise: str, code: int, warned: bool, tmp_path: Path
) -> None:
    """The run that violates it merely stops; with a promise there is nothing to warn about."""
    file = tmp_path / "lone.py"
    file.write_text(PROMISES.format(promise=promise), encoding="utf-8")
    result = CliRunner().invoke(cli, ["check", f"{file}:build", "--json"])
    document = json.loads(result.stdout)
    validator("check").validate(document)
    assert (result.exit_code, bool(document["warnings"]), "warning: " in result.stderr) == (code, warned, warned)
    text = CliRunner().invoke(cli, ["check", f"{file}:build"])
    assert (text.stdout.count("warning: "), text.stderr) == (int(warned), "")

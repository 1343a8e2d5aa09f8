"""`replay`, `simulate` and `conform`: the reference core from the command line."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from draincheck.conformance import matrix
from draincheck.conformance.text import GOES_ON
from draincheck.core.faults import FAULTS
from draincheck.errors import ModelError
from draincheck.lang import Process
from draincheck.qemu import Probes, World
from draincheck.revisions import find_revision
from drainspecs.mirror.scenarios import find_scenario
from tests.support.cli import run

#: a model that breaks its rule in a step
OWN = """
from draincheck.lang import Model

def build(last: int = 1) -> Model:
    m = Model("own")
    n = m.int("n", 0, last)
    with m.thread("t") as p, p.while_(n < last):
        p.do("up", n.inc())
    m.always("small", n < last)
    return m
"""


@pytest.fixture
def lost(tmp_path: Path) -> Path:
    """A counterexample of S4 at the bandage."""
    path = tmp_path / "S4.json"
    assert run("trace", "export", "--property", "S4", "-o", str(path)).exit_code == 0
    return path


def test_a_counterexample_is_reproduced_with_real_bytes(lost: Path) -> None:
    """Exit code 12, and for the lost write what the guest was told and both disks."""
    result = run("replay", str(lost))
    assert result.exit_code == 12
    assert "outcome on the core: silent loss" in result.stdout
    assert "the guest was told VIRTIO_BLK_S_OK" in result.stdout
    assert "old disk  ab ab" in result.stdout
    assert "new disk  00 00" in result.stdout


def test_a_good_run_replays_without_violation(tmp_path: Path) -> None:
    """The witness of R1 at a fixed code base: exit code 0."""
    path = tmp_path / "R1.json"
    run("trace", "export", "--revision", "9a0cec664e", "--property", "R1", "-o", str(path))
    result = run("replay", str(path), "--json")
    data = json.loads(result.stdout)
    assert (result.exit_code, data["outcome"], data["lost"]) == (0, "fine", [])


def test_a_step_without_a_label_says_where_and_what_that_means(lost: Path) -> None:
    """It names the call that goes on, and the last line of the steps explains it once."""
    lines = run("replay", str(lost)).stdout.splitlines()
    assert "  14 main thread: (goes on in thread_pool_completion_bh)" in lines
    assert lines.count(GOES_ON) == 1
    assert lines[lines.index(GOES_ON) + 1].startswith("outcome on the core: ")


def test_a_replay_in_which_every_step_has_a_label_explains_nothing(tmp_path: Path) -> None:
    """Negative control: the last line is there only where it is needed."""
    path = tmp_path / "F1.json"
    options = ("--revision", "cf3129323f", "--scenario", "timer-flush", "--property", "F1")
    run("trace", "export", *options, "-o", str(path))
    assert "(goes on" not in run("replay", str(path)).stdout


def test_a_core_that_does_something_else_parts_ways(lost: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: exit code 14, with the step and both sides' views."""
    from draincheck.core import machine

    parts = next(fault.parts for fault in FAULTS if fault.name == "late release")
    plain: Any = machine.Machine
    monkeypatch.setattr("check_invariants.work.replay.Machine", lambda knobs, config: plain(knobs, config, parts=parts))
    result = run("replay", str(lost))
    assert result.exit_code == 14
    assert "part ways in step" in result.stderr
    assert "the core offers:" in result.stderr


def test_a_users_model_has_no_core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says so at once, with the command that shows the trace, and nobody runs the program to say it; a file that is no trace is malformed."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "trace.json"
    path.write_text("{}")
    assert run("replay", str(path)).exit_code == 150
    program = tmp_path / "m.py"
    program.write_text(OWN)
    made = run("trace", "export", "m.py:build", "--set", "last=2", "--property", "small", "-o", "my t.json")
    assert made.exit_code == 0, made.output
    program.write_text("raise SystemExit('ran')")
    result = run("replay", "my t.json")
    assert result.exit_code == 2 and "ran" not in result.stderr
    program.write_text(OWN)
    words = shlex.split(result.stderr.rpartition(": check-invariants ")[2])
    assert words == ["trace", "show", "my t.json", "--model", "m.py:build", "--set", "last=2"]
    assert run(*words).exit_code == 0
    assert run("replay", "my t.json", "--model", "m.py:build").exit_code == 2


def test_simulate_counts_outcomes_and_writes_traces(tmp_path: Path) -> None:
    """A loss is one, expected or not; the trace of the first is one that the checker accepts and the core reproduces."""
    result = run("simulate", "--revision", "f3926945c8", "--runs", "200", "--trace-out", str(tmp_path), "--json")
    data = json.loads(result.stdout)
    (row,) = data["rows"]
    assert (result.exit_code, row["unexpected"]) == (12, [])
    assert set(row["outcomes"]) == {"fine", "silent loss"}
    (trace,) = data["traces"]
    assert run("replay", trace).exit_code == 12


@pytest.mark.slow
def test_the_outcomes_are_told_apart() -> None:
    """Abort, corruption and hang, each where history has it."""
    for revision, scenario, outcome in (
        ("3f09bfbc7b", "mirror", "abort"),
        ("5a7e7a0bad", "commit", "corruption"),
        ("cf3129323f", "no-ioeventfd-flush", "hang"),
    ):
        result = run("simulate", "--revision", revision, "--scenario", scenario, "--runs", "400", "--json")
        (row,) = json.loads(result.stdout)["rows"]
        assert row["outcomes"].get(outcome, 0) > 0, (revision, row)


@pytest.mark.slow
def test_the_bandages_hole_is_found_within_the_default_number_of_runs() -> None:
    """Case 3 is rare under a random scheduler, and found."""
    (row,) = json.loads(run("simulate", "--json").stdout)["rows"]
    assert row["outcomes"]["silent loss"] > 0


def test_an_outcome_that_nobody_expects_is_reported() -> None:
    """With a knob turned by hand the outcome itself decides: 12."""
    assert run("simulate", "--revision", "9a0cec664e", "--set", "begin=none", "--runs", "300").exit_code in (0, 12)
    result = run("simulate", "--revision", "3f09bfbc7b", "--set", "pre_switch=swap_drain", "--runs", "300")
    assert result.exit_code == 12


def test_model_and_core_conform() -> None:
    """One code base in one scenario, with the numbers of the comparison."""
    result = run("conform", "--revision", "ab27c3b5e7", "--scenario", "mirror", "--json")
    data = json.loads(result.stdout)
    assert (result.exit_code, data["states"], data["divergences"]) == (0, 991, [])


def test_a_faulty_core_does_not_conform(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: exit code 14, with a trace to the place."""
    parts = next(fault.parts for fault in FAULTS if fault.name == "oldest first")
    plain = matrix.conform_one
    monkeypatch.setattr(matrix, "conform_one", lambda system, knobs, scenario: plain(system, knobs, scenario, parts))
    result = run("conform", "--revision", "3f09bfbc7b", "--scenario", "mirror")
    assert result.exit_code == 14
    assert "after these steps" in result.stdout


@pytest.fixture
def nested_at_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models of code bases whose drains are nested have a number that leaves its range when the job defers."""

    class Overflowing(Probes):
        def begin(self, w: World) -> None:
            self.number = w.m.int("number", 0, 0) if w.k.drain == "nested" else None

        def job_defers(self, p: Process, w: World) -> None:
            if self.number is not None:
                p.do("counts too far", self.number.inc())

    monkeypatch.setattr(matrix, "Probes", Overflowing)


AT_FAULT = ("conform", "--revision", "3f09bfbc7b", "--revision", "ab27c3b5e7", "--scenario", "mirror")


@pytest.mark.slow
def test_a_model_at_fault_does_not_hide_the_others(nested_at_fault: None) -> None:
    """It is one line that names row, place and fault; the other row is compared; code 10."""
    result = run(*AT_FAULT)
    first, second = result.stdout.splitlines()
    assert first.startswith("3f09bfbc7b mirror model: expected one without a fault, found ")
    assert "value out of range: number would become" in first and "counts too far" in first
    assert second.startswith("1 system, 991 states: ") and "0 divergences" in second
    assert (result.stderr, result.exit_code) == ("", 10)


@pytest.mark.slow
def test_a_model_at_fault_as_json(nested_at_fault: None) -> None:
    """It is a difference of the kind `fault`."""
    data = json.loads(run(*AT_FAULT, "--json").stdout)
    assert [(item["kind"], item["revision"], item["row"]) for item in data["faults"]] == [
        ("fault", "3f09bfbc7b", "mirror")
    ]
    assert (data["systems"], data["divergences"], data["exit_code"]) == (1, [], 10)


def test_a_core_that_parts_ways_comes_before_a_model_at_fault(
    nested_at_fault: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are printed, and the code is that of parting ways: 14."""
    parts = next(fault.parts for fault in FAULTS if fault.name == "late release")
    plain = matrix.conform_one
    monkeypatch.setattr(matrix, "conform_one", lambda system, knobs, scenario: plain(system, knobs, scenario, parts))
    result = run(*AT_FAULT)
    assert "3f09bfbc7b mirror model: " in result.stdout and "after these steps" in result.stdout
    assert result.exit_code == 14


def test_a_caller_that_does_not_ask_for_faults_is_told(nested_at_fault: None) -> None:
    """Negative control: nobody takes a model at fault for one that conforms."""
    with pytest.raises(ModelError, match="counts too far"):
        matrix.conform_all([(find_revision("3f09bfbc7b"), find_scenario("mirror"))])

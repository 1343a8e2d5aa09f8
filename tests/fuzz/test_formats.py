"""Inputs made by chance, of every format: no traceback, no internal error, no hang."""

from __future__ import annotations

from pathlib import Path

import pytest

from check_invariants.exit import ExitCode
from tests.fuzz.formats import CONFIGURATION, FORMATS, MODEL
from tests.fuzz.trial import trial
from tests.support.cli import run
from tests.support.samples import sampled

#: inputs of each format in the quick run, in the tests of many, of very many; how many tests share these; how many of the first of them are in CI
QUICK, MANY, LONG = 5, 300, 20_000
PARTS, IN_CI = 10, 3


def wrong(name: str, numbers: range, every: int = 0) -> list[str]:
    """What is wrong with these inputs, each tried here, and one of so many in a process of its own, too."""
    found = [trial(name, number) for number in numbers]
    found += [trial(name, number, alone=True) for number in numbers[::every]] if every else []
    return [item for item in found if item]


@pytest.mark.parametrize("name", FORMATS)
def test_some_inputs(name: str) -> None:
    """A few of each, always the same."""
    assert wrong(name, range(QUICK)) == []


@pytest.mark.parametrize("part", sampled(range(PARTS), 0, IN_CI))
@pytest.mark.parametrize("name", FORMATS)
def test_many_inputs(name: str, part: int) -> None:
    """300 of each, 90 of them in CI, one of 25 in a process of its own, too."""
    assert wrong(name, range(part, MANY, PARTS), every=25) == []


@pytest.mark.long
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("name", FORMATS)
def test_very_many_inputs(name: str, part: int) -> None:
    """20,000 of each, one of 200 in a process of its own, too."""
    assert wrong(name, range(part, LONG, PARTS), every=200) == []


def test_the_harness_sees_an_internal_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: a command that fails is told from one that refuses."""

    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("check_invariants.work.trace.read_trace", broken)
    assert f"code {int(ExitCode.INTERNAL)}" in "".join(wrong("trace", range(5)))


def test_the_harness_sees_a_report_of_an_earlier_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: a refused gate that leaves the old one is noticed."""
    monkeypatch.setattr("check_invariants.refusal.report_refusal", lambda *_: None)
    assert any("says green" in item for number in range(30) for item in wrong("reports", range(number, number + 1)))


def test_what_is_changed_was_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And inputs are not all refused: some are understood."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text(MODEL, encoding="utf-8")
    assert run("check", "own.py:build").exit_code == 12
    (tmp_path / "drain-gate.toml").write_text(CONFIGURATION, encoding="utf-8")
    assert run("gate", "drain-gate.toml").exit_code == 10
    assert run("trace", "export", "own.py:build", "--property", "never", "-o", "trace.json").exit_code == 0
    assert run("explain", "trace.json", "--model", "own.py:build").exit_code == 0
    assert run("prove", "own.py:build", "-o", "proof.smt2").exit_code == 0
    assert run("certificate", "check", "proof.smt2", "--model", "own.py:build").exit_code == 0

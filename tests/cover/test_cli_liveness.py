"""`check-invariants liveness`: verdicts beside what is expected, and an exit code that says whether they differ."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from check_invariants.main import cli
from draincheck.verdict import Outcome
from drainspecs import notify


def test_the_hang_is_the_kick_that_is_never_handled() -> None:
    """L2, in the code base where enabling does not wake the IOThread."""
    result = CliRunner().invoke(cli, ["liveness", "--scenario", "dataplane", "--revision", "91af091f92", "--json"])
    (row,) = json.loads(result.stdout)["rows"]
    assert result.exit_code == 0
    assert {name for name, cell in row["properties"].items() if cell["verdict"] == "violated"} == {"L2"}


def test_the_assumptions_stand_below_the_table() -> None:
    """Nobody has to guess what is taken for granted."""
    result = CliRunner().invoke(cli, ["liveness", "--scenario", "mirror", "--revision", "ab27"])
    assert result.exit_code == 0
    assert "taken for granted:" in result.stdout
    assert "storage (weak)" in result.stdout


def test_the_notify_suite_has_its_twelve_rows() -> None:
    """All as published."""
    result = CliRunner().invoke(cli, ["liveness", "--notify", "--json"])
    rows = json.loads(result.stdout)["rows"]
    assert (result.exit_code, len(rows)) == (0, 12)


def test_a_wrong_expectation_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: exit code 10, and a mark in the table."""
    monkeypatch.setattr(notify, "ROWS", (replace(notify.ROWS[0], expected=Outcome.VIOLATED),))
    result = CliRunner().invoke(cli, ["liveness", "--notify"])
    assert result.exit_code == 10
    assert "holds!" in result.stdout


def test_an_empty_selection_is_no_success() -> None:
    """Mirror was not allowed with dataplane there."""
    result = CliRunner().invoke(cli, ["liveness", "--scenario", "dataplane", "--revision", "5a7e7a0bad"])
    assert result.exit_code == 10

"""`prove --engine induction` of a code base: one certificate for several properties, and none for what is not inductive."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import run


@pytest.mark.slow
def test_induction_is_one_certificate(tmp_path: Path) -> None:
    """Several properties with different k: the largest; both solvers accept it."""
    path = str(tmp_path / "it.smt2")
    names = ("--property", "S1", "--property", "S2")
    result = run("prove", "--revision", "9a0cec664e", *names, "--engine", "induction", "-o", path)
    assert result.exit_code == 0
    assert "S1, S2 hold in 9a0cec664e / mirror (k-induction, k = 3)" in result.stdout
    assert run("certificate", "check", path, "--solver", "both", "--timeout", "3000").exit_code == 0


@pytest.mark.slow
def test_not_inductive_is_unknown(tmp_path: Path) -> None:
    """Exit code 30, how far k went, and no file."""
    path = tmp_path / "no.smt2"
    arguments = ("prove", "--revision", "9a0cec664e", "--engine", "induction", "--depth", "2", "-o", str(path))
    result = run(*arguments, "--property", "S3")
    assert result.exit_code == 30
    assert "S3: not known to hold: not inductive with k up to 2; no certificate was written" in result.stderr
    result = run(*arguments, "--property", "S2")
    assert result.exit_code == 30
    assert (
        "S2: holds (every reachable state is excluded by its pairs of values), but no induction shows it"
        in result.stderr
    )
    assert not path.exists()

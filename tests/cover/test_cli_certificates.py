"""`prove` and `certificate check`."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from check_invariants.main import cli


def run(*arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(cli, arguments)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of S1 at the code base that opens its section first."""
    path = tmp_path / "S1.smt2"
    assert run("prove", "--revision", "9a0cec664e", "--property", "S1", "-o", str(path)).exit_code == 0
    return path


def test_both_solvers_accept_what_prove_writes(certificate: Path) -> None:
    """z3 and cvc5, from the file alone."""
    result = run("certificate", "check", str(certificate), "--solver", "both")
    assert result.exit_code == 0
    assert "accepted by z3" in result.stdout
    assert "accepted by cvc5" in result.stdout


def test_what_is_violated_cannot_be_proved(tmp_path: Path) -> None:
    """Exit code 10, and no file."""
    path = tmp_path / "no.smt2"
    assert run("prove", "--property", "S1", "-o", str(path)).exit_code == 10
    assert not path.exists()


def test_another_models_certificate_is_rejected(certificate: Path) -> None:
    """The file names a model that it is not about: exit code 14."""
    certificate.write_text(certificate.read_text().replace('"revision": "9a0cec664e"', '"revision": "0ff841f6d1"'))
    result = run("certificate", "check", str(certificate))
    assert result.exit_code == 14
    assert "REJECTED" in result.stdout


def test_half_a_certificate_is_malformed(certificate: Path) -> None:
    """Exit code 150."""
    text = certificate.read_text()
    certificate.write_text(text[: len(text) // 2])
    assert run("certificate", "check", str(certificate)).exit_code in (14, 150)

"""`prove --matrix` and `certificate check --matrix`: everything has a certificate, and what has none is listed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from draincheck.certificate import make, read
from draincheck.revisions import find_revision
from drainspecs.mirror.scenarios import find_scenario
from drainspecs.suite.matrix import Row, system_of
from tests.golden.documents import validator
from tests.support.cli import run


@pytest.fixture
def few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A default matrix of four rows, two of which have the same system."""
    rows = [
        Row(find_revision(name), find_scenario("mirror"))
        for name in ("5a7e7a0bad", "b112a65c52", "9a0cec664e", "ab27c3b5e7")
    ]
    assert len({system_of(row).digest for row in rows}) == 3
    monkeypatch.setattr("drainspecs.suite.matrix.default_rows", lambda: rows)


@pytest.mark.slow
@pytest.mark.usefixtures("few_rows")
def test_matrix_is_proved_and_checked(tmp_path: Path) -> None:
    """A file for each distinct system, an account of all verdicts, and a check that finds nothing missing."""
    folder = tmp_path / "new" / "certificates"
    result = run("prove", "--matrix", "-o", str(folder), "-j", "2")
    assert result.exit_code == 0
    files = sorted(map(str, folder.iterdir()))
    assert [Path(file).name for file in files] == [
        "5a7e7a0bad-mirror.smt2",
        "9a0cec664e-mirror.smt2",
        "ab27c3b5e7-mirror.smt2",
    ]
    first, rows, holds, limited, *_ = result.stdout.splitlines()
    assert first == f"{folder}: 3 certificates, {sum(Path(file).stat().st_size for file in files)} bytes"
    assert rows.startswith("4 rows, 3 distinct systems, ")
    claims = sum(len(read(Path(file).read_text()).header.claims) for file in [files[0], *files])
    assert holds == f"  {claims:5} hold: certified"
    assert limited.startswith("      5 of these as far as modelled: ")
    checked = run("certificate", "check", *files, "--matrix", "-j", "1")
    assert checked.exit_code == 0
    last = checked.stdout.splitlines()[-1]
    assert last.startswith("3 certificates, z3: 3 accepted; ")
    assert last.endswith("; every verdict of the default matrix that needs a certificate has one")
    without = run("certificate", "check", *files[1:], "--matrix", "-j", "1")
    assert without.exit_code == 10
    missing = {line.split(": ")[1] for line in without.stdout.splitlines() if line.startswith("NO CERTIFICATE")}
    assert missing == {"5a7e7a0bad / mirror", "b112a65c52 / mirror"}


@pytest.mark.usefixtures("few_rows")
def test_matrix_is_proved_as_json(tmp_path: Path) -> None:
    """The files and the account as one document."""
    result = run("prove", "--matrix", "-o", str(tmp_path), "--json", "-j", "1")
    document = json.loads(result.stdout)
    validator("prove-matrix").validate(document)
    assert (document["format"], document["exit_code"], document["missing"]) == ("check-invariants/prove-matrix", 0, [])
    assert (document["rows"], document["systems"], document["unknown"], document["limited"]) == (4, 3, 0, 5)
    assert document["files"][0]["model"] == "5a7e7a0bad / mirror"
    assert all(Path(item["file"]).stat().st_size == item["bytes"] for item in document["files"])


@pytest.mark.usefixtures("few_rows")
def test_certificate_that_is_left_out_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control of the account: a file about fewer properties is no full coverage, and the exit code says so."""
    from draincheck import certificate as package

    monkeypatch.setattr(package, "make", lambda system, **rest: make(system, ["B1"], **rest))
    result = run("prove", "--matrix", "-o", str(tmp_path), "-j", "1")
    assert result.exit_code == 30
    assert "NOT CERTIFIED: 9a0cec664e / mirror: S1 holds\n" in result.stdout


@pytest.mark.slow
def test_default_matrix_is_what_is_demanded(tmp_path: Path) -> None:
    """With --matrix every verdict of the default matrix that no accepted certificate is about is listed: exit code 10."""
    path = str(tmp_path / "S1.smt2")
    assert run("prove", "--revision", "9a0cec664e", "--property", "S1", "-o", path).exit_code == 0
    result = run("certificate", "check", path, "--matrix", "-j", "1")
    assert result.exit_code == 10
    missing = [line for line in result.stdout.splitlines() if line.startswith("NO CERTIFICATE: ")]
    assert len(missing) == 3002 - 2  # all that hold; S1 of two rows that have one system
    assert "NO CERTIFICATE: 9a0cec664e / mirror: S2 holds" in missing
    assert "NO CERTIFICATE: 9a0cec664e / mirror: S1 holds" not in missing

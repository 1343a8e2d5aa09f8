"""The bar of `make coverage`: too few branches are a failure."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.support.house import ROOT
from tests.support.measured import DEAR


def measured(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """What `make coverage` says of a part of the quick tests, with data of its own."""
    foreign = ("COV", "MAKE", "MFLAGS", "PYTEST")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
    environment["COVERAGE_FILE"] = str(folder / "data")
    part = shlex.join(["tests/cover/test_ranges.py", *options])
    asked = ["make", "-n", "--no-print-directory", "coverage", "WORKERS=0", f"ARGS={part}"]
    made = subprocess.run(asked, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    command = shlex.split(made.stdout.splitlines()[-1])
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_too_few_branches_are_a_failure(tmp_path: Path) -> None:
    """One file of tests takes less than 95 % of them."""
    result = measured(tmp_path)
    assert (result.returncode, "is less than fail-under=95" in result.stdout) == (1, True), result


@pytest.mark.slow
def test_enough_branches_are_none(tmp_path: Path) -> None:
    """The control: the same tests are green where less is enough."""
    result = measured(tmp_path, "--cov-fail-under=1")
    assert (result.returncode, "fail-under" in result.stdout) == (0, False), result


def test_files_that_are_not_measured_are_there() -> None:
    """A file that was renamed would be measured in silence."""
    assert [name for name in DEAR if not (ROOT / "tests" / name).is_file()] == []

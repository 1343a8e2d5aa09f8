"""A real QEMU under load: what its log says is what was read back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from draincheck.qemurun.compared import compared
from draincheck.qemurun.session import Lost, Round
from tests.support.cli import run as run_here
from tests.support.house import PACKAGES, ROOT
from tests.support.qemu_logs import Guest, made, read_lines


class Done(NamedTuple):
    """A command that was run: its exit code, what it printed, and that with what it said beside it."""

    exit_code: int
    stdout: str
    output: str


def run(*arguments: str) -> Done:
    """A command in a process of its own: another test may have left an event loop in this one (a browser's driver does)."""
    command = [sys.executable, "-m", "check_invariants", *arguments]
    path = ":".join(str(ROOT / folder) for folder in PACKAGES.values())
    environment = {**os.environ, "PYTHONPATH": path, "CHECK_INVARIANTS_PROGRESS": "off"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, env=environment)
    return Done(done.returncode, done.stdout, done.stdout + done.stderr)


QEMU = pytest.mark.needs("qemu-system-x86_64")


def played(*arguments: str) -> dict[str, object]:
    result = run("qemu", "run", "--json", *arguments)
    found: dict[str, object] = json.loads(result.stdout)
    assert result.exit_code == found["exit_code"]
    return found


@QEMU
def test_a_round_of_a_stock_qemu_is_clean() -> None:
    """One mirror, with host notifiers: nothing is lost, and the log has the switch."""
    found = played("--rounds", "1")
    assert (found["exit_code"], found["agrees"], found["ended"]) == (0, True, None)
    assert isinstance(found["pivots"], list)
    assert len(found["pivots"]) == 1


@QEMU
@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ("--mode", "commit"),
        ("--iothread",),
        ("--disks", "2"),
        ("--stop",),
        ("--mode", "commit", "--iothread", "--disks", "2", "--stop"),
    ],
    ids=" ".join,
)
def test_other_rounds_of_a_stock_qemu(arguments: tuple[str, ...]) -> None:
    """Every kind of workload has as many switches as jobs, and what was read back is what the log says."""
    found = played("--rounds", "2", *arguments)
    assert found["agrees"]
    assert isinstance(found["pivots"], list)
    if found["ended"] is not None:
        assert {"--iothread", "--stop"} <= {
            *arguments
        }  # 7.2 may end then: job_set_aio_context, `job->paused || job_is_completed_locked(job)`
        assert found["exit_code"] == 14
        return
    assert found["exit_code"] == 0
    assert len(found["pivots"]) == 2 * (2 if "2" in arguments else 1)


@QEMU
@pytest.mark.slow
def test_a_bounded_try_at_the_abort_of_v7_2() -> None:
    """Kicks that run the queue handler: clean, held, or the abort by permissions, which a log tells from a broken window; never a loss."""
    found = played("--ioeventfd", "off", "--rounds", "10")
    assert found["agrees"]
    assert found["exit_code"] in (0, 14)
    assert (found["exit_code"] == 14) == ("BLK_PERM_WRITE" in str(found["ended"]))


@pytest.mark.slow
@QEMU
def test_a_folder_keeps_what_can_be_judged_again(tmp_path: Path) -> None:
    """`log` says the same of the log that was kept; a folder that is there is refused."""
    folder = tmp_path / "kept"
    assert run("qemu", "run", "--rounds", "1", "-o", str(folder)).exit_code == 0
    assert run("log", str(folder / "trace.log")).exit_code == 0
    assert json.loads((folder / "read-back.json").read_text())["agrees"]
    assert run("qemu", "run", "-o", str(folder)).exit_code == 2


def test_without_qemu_it_says_how_to_have_it() -> None:
    """2, with the package."""
    result = run("qemu", "run", "--qemu", "no-such-program")
    assert result.exit_code == 2
    assert "apt-get install qemu-system-x86" in result.output


def test_without_the_package_that_speaks_qmp_no_folder_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """2, with the package; the same command runs when it is there."""
    monkeypatch.setitem(sys.modules, "qemu.qmp.legacy", None)
    folder = tmp_path / "tried"
    result = run_here("qemu", "run", "--qemu", "true", "-o", str(folder))
    assert result.exit_code == 2
    assert "pip install 'check-invariants[qemu]'" in result.output
    assert not folder.exists()


def test_what_is_no_qemu_does_not_start() -> None:
    """2, with what it printed or how it ended."""
    assert run("qemu", "run", "--qemu", "false").exit_code == 2


def test_a_log_that_says_something_else_is_noticed() -> None:
    """Negative control: one block more or less, a switch that is missing."""
    log = made(Guest(new=True), [["acked"], []])
    pivots = read_lines(log.lines).report.pivots
    rounds = [Round(i, tuple(Lost(0, block, 2, 1) for block in lost)) for i, lost in enumerate(log.lost)]
    assert all(each.agrees for each in compared(rounds, pivots, 1))
    assert not all(each.agrees for each in compared([replace(rounds[0], lost=()), rounds[1]], pivots, 1))
    assert not all(
        each.agrees for each in compared([rounds[0], replace(rounds[1], lost=(Lost(0, 7, 2, 1),))], pivots, 1)
    )
    assert not all(each.agrees for each in compared(rounds, pivots[:1], 1))

"""A counterexample tried on a real QEMU: rounds of the same workload, until it shows what the trace shows, or the tries are over.

The trace says what happens in the model; a QEMU takes its own order. What can be placed is: the job and its command by QMP; its copies, which are
held by its speed when the command is sent, and let go while the guest kicks without a pause; and kicks, through host notifiers, synchronously
(qtest), or by a virtual CPU. Nothing is held inside the window: the drains of mirror_exit poll in the main thread, where neither QMP nor qtest is
heard meanwhile. What a trace shows is then seen from outside: blocks that are not read back, an abort, a job that does not end, a write inside the
window in the log.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from draincheck.errors import LogError, QemuError
from draincheck.qemulog.log import read_log
from draincheck.qemulog.pivot import Judgement, LogReport
from draincheck.qemulog.source import blocks, opened
from draincheck.qemurun.session import PATIENCE, Session, Workload
from draincheck.words import counted

__all__ = ["Attempt", "Shows", "Trial", "TrialEnding", "main", "reproduce", "unable"]

#: rounds of one QEMU, in one try
ROUNDS = 10


class Shows(Enum):
    """What a trace shows, as it can be seen of a QEMU."""

    LOSS = "a write of which the guest was told that it is done is not read back"
    ABORT = "QEMU aborts"
    HANG = "the job does not end"
    STRAY = "a write enters on the old disk in the window"


class TrialEnding(Enum):
    """What came of it; the values are exit codes."""

    REPRODUCED = 12
    NOT_REPRODUCED = 0
    UNABLE = 30


class Trial(Struct, frozen=True):
    """What is tried.

    Attributes:
        workload: of each try.
        shows: what is waited for.
        assertion: what QEMU has to print, or how it has to end, where it aborts; "" for any assertion.
        tries: how many QEMUs are started at the most, each for `ROUNDS` jobs.
    """

    workload: Workload
    shows: Shows
    assertion: str = ""
    tries: int = 6


class Attempt(Struct, frozen=True):
    """What came of all tries: how many there were, and what was seen in the last one."""

    ending: TrialEnding
    tries: int
    seen: str


def unable(binary: str) -> str:
    """Why a program cannot be tried, "" if it can: it is not there, or has no disk that is driven here, or no trace log."""
    program = shutil.which(binary)
    if program is None:
        return f"there is no {binary}: apt-get install qemu-system-x86"
    for question, needed in ((["-device", "help"], "virtio-blk-pci"), (["-trace", "help"], "mirror_before_drain")):
        found = subprocess.run(
            [program, *question], capture_output=True, text=True, errors="replace", check=False, timeout=PATIENCE
        )
        if needed not in found.stdout + found.stderr:
            return f"this build has no {needed}"
    return ""


def reproduce(binary: str, trial: Trial, told: Callable[[str], None] = lambda _: None) -> Attempt:
    """Try until it is seen. Raises QemuError for a QEMU that does not start."""
    if reason := unable(binary):
        return Attempt(TrialEnding.UNABLE, 0, reason)
    for number in range(1, trial.tries + 1):
        with tempfile.TemporaryDirectory(prefix="check-invariants-") as folder:
            seen = _try(binary, Path(folder), replace(trial, workload=replace(trial.workload, seed=number)))
        told(f"try {number}: {seen or 'not seen'}")
        if seen:
            return Attempt(TrialEnding.REPRODUCED, number, seen)
    return Attempt(TrialEnding.NOT_REPRODUCED, trial.tries, "")


def _try(binary: str, folder: Path, trial: Trial) -> str:
    """One QEMU; what was seen, "" if it was not what is waited for."""
    rounds, ended = Session(binary, folder, trial.workload).rounds()
    lost = [lost for played in rounds for lost in played.lost]
    report = _report(folder)
    match trial.shows:
        case Shows.LOSS:
            return (
                f"{counted(len(lost), 'block')} lost, the first is block {lost[0].block} of disk {lost[0].disk}"
                if lost
                else ""
            )
        case Shows.ABORT:
            return next((line for line in ended.splitlines() if (trial.assertion or "ssert") in line), "")
        case Shows.HANG:
            return next((line for line in ended.splitlines() if "no BLOCK_JOB_COMPLETED" in line), "")
        case Shows.STRAY:
            broken = [
                pivot
                for pivot in report.pivots
                if pivot.judgement in (Judgement.LOSS, Judgement.BROKEN, Judgement.ASSERT)
            ]
            return broken[0].why if broken else ""


def _report(folder: Path) -> LogReport:
    """What the log shows; nothing of one that cannot be read."""
    try:
        with opened(str(folder / "trace.log")) as source:
            return read_log(blocks(source)).report
    except (OSError, LogError):
        return LogReport((), ())


def main(trial: Trial, about: str, arguments: Sequence[str] | None = None) -> int:
    """The script that is exported: tries a QEMU, and says what came of it; its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    binary = given[0] if given else "qemu-system-x86_64"
    print(f"{about}\ntried on {binary}: {trial.shows.value}")
    try:
        attempt = reproduce(binary, trial, print)
    except QemuError as error:
        attempt = Attempt(TrialEnding.UNABLE, 0, str(error))
    words = {
        TrialEnding.REPRODUCED: f"reproduced in try {attempt.tries}: {attempt.seen}",
        TrialEnding.NOT_REPRODUCED: f"not reproduced in {counted(attempt.tries, 'try')} of {ROUNDS} jobs",
        TrialEnding.UNABLE: f"this build cannot: {attempt.seen}",
    }
    print(words[attempt.ending])
    return attempt.ending.value

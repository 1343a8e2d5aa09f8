"""Real processes: how to start the command line as at a prompt, and what the kernel says of a process and of its group."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

#: the command line, without an installed script
COMMAND = [sys.executable, "-m", "check_invariants"]

#: a shell that runs its jobs in the background ignores Ctrl-C, and what it starts inherits that
AS_AT_A_PROMPT = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
)

#: seconds after which a condition that has not come will not come: a machine may be loaded, and no test hopes that this is short
LONG = 300.0


def at_a_prompt(
    *command: str, output: int | IO[Any] = subprocess.PIPE, error: int | None = None
) -> subprocess.Popen[bytes]:
    """Start a command in a process group of its own, where Ctrl-C is heard; `error`: where its standard error goes, if elsewhere."""
    path = os.pathsep.join(item for item in sys.path if item)
    return subprocess.Popen(
        [sys.executable, "-c", AS_AT_A_PROMPT, *command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output if error is None else error,
        env={**os.environ, "PYTHONPATH": path},
        start_new_session=True,
    )


def wait_for(condition: Callable[[], object]) -> bool:
    """Wait until something is so; False if it does not come."""
    end = time.monotonic() + LONG
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def group(leader: int) -> list[int]:
    """The processes of a group that live."""
    names = (path.name for path in Path("/proc").iterdir())
    return [pid for pid in map(int, filter(str.isdigit, names)) if _in_group(pid, leader)]


def _in_group(pid: int, leader: int) -> bool:
    state = _stat(pid)
    return bool(state) and state[0] != "Z" and int(state[2]) == leader


def children(parent: int) -> set[int]:
    """The processes that one has started, ended ones too that it has not looked after."""
    names = (path.name for path in Path("/proc").iterdir())
    return {pid for pid in map(int, filter(str.isdigit, names)) if _stat(pid)[1:2] == [str(parent)]}


def lives(pid: int) -> bool:
    """Whether there is such a process, and it has not ended."""
    state = _stat(pid)
    return bool(state) and state[0] != "Z"


def seconds_worked(pid: int) -> float:
    """The processor time that a process has had; for ever, if it has ended."""
    state = _stat(pid)
    if not state or state[0] == "Z":
        return float("inf")
    return (int(state[11]) + int(state[12])) / os.sysconf("SC_CLK_TCK")


def catches(pid: int, number: int) -> bool:
    """Whether a process has a handler for a signal."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    mask = next(line for line in lines if line.startswith("SigCgt:")).split()[1]
    return bool(int(mask, 16) >> (number - 1) & 1)


def _stat(pid: int) -> list[str]:
    """What stands behind the name in /proc/PID/stat: the state first; nothing if there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []

"""Which machine, and which commit: what numbers are worth nothing without."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path

from msgspec import Struct

from benchmarks.tools import ROOT

__all__ = ["Machine", "free_memory", "machine"]


class Machine(Struct, frozen=True):
    """Where and on what it was measured.

    Attributes:
        commit: of the repository, with "+" if files differ from it; "" where there is none.
        load: processes that wanted to run in the minute before.
    """

    commit: str
    processor: str
    cores: int
    memory: int
    kernel: str
    python: str
    compiler: str
    load: float


def machine() -> Machine:
    """This one."""
    return Machine(
        commit=_said("git", "-C", str(ROOT), "describe", "--always", "--dirty=+", "--exclude=*"),
        processor=_field(Path("/proc/cpuinfo"), "model name") or platform.processor(),
        cores=len(os.sched_getaffinity(0)),
        memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        kernel=f"{platform.system()} {platform.release()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        compiler=_said("gcc", "--version").partition("\n")[0],
        load=round(os.getloadavg()[0], 2),
    )


def free_memory() -> int:
    """Bytes that nobody uses."""
    said = _field(Path("/proc/meminfo"), "MemAvailable")
    return int(said.split()[0]) * 1024 if said else os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")


def _field(file: Path, name: str) -> str:
    """The first value of a name in a file of lines with colons."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")


def _said(*command: str) -> str:
    if not shutil.which(command[0]):
        return ""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()

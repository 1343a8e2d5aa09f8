"""One process and all that it starts, measured, and ended if it takes more than it may."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

__all__ = ["MEASURED", "Allowance", "Spent", "spent"]

MEASURED = Path(__file__).with_name("measured.py")


class Allowance(Struct, frozen=True):
    """What a process may take: seconds by the clock, bytes of addresses."""

    seconds: float
    memory: int


class Spent(Struct, frozen=True):
    """What a process took.

    Attributes:
        cpu: seconds of processor time, those of its children included.
        wall: seconds by the clock.
        peak: bytes of memory that the largest of its processes had at once.
        code: how it ended; a number below zero is a signal.
        timed_out: whether it was ended for its time.
        output: what it printed, errors included.
    """

    cpu: float
    wall: float
    peak: int
    code: int
    timed_out: bool
    output: str


def spent(
    command: Sequence[str],
    folder: Path,
    allowance: Allowance,
    *,
    environment: Mapping[str, str],
    threads: int = 0,
    is_limited: bool = True,
) -> Spent:
    """Run a command to its end, or to that of its allowance.

    Args:
        command: the program with its arguments.
        folder: where it works.
        allowance: what it may take.
        environment: what it finds in its environment beside ours.
        threads: on how many processors it runs; 0: on all there are.
        is_limited: its addresses are; a virtual machine takes far more of them than memory.
    """
    with tempfile.NamedTemporaryFile("r") as numbers:
        limits = [str(allowance.seconds), str(allowance.memory if is_limited else 0), str(threads)]
        done = subprocess.run(
            [sys.executable, "-S", "-E", str(MEASURED), numbers.name, *limits, *command],
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=True,
            text=True,
            errors="replace",
        )
        cpu, wall, peak, code, is_late = numbers.read().split()
    return Spent(float(cpu), float(wall), int(peak), int(code), is_late == "1", done.stdout)

"""What machine code saves, whole processes: `python benchmarks/native.py [--largest STATES] [--runs N]`.

Each model of the event-loop family is checked by Python alone, by machine code from the start, and by whichever is chosen by size, each in a
process of its own; in each round all of them run once, so that a busy machine is busy for all. Printed are medians of CPU seconds (start-up,
code generation and compiler included), their ratio to Python's, and the peak of memory a state. Python is left out above `PATIENCE` states.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

MODEL = f"{Path(__file__).parent / 'event_loop_family.py'}:event_loop"

#: devices and slots, with the states that there are
SIZES = {(2, 2): 9_761, (3, 2): 578_509, (5, 1): 2_495_505, (4, 2): 35_167_121}

ENGINES = "python", "native", "explicit"

#: states up to which Python alone is asked
PATIENCE = 3_000_000


class Run(NamedTuple):
    """One process: CPU seconds, and the bytes that it took at its peak."""

    seconds: float
    peak: int


def run(size: tuple[int, int], engine: str) -> Run:
    """Check one model in a process of its own."""
    devices, slots = size
    where = ["--set", f"devices={devices}", "--set", f"slots={slots}", "--engine", engine, "--no-trace"]
    command = [str(Path(sys.executable).with_name("check-invariants")), "check", MODEL, *where]
    quiet = {**os.environ, "CHECK_INVARIANTS_PROGRESS": "off"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=quiet) as process:
        assert process.stdout is not None
        found = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    states = re.search(r"^(\d+) states", found, re.MULTILINE)
    if process.returncode or states is None or int(states[1]) != SIZES[size]:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{found}")
    return Run(used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)


def measured(size: tuple[int, int], rounds: int) -> Iterator[tuple[str, Run]]:
    """The median of each engine on one model."""
    engines = [engine for engine in ENGINES if engine != "python" or SIZES[size] <= PATIENCE]
    found: dict[str, list[Run]] = {engine: [] for engine in engines}
    for _ in range(rounds):
        for engine in engines:
            found[engine].append(run(size, engine))
    for engine, runs in found.items():
        yield engine, Run(median(each.seconds for each in runs), max(each.peak for each in runs))


def main() -> None:
    """Print the table."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--largest", type=int, default=3_000_000)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    print(f"{'states':>10}  {'engine':8} {'CPU s':>7} {'ratio':>6} {'peak MB':>8} {'bytes/state':>11}")
    for size, states in SIZES.items():
        if states > given.largest:
            continue
        first = 0.0
        for engine, (seconds, peak) in measured(size, given.runs):
            first = seconds if engine == "python" else first
            ratio = f"{seconds / first:.3f}" if first else "-"
            print(f"{states:10}  {engine:8} {seconds:7.2f} {ratio:>6} {peak / 1e6:8.0f} {peak / states:11.0f}")


if __name__ == "__main__":
    main()

"""What an answer costs, from a fresh process: `python benchmarks/answers.py`.

Wall and processor time, the median of several runs, and both beside `python -c 'import click'`. The bars, on two quiet cores: a code base in
all default scenarios half a second, a change to it one second. Measured: 0.20 s and 0.19 s; one scenario 0.11 s, click alone 0.04 s.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

RUNS = 9
COMMAND = str(Path(sys.executable).with_name("check-invariants"))
QUESTIONS = {
    "import click": [sys.executable, "-c", "import click"],
    "check --revision v2.6.0 --scenario mirror": [COMMAND, "check", "--revision", "v2.6.0", "--scenario", "mirror"],
    "check --revision v2.6.0": [COMMAND, "check", "--revision", "v2.6.0"],
    "compare v2.6.0 --set begin=before_check": [COMMAND, "compare", "v2.6.0", "--set", "begin=before_check"],
}


def spent() -> float:
    """Seconds of processor time of the children so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measured(command: list[str]) -> tuple[float, float]:
    """Wall and processor time of one run."""
    started, before = perf_counter(), spent()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    return perf_counter() - started, spent() - before


def main() -> None:
    """Measure and print."""
    for name, command in QUESTIONS.items():
        walls, seconds = zip(*(measured(command) for _ in range(RUNS)), strict=True)
        print(f"{name}: {median(walls):.2f} s, of processor time {median(seconds):.2f} s")


if __name__ == "__main__":
    main()

"""What a scenario costs as it grows: `python benchmarks/sizes.py [--largest STATES] [--runs N]`. Prints the table of docs/how-to/sizes.md.

Each size is checked by Python alone and by machine code, all properties at once, each in a process of its own; Python is left out above
`PATIENCE` states. CPU seconds are medians, start-up included (the compiler only where nobody has asked before: what it made is kept); bytes
are those of the states as `check` says them, at the end.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

from draincheck.exploration.layout import Layout
from drainspecs.mirror.code_base import CodeBase

#: the seed, from which the story starts
REVISION = "ab27c3b5e7"

#: scenarios, each with the states that there are, about: --largest looks at these
SIZES = {
    "mirror": 1_000,
    "mirror-2-writes": 15_000,
    "mirror[writes=3]": 83_000,
    "mirror[writes=4]": 390_000,
    "mirror[writes=5]": 1_800_000,
    "mirror[writes=6]": 7_500_000,
    "dataplane": 2_000,
    "dataplane-2-writes": 27_000,
    "dataplane[writes=3]": 140_000,
    "dataplane[writes=4]": 640_000,
    "mirror-2-jobs": 190_000,
    "mirror[writes=2,jobs=2]": 29_000_000,
}

#: states up to which Python alone is asked
PATIENCE = 3_000_000


class Run(NamedTuple):
    """One process: CPU seconds, states, and the bytes that each of them takes."""

    seconds: float
    states: int
    bytes: float


def run(scenario: str, engine: str) -> Run:
    """Check a scenario in a process of its own."""
    where = ["--revision", REVISION, "--scenario", scenario, "--engine", engine, "--no-trace", "--json"]
    where += ["--reductions", "none"]
    command = [str(Path(sys.executable).with_name("check-invariants")), "check", *where]
    quiet = {**os.environ, "CHECK_INVARIANTS_PROGRESS": "off"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=quiet) as process:
        assert process.stdout is not None
        found = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    statistics = json.loads(found).get("statistics") if found else None
    if process.returncode not in {0, 12} or not statistics:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{found}")
    return Run(used.ru_utime + used.ru_stime, statistics["states"], statistics["bytes"] / statistics["states"])


def measured(scenario: str, engine: str, rounds: int) -> Run:
    """The median of some runs, which find the same."""
    runs = [run(scenario, engine) for _ in range(rounds)]
    assert len({each.states for each in runs}) == 1
    return Run(median(each.seconds for each in runs), runs[0].states, median(each.bytes for each in runs))


def rows(largest: int, rounds: int) -> Iterator[tuple[str, int, Run | None, Run]]:
    """Scenario, bits of a state, what it costs Python alone (None: not asked), and machine code."""
    for scenario, states in SIZES.items():
        if states <= largest:
            bits = Layout(CodeBase.named(REVISION, scenario).system().variables).width
            native = measured(scenario, "native", rounds)
            yield scenario, bits, measured(scenario, "python", rounds) if states <= PATIENCE else None, native


def cells(found: Run | None) -> str:
    """Two cells: seconds and bytes."""
    return " | " if found is None else f"{found.seconds:.2g} s | {found.bytes:.0f}"


def main() -> None:
    """Print the table."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--largest", type=int, default=3_000_000)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    print("| scenario | states | bits a state | Python alone | bytes a state | machine code | bytes a state |")
    print("|---|---|---|---|---|---|---|")
    for scenario, bits, python, native in rows(given.largest, given.runs):
        print(f"| `{scenario}` | {native.states:,} | {bits} | {cells(python)} | {cells(native)} |", flush=True)


if __name__ == "__main__":
    main()

"""How fast the reference core is: `python benchmarks/core.py`.

Prints scheduling points a second in random runs, the time of one replay in a process of its own, and where the time of the runs goes
(cumulative, the ten most expensive functions). No asserts: machines differ.
"""

from __future__ import annotations

import cProfile
import pstats
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

from draincheck.conformance.matrix import config_of, conform_all
from draincheck.core.run import simulate
from draincheck.revisions import find_revision
from drainspecs.mirror.scenarios import find_scenario

RUNS = 1000
COMMAND = "import sys; sys.argv[0] = 'check-invariants'; from check_invariants.__main__ import main; main()"


def points_a_second() -> None:
    """Random runs of the bandage, with and without an IOThread."""
    for scenario in ("mirror", "dataplane"):
        found = simulate(find_revision("ab27c3b5e7").knobs, config_of(find_scenario(scenario)), 0, RUNS)
        print(f"simulate, {scenario}: {found.points / found.seconds:,.0f} scheduling points a second")


def replay_seconds() -> None:
    """A replay in a process of its own, start-up included: median of five."""
    with tempfile.TemporaryDirectory() as folder:
        trace = str(Path(folder) / "S4.json")
        command = [sys.executable, "-c", COMMAND]
        subprocess.run([*command, "trace", "export", "--property", "S4", "-o", trace], check=True)
        times: list[float] = []
        for _ in range(5):
            start = perf_counter()
            subprocess.run([*command, "replay", trace], check=False, stdout=subprocess.DEVNULL)
            times.append(perf_counter() - start)
    print(f"replay: {median(times):.2f} s")


def conformance() -> None:
    """One code base in one scenario, every edge."""
    found = conform_all([(find_revision("ab27c3b5e7"), find_scenario("mirror"))])
    print(
        f"conform: {found.edges / found.seconds:,.0f} edges a second, {found.steps / found.seconds:,.0f} steps a second"
    )


def profile() -> None:
    """Where random runs spend their time."""
    profiler = cProfile.Profile()
    profiler.runcall(simulate, find_revision("ab27c3b5e7").knobs, config_of(find_scenario("mirror")), 0, RUNS // 5)
    pstats.Stats(profiler).sort_stats("tottime").print_stats(10)


if __name__ == "__main__":
    points_a_second()
    replay_seconds()
    conformance()
    profile()

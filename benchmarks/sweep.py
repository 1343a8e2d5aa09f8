"""How long whole sweeps and single answers take: `python benchmarks/sweep.py`.

For the default space of four scenarios: vectors, builds, distinct systems, the wall time of the sweep (with as many processes as cores,
and with one), and the part of it that the decision table takes. Then `why` and `repair` for code bases with few and with many changes.
"""

from __future__ import annotations

import os
import platform
from time import perf_counter

from draincheck.analysis.decision_tables import cover
from draincheck.revisions import find_revision
from drainspecs.mirror.scenarios import find_scenario
from drainspecs.questions.repair import repair
from drainspecs.questions.sweep import sweep
from drainspecs.questions.why import why

SCENARIOS = ("mirror", "dataplane", "timer", "no-ioeventfd")

QUESTIONS = (
    ("ab27c3b5e7", "mirror", "S1"),
    ("9a0cec664e", "mirror", "S1"),
    ("cf3129323f", "timer", "S1"),
    ("cf3129323f", "mirror", "S1"),
    ("cf3129323f", "dataplane", "S1"),
)

BROKEN = (("ab27c3b5e7", "mirror"), ("14560d69e7~1", "mirror"), ("3f09bfbc7b", "mirror"), ("b112a65c52", "dataplane"))


def measure_sweep(name: str) -> None:
    found = sweep(find_scenario(name))
    alone = sweep(find_scenario(name), processes=1)
    started = perf_counter()
    cover(found.space, found.safe, found.impossible)
    table = perf_counter() - started
    print(
        f"sweep {name:13} {found.space.size:5} vectors, {len(found.parts):5} builds, {found.systems:5} systems, "
        f"{found.safe_count:5} safe, {len(found.table):2} rows: {found.seconds:5.1f} s, alone {alone.seconds:5.1f} s, table {table:.2f} s"
    )


def measure_why(revision: str, scenario: str, property: str) -> None:
    answer = why(find_revision(revision), find_scenario(scenario), property)
    print(
        f"why {revision} {scenario} {property}: {len(answer.flips)} answers, {answer.examined} sets, "
        f"{answer.systems} systems: {answer.seconds:.1f} s"
    )


def measure_repair(revision: str, scenario: str) -> None:
    found = repair(find_revision(revision), [find_scenario(scenario)])
    print(
        f"repair {revision} {scenario}: {len(found.solutions)} repairs, {found.examined} sets, "
        f"{found.systems} systems: {found.seconds:.1f} s"
    )


def main() -> None:
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for name in SCENARIOS:
        measure_sweep(name)
    for question in QUESTIONS:
        measure_why(*question)
    for row in BROKEN:
        measure_repair(*row)


if __name__ == "__main__":
    main()

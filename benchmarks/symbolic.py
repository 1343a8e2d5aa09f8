"""How fast bounded model checking finds what is violated in the story: `python benchmarks/symbolic.py [SCENARIO]`.

For each code base of a scenario (the mirror's, unless told otherwise) and each property violated there: the processor time of bounded
model checking, alone and after z3 has been imported, beside that of explicit search in the same run, then the time for all of them in one
search. The slowest one is marked; a line at the end says whether S1, the drain invariant, is found within a second everywhere. Every length
is compared.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from time import process_time
from typing import Any

from draincheck.engines import explicit
from draincheck.engines.smt import bmc
from draincheck.properties import Reachable
from draincheck.semantics.violation import shown_by
from draincheck.system import TransitionSystem
from draincheck.verdict import Verdict
from drainspecs.mirror.scenarios import find_scenario
from drainspecs.suite.matrix import default_rows, system_of
from tests.support.engines import one

#: seconds that S1 may take
ENOUGH = 1.0


@dataclass(frozen=True)
class Found:
    """One violated property of one code base: seconds that each engine took."""

    row: str
    name: str
    length: int
    bmc: float
    explicit: float


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    """What a call returns, and its processor time in seconds."""
    started = process_time()
    result = call()
    return result, process_time() - started


def length(verdict: Verdict) -> int:
    return -1 if verdict.trace is None else len(verdict.trace.actions)


def violated(system: TransitionSystem) -> list[str]:
    """The properties that some state shows to be violated."""
    verdicts = explicit.explore(system).verdicts
    items = [item for item in system.properties if shown_by(system, item) is not None]
    return [item.name for item in items if not isinstance(item, Reachable) and verdicts[item.name].trace is not None]


def measure(row: str, system: TransitionSystem) -> list[Found]:
    found: list[Found] = []
    for name in violated(system):
        expected, by_search = timed(partial(explicit.check, system, name))
        verdict, by_z3 = timed(partial(one, bmc.decide, system, name))
        if length(verdict) != length(expected):
            sys.exit(f"{row} {name}: {verdict.reason}, and explicit search says {expected.reason}")
        found.append(Found(row, name, length(verdict), by_z3, by_search))
    return found


def main() -> None:
    scenario = find_scenario(sys.argv[1] if len(sys.argv) > 1 else "mirror")
    _, start = timed(lambda: import_module("z3"))
    print(
        f"Python {platform.python_version()}, z3 {import_module('z3').get_version_string()}: imported in {start:.2f} s"
    )
    print(f"{scenario.name}: seconds of bounded model checking (explicit search)\n")
    everything: list[Found] = []
    together = 0.0
    for row in default_rows(scenarios=[scenario]):
        system = system_of(row)
        found = measure(row.revision.name, system)
        _, seconds = timed(partial(bmc.decide, system, [one.name for one in found]))
        everything += found
        together += seconds
        line = "  ".join(f"{one.name}/{one.length} {one.bmc:.2f} ({one.explicit:.3f})" for one in found)
        print(f"{row.revision.name:28} all {seconds:.2f}  {line}")
    report(everything, together)


def report(found: list[Found], together: float) -> None:
    """Totals, the slowest search, and S1."""
    alone, by_search = sum(one.bmc for one in found), sum(one.explicit for one in found)
    print(f"\n{len(found)} searches: {alone:.1f} s one by one, {together:.1f} s together; explicit {by_search:.1f} s")
    slowest = max(found, key=lambda one: one.bmc)
    print(f"slowest: {slowest.name} at {slowest.row}, {slowest.length} steps: {slowest.bmc:.2f} s  <---")
    invariant = [one for one in found if one.name == "S1"]
    if invariant:
        worst = max(invariant, key=lambda one: one.bmc)
        word = "all within" if worst.bmc <= ENOUGH else "NOT all within"
        print(f"S1: {len(invariant)} rows, at most {worst.bmc:.2f} s ({worst.row}): {word} {ENOUGH:g} s")


if __name__ == "__main__":
    main()

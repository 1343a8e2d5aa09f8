"""Certificates of the whole default matrix: how many, how large, how long: `python benchmarks/certificates.py`.

One process; seconds of processor time, so that other work on the machine matters less. With two cores a run of the commands takes about
half of their sum.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import version
from statistics import median
from typing import NamedTuple, TypeVar

from draincheck.certificate import SOLVERS, check, make
from drainspecs.suite.certificates import by_system, coverage
from drainspecs.suite.matrix import RowResult, Solver, default_rows, system_of

#: how many of the slowest are shown
SLOWEST = 5

T = TypeVar("T")


class Measured(NamedTuple):
    """One system: its size, its certificate's size, and seconds: to make it, and to check it with each solver."""

    name: str
    states: int
    claims: int
    queries: int
    size: int
    seconds: dict[str, float]


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """A result, and the processor time it took, here and in processes that have ended: cvc5 works in one of its own."""
    start = sum(os.times()[:4])
    result = work()
    return result, sum(os.times()[:4]) - start


def measured(results: list[RowResult]) -> Iterator[Measured]:
    """Each distinct system of the matrix."""
    for group in by_system(results).values():
        system = system_of(group[0].row)
        certificate, seconds = timed(partial(make, system))
        spent = {"make": seconds}
        queries = 0
        for solver in SOLVERS:
            verdict, spent[solver] = timed(partial(check, certificate.text, system, solver))
            assert verdict.accepted, (system.name, verdict.reason)
            queries = verdict.queries
        states, claims = group[0].counts.states, len(certificate.header.claims)
        yield Measured(system.name, states, claims, queries, len(certificate.text), spent)


def main() -> None:
    """Print the table."""
    versions = ", ".join(f"{name} {version(package)}" for name, package in (("z3", "z3-solver"), ("cvc5", "cvc5")))
    print(
        f"{platform.python_implementation()} {platform.python_version()}, {versions}, {os.cpu_count()} cores; one process"
    )
    results = list(Solver().decide(default_rows()))
    numbers, found = coverage(results), list(measured(results))
    sizes = [item.size for item in found]
    print(f"  rows {numbers.rows}, distinct systems {numbers.systems}, states {numbers.states}")
    print(f"  verdicts certified {numbers.holds + numbers.unreachable}, violated {numbers.violated}")
    print(f"  claims {sum(item.claims for item in found)}, queries {sum(item.queries for item in found)}")
    print(f"  bytes: total {sum(sizes)}, median {median(sizes):.0f}, largest {max(sizes)}")
    for kind in ("make", *SOLVERS):
        seconds = [item.seconds[kind] for item in found]
        print(f"  {kind:5} total {sum(seconds):6.1f} s, median {median(seconds):5.2f} s, longest {max(seconds):5.2f} s")
    print("the slowest")
    for item in sorted(found, key=lambda item: -sum(item.seconds.values()))[:SLOWEST]:
        spent = ", ".join(f"{kind} {seconds:.2f} s" for kind, seconds in item.seconds.items())
        print(f"  {item.name:42} {item.states:5} states, {item.size:7} bytes: {spent}")


if __name__ == "__main__":
    main()

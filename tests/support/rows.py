"""The systems of the default matrix, which many tests look at: built, and searched, once by each process that runs tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from draincheck.qemu.cache import BuildCache
from draincheck.system import TransitionSystem
from drainspecs.mirror.properties import DrainInvariant
from drainspecs.suite.matrix import Row, RowResult, Solver, default_rows

__all__ = ["decided", "default_systems", "system"]

_BUILT = BuildCache(DrainInvariant)


def system(row: Row) -> TransitionSystem:
    """The system of a row."""
    return _BUILT.system(row.revision.knobs, row.scenario)


@cache
def default_systems() -> Mapping[str, TransitionSystem]:
    """Each once, by the name of the first row that has it."""
    found: dict[str, tuple[str, TransitionSystem]] = {}
    for row in default_rows():
        found.setdefault(system(row).digest, (f"{row.revision.name} / {row.scenario.name}", system(row)))
    return dict(found.values())


@cache
def decided() -> Sequence[RowResult]:
    """The results of all rows."""
    return tuple(Solver().decide(default_rows()))

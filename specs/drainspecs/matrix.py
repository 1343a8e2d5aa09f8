"""The matrix: every code base in every scenario, decided by exhaustive search and compared with what is expected."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from time import perf_counter

from draincheck.engines.explicit import explore
from draincheck.qemu import Scenario, build
from draincheck.qemu.cache import BuildCache
from draincheck.revisions import Revision, code_bases
from draincheck.system import TransitionSystem
from draincheck.verdict import Exploration, Limits, Verdict
from drainspecs.expectations import Expectation, expected
from drainspecs.properties import PROPERTIES, DrainInvariant
from drainspecs.scenarios import DEFAULT_SCENARIOS, SCENARIOS, applies

__all__ = ["Cell", "Counts", "Row", "RowResult", "Solver", "all_rows", "default_rows", "pinned_counts", "system_of"]


@dataclass(frozen=True, slots=True)
class Row:
    """One code base in one scenario."""

    revision: Revision
    scenario: Scenario

    @property
    def key(self) -> str:
        """The row's name in the table of pinned counts."""
        order = "" if self.revision.knobs.order == "attach" else " order=any"
        return f"{self.scenario.name}{order}"


@dataclass(frozen=True, slots=True)
class Counts:
    """What a search of a row must find, exactly: distinct states, transitions, depth."""

    states: int
    transitions: int
    depth: int


@dataclass(frozen=True, slots=True)
class Cell:
    """The verdict of one property in one row, beside what is expected (None: nothing is)."""

    row: Row
    property_name: str
    verdict: Verdict
    expected: Expectation | None

    @property
    def as_expected(self) -> bool:
        """Nothing else was expected."""
        return self.expected is None or self.expected.outcome is self.verdict.outcome


@dataclass(frozen=True, slots=True)
class RowResult:
    """One explored row. `milliseconds` is the time to build and search it; 0 when an equal system had been searched already."""

    row: Row
    exploration: Exploration
    milliseconds: float
    pinned: Counts | None

    @property
    def counts(self) -> Counts:
        """What the search found."""
        s = self.exploration.statistics
        return Counts(s.states, s.transitions, s.depth)

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The properties in their order."""
        return tuple(
            Cell(
                self.row,
                item.name,
                self.exploration.verdicts[item.name],
                expected(self.row.revision.name, self.row.scenario, item.name),
            )
            for item in PROPERTIES
        )


def default_rows(revisions: Sequence[Revision] = (), scenarios: Sequence[Scenario] = ()) -> list[Row]:
    """Every code base (or these) in the five default scenarios (or these), GSources in attach order."""
    return [
        Row(revision, scenario)
        for scenario in scenarios or DEFAULT_SCENARIOS
        for revision in revisions or code_bases()
        if applies(revision, scenario)
    ]


def all_rows() -> list[Row]:
    """The default rows, then two writes, reads, two disks, and the default scenarios with GSources in any order."""
    wider = default_rows(scenarios=SCENARIOS)
    return wider + [replace(row, revision=with_order_any(row.revision)) for row in default_rows()]


def with_order_any(revision: Revision) -> Revision:
    """The code base with what GLib's API promises instead of what GLib does. Keeps its name, and with it its expectations."""
    return replace(revision, knobs=replace(revision.knobs, order="any"))


def system_of(row: Row) -> TransitionSystem:
    """The transition system of a row, with every property of the specification."""
    return build(
        f"{row.revision.name} / {row.scenario.name}", row.revision.knobs, row.scenario, DrainInvariant()
    ).compile()


class Solver:
    """Decides rows. Code bases that differ only in knobs a scenario never looks at share one search."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._systems = BuildCache(DrainInvariant)
        self._explored: dict[int, Exploration] = {}

    def decide(self, rows: Iterable[Row]) -> Iterator[RowResult]:
        """Each row's result, in order, as soon as it is known."""
        for row in rows:
            start = perf_counter()
            system = self._systems.system(row.revision.knobs, row.scenario)
            found = self._explored.get(id(system))
            if found is None:
                found = self._explored[id(system)] = explore(system, self._limits)
                milliseconds = (perf_counter() - start) * 1000
            else:
                milliseconds = 0.0
            yield RowResult(row, found, milliseconds, pinned_counts().get(row.key, {}).get(row.revision.name))


_counts: dict[str, dict[str, Counts]] = {}


def pinned_counts() -> dict[str, dict[str, Counts]]:
    """Scenario -> revision -> the exact counts that a search must find (`counts.json`, beside this file)."""
    if not _counts:
        data = json.loads(resources.files("drainspecs").joinpath("counts.json").read_text(encoding="utf-8"))
        for scenario, rows in data.items():
            _counts[scenario] = {revision: Counts(*numbers) for revision, numbers in rows.items()}
    return _counts


def differences(result: RowResult) -> list[str]:
    """One line for each expectation or pinned count that the row does not meet, and for each verdict that could not be reached."""
    place = f"{result.row.revision.name} {result.row.key}"
    lines = [
        f"{place} {cell.property_name}: expected {cell.expected.outcome.value}, found {cell.verdict.outcome.value} ({cell.verdict.how})"
        for cell in result.cells
        if cell.expected is not None and not cell.as_expected
    ]
    if result.pinned is not None and result.pinned != result.counts:
        lines.append(f"{place}: expected {result.pinned}, found {result.counts}")
    return lines

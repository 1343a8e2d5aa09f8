"""The nets that a wrong line of the model or of the core may be caught in, cheapest first.

`verdict`: a row of the matrix has a verdict that is not the expected one, or none. `fault`: a row's model is at fault. `claim`, `liveness`:
as the gate compares them. `unit`: a quick test of a part of the core fails. `conformance`: model and core part ways. `test`: one of the tests
of whole runs of the core fails. A pinned count that moves is noted and catches nothing.

Only what a mutant changes is looked at: rows whose transition system is the same as before have the same verdicts and conform as before.
So do those whose labelled reachable graph is, except that their verdicts are decided anew.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from random import Random

from msgspec.structs import astuple

from draincheck.conformance import Conformance, config_of, conform_all, walk
from draincheck.core.machine import Machine
from draincheck.engines.explicit import explore
from draincheck.errors import ModelError
from draincheck.exploration.graph import StateGraph
from draincheck.qemu import Scenario, build
from draincheck.qemu.cache import BuildCache
from draincheck.revisions import Revision
from draincheck.system import TransitionSystem
from draincheck.verdict import Limits
from drainspecs.mirror.claims import CLAIMS
from drainspecs.mirror.properties import DrainInvariant
from drainspecs.suite.liveness import liveness_deviations, liveness_rows
from drainspecs.suite.matrix import Row, RowResult, all_rows, default_rows, deviations, fault_of, pinned_counts

__all__ = [
    "NETS",
    "Catch",
    "Caught",
    "Known",
    "core_nets",
    "cost",
    "graph_of",
    "model_nets",
    "name_of",
    "row_named",
    "some_of",
    "systems",
]

NETS = ("verdict", "claim", "liveness", "unit", "conformance", "test")

#: a row's system: its digest, and if it is small its graph's
Known = tuple[str, str]
#: states up to which graphs are compared as a matter of course, and up to which edges are executed one by one
SMALL, TINY = 6000, 1500
#: random walks of model and core beside each other in a row, and the steps of each
WALKS, STEPS = 8, 150
#: how many code bases of a default scenario are held against the core, and of how many rows every edge is executed
MOST, EDGES = 6, 4


@dataclass(frozen=True, slots=True)
class Caught:
    """The net that has caught something, and where."""

    net: str
    where: str


@dataclass(slots=True)
class Catch:
    """What came of a mutant: the first net that has caught it, the rows that it changes, and those of them whose counts moved."""

    caught: Caught | None = None
    changed: int = 0
    counts: int = 0


def cost(row: Row) -> int:
    """How many states the row has, as far as anybody knows."""
    counts = pinned_counts().get(row.key, {}).get(row.revision.name)
    return counts.states if counts is not None else 10**6


def row_named(name: str) -> Row:
    """The row of this code base and key."""
    return next(row for row in all_rows() if name_of(row) == name)


def name_of(row: Row) -> str:
    """The row's code base and key."""
    return f"{row.revision.name} {row.key}"


def _by_cost(rows: Iterable[Row]) -> list[list[Row]]:
    """The rows of a scenario together, the cheapest scenario first."""
    groups = [list(group) for _, group in groupby(rows, key=lambda row: row.key)]
    return sorted(groups, key=lambda group: sum(map(cost, group)))


def systems(rows: Sequence[Row]) -> dict[str, Known]:
    """What the systems of some rows are, as they are now, by the rows' names."""
    found: dict[str, Known] = {}
    graphs: dict[str, str] = {}
    for group in _by_cost(rows):
        cache = BuildCache(DrainInvariant)
        for row in group:
            system = cache.system(row.revision.knobs, row.scenario)
            if system.digest not in graphs:
                graphs[system.digest] = graph_of(system) if cost(row) <= SMALL else ""
            found[name_of(row)] = system.digest, graphs[system.digest]
    return found


def graph_of(system: TransitionSystem) -> str:
    """A hash of the labelled reachable graph: what its states show, and which labelled steps lead from which to which."""
    digest = sha256()
    for line in _lines(system):
        digest.update(line.encode())
    return digest.hexdigest()


def _lines(system: TransitionSystem) -> Iterator[str]:
    """The graph in an order that depends on nothing but labels: breadth first, the steps from each state by label."""
    graph = StateGraph(system, (), Limits())
    shown = [index for index, variable in enumerate(system.variables) if not variable.internal]
    yield f"{[(system.variables[index].name, str(system.variables[index].sort)) for index in shown]}\n"
    labels = [f"{action.process}: {action.name}" for action in system.actions]
    number = {0: 0}
    for here in (queue := [0]):
        state = graph.state(here)
        yield f"{number[here]} {[state[index] for index in shown]}\n"
        for action, after in sorted(graph.edges[here], key=lambda edge: (labels[edge[0]], edge[0])):
            if after not in number:
                number[after] = len(number)
                queue.append(after)
            yield f"  {labels[action]} {number[after]}\n"


# -- the model ------------------------------------------------------------------------------------------------------------------------


def model_nets(before: Mapping[str, Known], nets: Collection[str], rows: Sequence[Row] | None = None) -> Catch:
    """What catches the model as it is now, whose systems were these before: in the default rows first, in the largest ones last."""
    wanted, first = list(all_rows() if rows is None else rows), set(default_rows())
    wider = [row for row in wanted if row not in first]
    catch = Catch()
    for part in (
        [row for row in wanted if row in first],
        [row for row in wider if cost(row) <= SMALL],
        [row for row in wider if cost(row) > SMALL],
    ):
        if catch.caught is None:
            catch.caught = next(_caught(part, before, nets, catch), None)
    return catch


def _caught(rows: Sequence[Row], before: Mapping[str, Known], nets: Collection[str], catch: Catch) -> Iterator[Caught]:
    changed: list[Row] = []
    for group in _by_cost(rows):
        yield from _verdicts(group, before, nets, catch, changed)
    if "conformance" in nets:
        yield from conformance(some_of(changed))
    if "claim" in nets and changed:
        yield from _claims()
    if "liveness" in nets:
        for group in _by_cost(changed):
            found = [item for part in liveness_deviations(liveness_rows(group), 1) for item in part]
            yield from (Caught("fault" if item.kind == "fault" else "liveness", str(item)) for item in found)


def _verdicts(
    group: Sequence[Row], before: Mapping[str, Known], nets: Collection[str], catch: Catch, changed: list[Row]
) -> Iterator[Caught]:
    """Search the systems of a scenario that are others now, each once, and note the rows whose graphs are."""
    cache, seen = BuildCache(DrainInvariant), dict[str, bool]()
    for row in group:
        try:
            system = cache.system(row.revision.knobs, row.scenario)
            digest, graph = before[name_of(row)]
            if system.digest == digest:
                continue
            if system.digest not in seen:
                moved = catch.counts
                yield from _searched(row, system, nets, catch)
                seen[system.digest] = catch.counts == moved and graph == (graph_of(system) if graph else None)
            if not seen[system.digest]:
                changed.append(row)
                catch.changed += 1
        except ModelError as error:
            if "verdict" in nets:
                yield Caught("fault", str(fault_of(row.revision.name, row.key, error)))


def _searched(row: Row, system: TransitionSystem, nets: Collection[str], catch: Catch) -> Iterator[Caught]:
    pinned = pinned_counts()[row.key][row.revision.name]
    exploration = explore(system, Limits(states=4 * pinned.states + 1000))
    result = RowResult(row, system.digest, exploration, 0.0, pinned)
    for item in deviations(result):
        catch.counts += item.kind == "counts"
        if item.kind == "verdict" and "verdict" in nets:
            yield Caught("verdict", str(item))


def _claims() -> Iterator[Caught]:
    for claim in CLAIMS:
        found = claim.decide()
        if found.fault:
            yield Caught("fault", f"claim {claim.name}: {found.fault}")
        elif not found.as_expected:
            yield Caught("claim", claim.name)


def some_of(rows: Iterable[Row]) -> list[Row]:
    """A few code bases of each scenario, as different as can be: the cheapest scenarios first, of the default ones more."""
    default, found = set(default_rows()), list[Row]()
    for group in _by_cost(rows):
        found += _apart(group, MOST if group[0] in default else 2)
    return found


def _apart(rows: Sequence[Row], number: int) -> list[Row]:
    """So many rows that each differs in as many knobs as possible from those before it."""
    chosen = [rows[0]]
    while len(chosen) < min(number, len(rows)):
        chosen.append(max(rows, key=lambda row: min(_distance(row, other) for other in chosen)))
    return list(dict.fromkeys(chosen))


def _distance(row: Row, other: Row) -> int:
    """In how many knobs two code bases differ."""
    pairs = zip(astuple(row.revision.knobs), astuple(other.revision.knobs), strict=True)
    return sum(one != another for one, another in pairs)


class _Parted(Exception):
    """Model and core part ways: there is no need to go on."""


def conformance(rows: Iterable[Row]) -> Iterator[Caught]:
    """Where model and core part ways: on random walks, then edge by edge in rows that are not too large for that."""

    def compared(revision: Revision, scenario: Scenario, result: Conformance) -> None:
        if result.divergences:
            raise _Parted(f"{revision.name} {scenario.name}: {result.divergences[0].difference}")

    chosen = list(rows)
    try:
        for row in chosen:
            if found := _walked(row):
                raise _Parted(f"{name_of(row)}: {found}")
        conform_all([(row.revision, row.scenario) for row in chosen if cost(row) <= TINY][:EDGES], compared)
    except (_Parted, ModelError) as error:
        yield Caught("conformance", str(error))


def _walked(row: Row) -> str:
    system = build(row.scenario.name, row.revision.knobs, row.scenario).compile()
    config = config_of(row.scenario)
    for seed in range(WALKS):
        parting = walk(system, Machine(row.revision.knobs, config), Random(seed).randrange, STEPS)
        if parting is not None:
            return str(parting.difference)
    return ""


# -- the core -------------------------------------------------------------------------------------------------------------------------

TESTS = Path(__file__).parents[1]
#: the quick tests of the core's parts
UNIT_TESTS = sorted(str(file) for file in (TESTS / "cover").glob("test_core_*.py"))
#: those of whole runs, and of what the core is used for
RUN_TESTS = [str(TESTS / name) for name in ("quality/test_core_scenarios.py", "cover/test_cli_core.py")]


def core_nets(rows: Sequence[Row], nets: Collection[str]) -> Catch:
    """What catches the core as it is now: its unit tests, its comparison with the model in these rows, in this order, or its other tests."""
    catch = Catch(changed=len(rows))
    catch.caught = next(_caught_in_the_core(rows, nets), None)
    return catch


def _caught_in_the_core(rows: Sequence[Row], nets: Collection[str]) -> Iterator[Caught]:
    if "unit" in nets:
        yield from _failed("unit", UNIT_TESTS)
    if "conformance" in nets:
        yield from conformance(rows)
    if "test" in nets:
        yield from _failed("test", RUN_TESTS)


def _failed(net: str, tests: Sequence[str]) -> Iterator[Caught]:
    """The first of some tests that fails, run in this process."""
    import pytest

    failed = _Failed()
    pytest.main(["-x", "-q", "--no-header", "-p", "no:cacheprovider", *tests], [failed])
    if failed.name:
        yield Caught(net, failed.name)


class _Failed:
    """Remembers a test that has failed."""

    name = ""

    def pytest_runtest_logreport(self, report: object) -> None:
        if getattr(report, "failed", False):
            self.name = str(getattr(report, "nodeid", ""))

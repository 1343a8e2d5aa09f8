"""Rows of the matrix as reports take them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from msgspec.structs import replace

from draincheck.checking import Finding, Result
from draincheck.report.account import Item, SearchCounts, Standing, Suite, accepted_of, item_of, standing_of
from draincheck.subject import check_command
from draincheck.verdict import Outcome
from drainspecs.mirror.impact import consequences, matters
from drainspecs.mirror.properties import PROPERTIES
from drainspecs.suite.matrix import Cell, Counts, RowResult, options_of_row, system_of

__all__ = ["suite_of_row", "suites_of"]

#: what the comparison with the pinned counts is called
COUNTS = "counts"

_MEANINGS = {item.name: item.meaning for item in PROPERTIES}


def suites_of(results: Iterable[RowResult]) -> list[Suite]:
    """A suite a row. Only a row that is not as expected has its model built again, for traces and places in the source."""
    return [suite_of_row(result) for result in results]


def suite_of_row(result: RowResult) -> Suite:
    """A row, compared with what is expected of it and with its pinned counts."""
    sound, items = not result.fault, list(_items(result))
    return Suite(
        title=f"{result.row.revision.name} / {result.row.key}",
        scenario=result.row.scenario.name,
        items=items,
        seconds=result.milliseconds / 1000,
        counts=_numbers(result.counts) if sound else None,
        pinned=None if result.pinned is None else _numbers(result.pinned),
        accepted=accepted_of(
            items, result.exploration.verdicts, matters, partial(consequences, result.row.revision.knobs)
        ),
    )


def _items(result: RowResult) -> Iterator[Item]:
    """Everything that was decided, each with the command that shows it."""
    options = options_of_row(result.row.revision.name, result.row.key)
    if result.fault:
        yield replace(_fault(result), command=check_command(options))
        return
    yield from (replace(item, command=check_command(options, item.name)) for item in _verdicts(result))
    yield from (replace(item, kind="pinned count", command=check_command(options)) for item in _counts(result))


def _numbers(counts: Counts) -> SearchCounts:
    return SearchCounts(counts.states, counts.transitions, counts.depth)


def _fault(result: RowResult) -> Item:
    return Item(name="model", standing=Standing.FAULT, why=f"the model is at fault: {result.fault}")


def _verdicts(result: RowResult) -> Iterator[Item]:
    """The verdicts in their order; traces and places are made only if one of them is not as expected."""
    if all(cell.expected is not None and cell.as_expected for cell in result.cells):
        return map(_as_expected, result.cells)
    system = system_of(result.row)
    findings = [Finding(system.property_named(c.property_name), c.verdict, c.expected) for c in result.cells]
    whole = Result(system, findings, result.exploration)
    return (_judged(whole, finding) for finding in findings)


def _as_expected(cell: Cell) -> Item:
    verdict = cell.verdict
    return Item(
        name=cell.property_name,
        standing=standing_of(verdict.outcome, expectation=cell.expected, compared=True),
        outcome=verdict.outcome,
        expected=verdict.outcome,
        why="" if verdict.outcome is Outcome.HOLDS else f"{verdict.outcome.value} ({verdict.reason}), as expected",
        meaning=_MEANINGS[cell.property_name],
        reason=str(verdict.reason),
        matters=matters(cell.property_name),
    )


def _judged(whole: Result, finding: Finding) -> Item:
    """One that nobody has said anything about is wrong, whatever it is."""
    item = item_of(whole, finding, compared=True, matters=matters(finding.name))
    if finding.expectation is not None or item.standing.bad:
        return item
    why = f"nothing is expected, and something should be; found {item.found} ({item.reason})"
    return replace(item, standing=Standing.WRONG, why=why)


def _counts(result: RowResult) -> Iterator[Item]:
    """That the search found what is pinned."""
    if result.pinned is None:
        yield Item(name=COUNTS, standing=Standing.WRONG, why=f"nothing is pinned; found {result.counts}")
        return
    meaning = f"an exhaustive search has to find {result.pinned}"
    if result.pinned == result.counts:
        yield Item(name=COUNTS, standing=Standing.FINE, meaning=meaning)
        return
    delta = _numbers(result.counts).since(_numbers(result.pinned))
    why = f"pinned are {result.pinned}; found {result.counts} ({delta})"
    yield Item(name=COUNTS, standing=Standing.WRONG, why=why, meaning=meaning)

"""Liveness of the matrix's rows and of the notify suite, compared with what is expected of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from draincheck.errors import ModelError, OutOfBudget
from draincheck.pool import in_processes
from draincheck.reason import Stop
from draincheck.verdict import demand_unstopped
from drainspecs.mirror.liveness import verdicts
from drainspecs.mirror.liveness_expectations import expected_liveness
from drainspecs.notify import ROWS, check
from drainspecs.suite.matrix import Deviation, Row, deviation, fault_of, pieces

__all__ = ["liveness_deviations", "liveness_rows", "notify_deviations"]


def liveness_rows(rows: Iterable[Row]) -> list[Row]:
    """The rows whose liveness something is expected of: those with one job (`liveness_expectations.py` says why)."""
    return [row for row in rows if row.scenario.jobs == 1]


def liveness_deviations(rows: Sequence[Row], processes: int | None = None) -> Iterator[list[Deviation]]:
    """For each row what differs there; what nothing was written down for differs, too. See `matrix.decide_all` for `processes`.

    Raises OutOfBudget, after what was decided before.
    """
    for found, stop in in_processes(_of_piece, pieces(rows), processes):
        yield from found
        if stop is not None:
            raise OutOfBudget(stop)


def _of_piece(rows: list[Row]) -> tuple[list[list[Deviation]], Stop | None]:
    """What differs in each row, up to the one at which there was reason to stop."""
    found: list[list[Deviation]] = []
    try:
        found += map(_of_row, rows)
    except OutOfBudget as limit:
        return found, limit.stop
    return found, None


def _of_row(row: Row) -> list[Deviation]:
    name, found = row.revision.name, list[Deviation]()
    try:
        decided = verdicts(row.revision, row.scenario)
        demand_unstopped(decided.values())
    except ModelError as error:
        return [fault_of(name, row.key, error)]
    for verdict in decided.values():
        expectation = expected_liveness(name, row.scenario, verdict.property)
        if expectation is None or verdict.outcome is not expectation.outcome:
            found.append(deviation(name, row.key, verdict, expectation))
    return found


def notify_deviations() -> list[Deviation]:
    """The rows of the notify suite whose verdict is not the published one."""
    wrong = (result for result in map(check, ROWS) if not result.as_expected)
    return [deviation(item.row.name, "notify", item.worst, item.row.expectation) for item in wrong]

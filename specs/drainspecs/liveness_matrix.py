"""Liveness of the matrix's rows and of the notify suite, compared with what is expected of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from drainspecs.liveness import verdicts
from drainspecs.liveness_expectations import expected_liveness
from drainspecs.matrix import Difference, Row, deviation
from drainspecs.notify import ROWS, check

__all__ = ["liveness_deviations", "notify_deviations"]


def liveness_deviations(rows: Iterable[Row]) -> Iterator[list[Difference]]:
    """For each row what differs there; what nothing was written down for differs, too."""
    for row in rows:
        name, found = row.revision.name, list[Difference]()
        for verdict in verdicts(row.revision, row.scenario).values():
            expectation = expected_liveness(name, row.scenario, verdict.property)
            if expectation is None or verdict.outcome is not expectation.outcome:
                found.append(deviation(name, row.key, verdict, expectation))
        yield found


def notify_deviations() -> list[Difference]:
    """The rows of the notify suite whose verdict is not the published one."""
    wrong = (result for result in map(check, ROWS) if not result.as_expected)
    return [deviation(item.row.name, "notify", item.worst, item.row.expectation) for item in wrong]

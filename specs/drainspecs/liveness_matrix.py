"""Liveness of the matrix's rows and of the notify suite, compared with what is expected of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from draincheck.verdict import Outcome, Verdict
from drainspecs.liveness import verdicts
from drainspecs.liveness_expectations import expected_liveness
from drainspecs.matrix import Difference, Row
from drainspecs.notify import ROWS, check

__all__ = ["liveness_deviations", "notify_deviations"]


def liveness_deviations(rows: Iterable[Row]) -> Iterator[list[Difference]]:
    """For each row what differs there; what nothing was written down for differs, too."""
    for row in rows:
        found: list[Difference] = []
        for name, verdict in verdicts(row.revision, row.scenario).items():
            expectation = expected_liveness(row.revision.name, row.scenario, name)
            if expectation is None or verdict.outcome is not expectation.outcome:
                wanted = "an expectation, and there is none" if expectation is None else expectation.outcome.value
                found.append(_difference(row.revision.name, row.key, verdict, wanted))
        yield found


def notify_deviations() -> list[Difference]:
    """The rows of the notify suite whose verdict is not the published one."""
    found: list[Difference] = []
    for row in ROWS:
        result = check(row)
        if not result.as_expected:
            worst = next(verdict for verdict in result.verdicts.values() if verdict.outcome is result.outcome)
            found.append(_difference(row.name, "notify", worst, row.expected.value))
    return found


def _difference(name: str, row: str, verdict: Verdict, wanted: str) -> Difference:
    kind = "unknown" if verdict.outcome is Outcome.UNKNOWN else "verdict"
    return Difference(kind, name, row, verdict.property, wanted, f"{verdict.outcome.value} ({verdict.how})")

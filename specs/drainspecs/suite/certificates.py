"""Certificates of the matrix: which systems there are, and what their certificates have to say.

Code bases that a scenario cannot tell apart, and scenarios that a code base cannot, have the same system; one certificate is about all
of them. It covers a verdict if it claims just that verdict of a system with the same hash.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from draincheck.certificate import Header
from draincheck.verdict import Outcome, Verdict
from drainspecs.suite.matrix import RowResult

__all__ = ["Coverage", "by_system", "coverage", "uncovered"]


def by_system(results: Iterable[RowResult]) -> dict[str, list[RowResult]]:
    """The results by the hash of their system; hashes and results in the order given. Models at fault have none, and are left out."""
    found: dict[str, list[RowResult]] = {}
    for result in (result for result in results if not result.fault):
        found.setdefault(result.digest, []).append(result)
    return found


def uncovered(results: Iterable[RowResult], headers: Mapping[str, Sequence[Header]]) -> list[str]:
    """A line for each verdict that needs a certificate and has none in these headers (by hash), and for each unknown one.

    A property that holds needs one, and so does a goal that is not reachable. Other violated properties have counterexamples, and where
    one was never asked there is nothing to prove.
    """
    found: list[str] = []
    for result in results:
        claimed = {(c.property, c.verdict) for header in headers.get(result.digest, ()) for c in header.claims}
        for name, verdict in result.exploration.verdicts.items():
            pair = (name, verdict.outcome.value)
            if _kind(verdict) not in ("violated", "never asked") and pair not in claimed:
                found.append(f"{result.row.revision.name} / {result.row.scenario.name}: {' '.join(pair)}")
    return found


def _kind(verdict: Verdict) -> str:
    """What is known, in a word. That a goal is out of reach is the one violation that no trace shows."""
    unreachable = verdict.outcome is Outcome.VIOLATED and verdict.trace is None
    return "unreachable" if unreachable else verdict.outcome.value


class Coverage(Struct, frozen=True):
    """Verdicts of some rows, counted.

    Attributes:
        rows: how many rows.
        systems: distinct systems among them.
        states: the reachable states of these.
        holds: verdicts *holds*.
        unreachable: goals that are out of reach; certificates are about these two kinds.
        violated: violated properties, which have counterexamples instead.
        never_asked: properties that nothing puts to the test.
        unknown: verdicts that were not reached.
    """

    rows: int
    systems: int
    states: int
    holds: int
    unreachable: int
    violated: int
    never_asked: int
    unknown: int


def coverage(results: Sequence[RowResult]) -> Coverage:
    """Count what some rows came to."""
    verdicts = Counter(_kind(verdict) for result in results for verdict in result.exploration.verdicts.values())
    states = {result.digest: result.counts.states for result in results if not result.fault}
    return Coverage(
        rows=len(results),
        systems=len(states),
        states=sum(states.values()),
        never_asked=verdicts["never asked"],
        **{kind: verdicts[kind] for kind in ("holds", "unreachable", "violated", "unknown")},
    )

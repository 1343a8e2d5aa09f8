"""Expected verdicts as spans of history: each holds from the revision it names up to the next one named."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle
from typing import Final, TypeAlias

from msgspec import Struct

from draincheck.revisions import PLACES
from draincheck.subject import Expectation
from draincheck.verdict import Outcome

__all__ = ["FIRST", "Span", "Spans", "Table", "always", "bad", "last", "ok", "turning"]

#: the first row of the table of code bases
FIRST: Final = "5a7e7a0bad~1"


class Span(Struct, frozen=True):
    """From this revision on, the property is violated (or holds) for this reason. No reason: the history says so."""

    since: str
    violated: bool
    reason: str = ""

    @property
    def expectation(self) -> Expectation:
        """The verdict to expect."""
        outcome = Outcome.VIOLATED if self.violated else Outcome.HOLDS
        return Expectation(outcome, self.reason or "the history says so", bool(self.reason))


Spans: TypeAlias = tuple[Span, ...]
#: by property
Table: TypeAlias = Mapping[str, Spans]


def ok(since: str, reason: str = "") -> Span:
    """It holds from here on."""
    return Span(since, False, reason)


def bad(since: str, reason: str = "") -> Span:
    """It is violated from here on."""
    return Span(since, True, reason)


def always(names: str, reason: str) -> dict[str, Spans]:
    """Properties (their names in one text) that hold in every code base."""
    return {name: (ok(FIRST, reason),) for name in names.split()}


def turning(*points: str, reason: str = "", violated: bool = False) -> Spans:
    """It holds from the first point on (or is `violated`), and turns at each further one, always for the same reason."""
    return tuple(
        Span(since, turns, reason) for since, turns in zip(points, cycle((violated, not violated)), strict=False)
    )


def last(spans: Spans, revision: str) -> Span:
    """The span in which a row of the table of code bases stands."""
    return [span for span in spans if PLACES[span.since] <= PLACES[revision]][-1]

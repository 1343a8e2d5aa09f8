"""Verdicts: holds, violated, never asked, or unknown. Never a bool, never 'passed' under a bound."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Protocol

from msgspec import Struct
from msgspec.structs import astuple

from draincheck.budget import NO_LIMITS, Limits
from draincheck.errors import OutOfBudget
from draincheck.reason import Reason, Stop, StopKind
from draincheck.run import Trace

__all__ = [
    "NO_LIMITS",
    "SILENT",
    "Exploration",
    "Limits",
    "Outcome",
    "Reporter",
    "Silent",
    "Statistics",
    "Verdict",
    "all_known",
    "demand_unstopped",
    "stop_of",
    "stopped_by",
]


class Outcome(Enum):
    """What is known about a property. *Never asked*: it would hold, but nothing that any run does puts it to the test."""

    HOLDS = "holds"
    VIOLATED = "violated"
    NEVER_ASKED = "never asked"
    UNKNOWN = "unknown"


class Verdict(Struct, frozen=True):
    """The answer for one property.

    Attributes:
        property: its name.
        outcome: holds, violated, never asked or unknown.
        reason: how it was decided, or what kept it from being; `str` says it in a few words.
        trace: for *violated* a shortest counterexample, already re-executed; for a `Reachable` that holds, a shortest witness.
    """

    property: str
    outcome: Outcome
    reason: Reason
    trace: Trace | None = None


def stopped_by(verdicts: Iterable[Verdict]) -> Stop | None:
    """What kept some of these from being known, somebody who did not wait before a limit; None if nothing did."""
    stops = [v.reason.stopped for v in verdicts if v.outcome is Outcome.UNKNOWN and v.reason.stopped is not None]
    return next((stop for stop in stops if stop.kind is StopKind.REQUEST), stops[0] if stops else None)


def all_known(verdicts: Iterable[Verdict]) -> bool:
    """Whether none of these is unknown, for whatever reason."""
    return all(verdict.outcome is not Outcome.UNKNOWN for verdict in verdicts)


def stop_of(end: BaseException) -> Stop:
    """The stop that an exception stands for: a limit's, or else Ctrl-C."""
    return end.stop if isinstance(end, OutOfBudget) else Stop(StopKind.REQUEST)


def demand_unstopped(verdicts: Iterable[Verdict]) -> None:
    """For who has no use for a part of the verdicts: raises OutOfBudget if some were stopped."""
    if stop := stopped_by(verdicts):
        raise OutOfBudget(stop)


class Statistics(Struct, frozen=True, eq=False):
    """What a search did. Two that differ in `seconds` and `bytes` alone are equal.

    Attributes:
        states: distinct reachable states.
        transitions: enabled (state, action) pairs executed.
        depth: length of the longest shortest path.
        queue: states stored but not expanded when the search ended (0: exhausted).
        widest: the largest breadth-first layer.
        fired: indices of the actions that were taken at least once.
        never_fired: indices of the actions that never were.
        seconds: wall time of the search, code generation included.
        bytes: what the states took in memory when the search ended; 0 if nobody has measured that.
    """

    states: int
    transitions: int
    depth: int
    queue: int
    widest: int
    fired: tuple[int, ...]
    never_fired: tuple[int, ...]
    seconds: float
    bytes: int = 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Statistics) and self._counts() == other._counts()

    def __hash__(self) -> int:
        return hash(self._counts())

    def _counts(self) -> tuple[object, ...]:
        return astuple(self)[:-2]


class Exploration(Struct, frozen=True):
    """One search of a whole system.

    Attributes:
        statistics: its numbers; of the reduced system if one was searched in place of it.
        verdicts: a verdict for each property, by name.
        advice: what would have made it faster, "" if nothing.
        reduction: how the system was reduced, in words; "" if it was not.
    """

    statistics: Statistics
    verdicts: Mapping[str, Verdict]
    advice: str = ""
    reduction: str = ""


class Reporter(Protocol):
    """Told about progress by engines, which never print."""

    def progress(self, states: int, transitions: int, depth: int, queue: int) -> None:
        """Called now and then during long searches; what an engine counts instead of states, if it does, comes first."""

    def phase(self, name: str) -> None:
        """What is done from here on, in a few words; what is counted begins anew."""

    def advice(self, text: str) -> None:
        """What would make it faster, as soon as that is known."""


class Silent:
    """A reporter that ignores everything."""

    def progress(self, states: int, transitions: int, depth: int, queue: int) -> None:
        """Do nothing."""

    def phase(self, name: str) -> None:
        """Do nothing."""

    def advice(self, text: str) -> None:
        """Do nothing."""


SILENT = Silent()

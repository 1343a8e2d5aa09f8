"""A counterexample made smaller: fewest context switches, then fewest steps, and the same property violated in the same manner."""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from draincheck.analysis.leaving_out import cut_to_what_shows, made_smaller
from draincheck.analysis.manner import Manner
from draincheck.analysis.smallest import is_searched, smallest
from draincheck.analysis.switches import Cost, cost_of
from draincheck.errors import EvidenceError, OutOfBudget, TraceError
from draincheck.properties import Property
from draincheck.reason import StopKind
from draincheck.run import Run
from draincheck.semantics.violation import outcome_if_shown, shown_for_sure
from draincheck.verdict import SILENT, Limits, Outcome, Reporter

__all__ = ["MINIMIZING_LIMITS", "Minimal", "minimized"]

#: the largest graph that is searched unless told otherwise: ten seconds' worth
MINIMIZING_LIMITS: Final = Limits(states=500_000)

#: the part of the time that is left which the search in the whole graph may take: leaving out steps needs some, too
PART: Final = 0.5


class Minimal(Struct, frozen=True):
    """A run made smaller.

    Attributes:
        run: what is left.
        before: what the run that was given costs.
        after: what this one costs.
        doubt: why there may be a smaller one; "" if there is none.
        stopped: that a limit is the reason.
    """

    run: Run
    before: Cost
    after: Cost
    doubt: str = ""
    stopped: bool = False

    @property
    def outcome(self) -> Outcome:
        """The verdict that it shows."""
        return outcome_if_shown(self.run.system.property_named(self.run.trace.property))


def minimized(run: Run, limits: Limits = MINIMIZING_LIMITS, reporter: Reporter = SILENT) -> Minimal:
    """The smallest run that shows the same property in the same manner; where that cannot be searched for, one from which nothing can be left out.

    Args:
        run: a run that shows the property that its trace names, in its last state or step, as a loop, or before its end.
        limits: the graph that may be searched, and the time that all may take.
        reporter: told about progress.

    Raises:
        TraceError: the trace names no property, or does not show it.
        OutOfBudget: somebody did not want to wait.
    """
    item, budget = _property(run), limits.begun()
    given = _showing(run, item)
    manner = Manner.of(given, item)
    found, doubt, stopped = given, "demands on whole runs are not searched for their smallest", False
    if is_searched(item):
        left = budget.left()
        limits = replace(limits, seconds=None if left is None else left * PART)
        found, stopped = _searched(given, manner, limits, reporter)
        doubt = "not all states could be searched" if stopped else ""
    if doubt:
        reporter.phase("leaving out steps")
        found = made_smaller(found, manner)
    checked = Run.of(run.system, found.trace)
    if cost_of(checked) > cost_of(given) or shown_for_sure(checked, item) is False:
        raise EvidenceError(f"{run.system.name}: the smaller path for {item.name!r} does not show it")
    return Minimal(checked, cost_of(run), cost_of(checked), doubt, stopped)


def _searched(run: Run, manner: Manner, limits: Limits, reporter: Reporter) -> tuple[Run, bool]:
    """The smallest run; or, and True, the smallest that is known where a limit keeps that from being found."""
    try:
        found, certain = smallest(run, manner, limits, reporter)
    except OutOfBudget as end:
        if end.stop.kind is StopKind.REQUEST:
            raise
        return run, True
    if found is None:
        return run, True
    return (found, False) if certain else (min(found, run, key=cost_of), True)


def _property(run: Run) -> Property:
    if not run.trace.property:
        raise TraceError("the trace names no property, so nothing says what a smaller one has to show")
    return run.system.property_named(run.trace.property)


def _showing(run: Run, item: Property) -> Run:
    """The run up to where it shows its property."""
    if (found := cut_to_what_shows(run, item)) is not None:
        return found
    if shown_for_sure(run, item) is False:
        raise TraceError(f"the trace does not show {item.name!r}; `trace show` says what it does")
    return run

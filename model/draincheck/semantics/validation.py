"""From what a search found to verdicts: every path is executed again, by the system's own rules, before anybody sees it."""

from __future__ import annotations

from collections.abc import Sequence

from draincheck.errors import EvidenceError, ModelFault, TraceError
from draincheck.properties import Always, Assertion, CanAlwaysFinish, NoDeadlock, Property, Reachable
from draincheck.reason import Exhaustive, Reason, Refused, Shortest
from draincheck.run import Known, Run, Trace
from draincheck.semantics.violation import evidence_word, outcome_if_not_shown, outcome_if_shown, shows
from draincheck.system import Action, Fault, State, TransitionSystem
from draincheck.verdict import Outcome, Verdict

__all__ = ["Evidence", "Path", "conclude"]

#: a state to start from and the indices of the actions to take
Path = tuple[State, Sequence[int]]

#: the kinds of property that a breadth-first search decides
DECIDED = (Always, Assertion, Reachable, NoDeadlock, CanAlwaysFinish)


def conclude(item: Property, trace: Trace | None, incomplete: Reason | None) -> Verdict:
    """The verdict that a breadth-first search ends with.

    Args:
        item: the property.
        trace: a shortest path that shows it violated, or its goal met; None if there is none among the states seen.
        incomplete: what kept the search from seeing all states; None if it saw them.
    """
    if not isinstance(item, DECIDED):
        refused = Refused(f"breadth-first search does not decide {type(item).__name__}")
        return Verdict(item.name, Outcome.UNKNOWN, refused)
    if trace is not None:
        return Verdict(item.name, outcome_if_shown(item), Shortest(evidence_word(item), len(trace.actions)), trace)
    if incomplete is not None:
        return Verdict(item.name, Outcome.UNKNOWN, incomplete)
    return Verdict(item.name, outcome_if_not_shown(item), Exhaustive())


class Evidence:
    """Executes the paths one exploration found. A step that several paths share is executed once."""

    def __init__(self, system: TransitionSystem) -> None:
        self.system = system
        self._known: Known = {}

    def shows(self, item: Property, path: Path) -> Trace:
        """The trace of a path; raises EvidenceError unless it violates the property (or meets its goal)."""
        run = self._run(item.name, path)
        if not shows(run, item):
            raise EvidenceError(f"{self.system.name}: the path found for {item.name!r} does not show it")
        return run.trace

    def fault(self, action: Action, fault: Fault, path: Path) -> ModelFault:
        """The error of an action that is faulty where a path ends; raises EvidenceError unless it is."""
        run = self._run("", path)
        last = run.states[-1]
        if not self.system.holds(action.guard, last) or self.system.fault(last, action) != fault:
            raise EvidenceError(f"{self.system.name}: action {action.index} is not at fault there: {fault.message}")
        return ModelFault(action, fault, run.trace)

    def _run(self, name: str, path: Path) -> Run:
        """Take every step of a path."""
        initial, actions = path
        trace = Trace(self.system.name, self.system.digest, name, initial, tuple(actions))
        try:
            return Run.of(self.system, trace, self._known)
        except TraceError as error:
            raise EvidenceError(f"{self.system.name}: {error}") from error

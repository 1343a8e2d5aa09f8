"""From what a search found to verdicts: every path is executed again, by the system's own rules, before anybody sees it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from draincheck.errors import EvidenceError, ModelFault, TraceError
from draincheck.properties import (
    Always,
    Assertion,
    CanAlwaysFinish,
    FaultKind,
    NoDeadlock,
    NoFault,
    Property,
    Reachable,
)
from draincheck.reason import Exhaustive, NeverAsked, Reason, Refused, RunsInto, Short, Shortest
from draincheck.run import Known, Run, Trace, label_of
from draincheck.semantics.violation import evidence_word, faulty_step, outcome_if_not_shown, outcome_if_shown, shows
from draincheck.system import State, TransitionSystem
from draincheck.verdict import Outcome, Verdict
from draincheck.words import counted

__all__ = ["Evidence", "Path", "conclude", "demand_faultless", "running_into", "up_to_errors"]

#: a state to start from and the indices of the actions to take
Path = tuple[State, Sequence[int]]

#: the kinds of property that a breadth-first search decides
DECIDED = (Always, Assertion, Reachable, NoDeadlock, CanAlwaysFinish, NoFault)


def conclude(
    item: Property,
    run: Run | None,
    incomplete: Reason | None,
    never_asked: NeverAsked | None = None,
    remark: str = "",
    *,
    lengths: bool = True,
) -> Verdict:
    """The verdict that a breadth-first search ends with.

    Args:
        item: the property.
        run: a shortest path that shows it violated, or its goal met, executed; None if there is none among the states seen.
        incomplete: what kept the search from seeing all states; None if it saw them.
        never_asked: that nothing puts it to the test, among all states.
        remark: what a verdict rests on that has no trace.
        lengths: that there is no shorter path.
    """
    if not isinstance(item, DECIDED):
        refused = Refused(f"breadth-first search does not decide {item.written}")
        return Verdict(item.name, Outcome.UNKNOWN, refused)
    outcome = outcome_if_not_shown(item) if run is None else outcome_if_shown(item)
    if never_asked is not None and outcome is Outcome.HOLDS:
        return Verdict(item.name, Outcome.NEVER_ASKED, never_asked)
    if run is not None:
        return Verdict(item.name, outcome, _how(item, run, Shortest if lengths else Short), run.trace)
    if incomplete is not None:
        return Verdict(item.name, Outcome.UNKNOWN, incomplete)
    return Verdict(item.name, outcome, Exhaustive(remark))


def _how(item: Property, run: Run, kind: type[Shortest | Short]) -> Reason:
    found = kind(evidence_word(item), len(run.trace.actions))
    return running_into(item, run, found) if isinstance(item, NoFault) else found


def running_into(item: NoFault, run: Run, how: Reason) -> RunsInto:
    """The fault that an executed run ends at, which is `how` it was found."""
    action, fault = faulty_step(run, item.kind)
    step = label_of(run.system, action, run.states[-1])
    return RunsInto(how, fault.kind.value, action.process, step, fault.message, fault.line)


def up_to_errors(names: Collection[str]) -> str:
    """What a verdict rests on where runs end with errors, which violate the properties of these names; "" if there are none."""
    return f", of runs without an error ({', '.join(names)} violated)" if names else ""


def demand_faultless(verdicts: Iterable[Verdict]) -> None:
    """For who rests on a model without errors: raises ModelFault if one of the verdicts is about a run that ends with one."""
    for verdict in verdicts:
        reason = verdict.reason
        if isinstance(reason, RunsInto) and reason.kind != FaultKind.BOUND.value:
            assert verdict.trace is not None
            where = f"{reason.process}: {reason.step}, after {counted(len(verdict.trace.actions), 'action')}"
            raise ModelFault(f"{reason.kind}: {reason.message} ({where})", reason.line, reason.process)


class Evidence:
    """Executes the paths one exploration found. A step that several paths share is executed once."""

    def __init__(self, system: TransitionSystem) -> None:
        self.system = system
        self._known: Known = {}

    def shows(self, item: Property, path: Path) -> Run:
        """The run along a path; raises EvidenceError unless it violates the property (or meets its goal)."""
        run = self._run(item.name, path)
        if not shows(run, item):
            raise EvidenceError(f"{self.system.name}: the path found for {item.name!r} does not show it")
        return run

    def _run(self, name: str, path: Path) -> Run:
        """Take every step of a path."""
        initial, actions = path
        trace = Trace.of(self.system, name, initial, actions)
        try:
            return Run.of(self.system, trace, self._known)
        except TraceError as error:
            raise EvidenceError(f"{self.system.name}: {error}") from error

"""Windows of a log and QEMU's code bases: whether a window is a run of one with as many writes, and which runs it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from draincheck.errors import OutOfBudget
from draincheck.qemu import Scenario
from draincheck.qemu.scenario import SIZES
from draincheck.qemulog.pivot import LogReport, Pivot
from draincheck.qemulog.shown import Observed, Sign, observed_in, requests_in, unseen
from draincheck.qemulog.validation import Validation, validate
from draincheck.revisions import Revision
from draincheck.run import Run
from draincheck.semantics.violation import shows
from draincheck.system import TransitionSystem, Variable
from draincheck.words import counted
from drainspecs.mirror.code_base import CodeBase
from drainspecs.mirror.impact import matters, rank
from drainspecs.mirror.scenarios import with_sizes

__all__ = [
    "MOST_WRITES",
    "HeldWindow",
    "Joint",
    "against",
    "bad_run",
    "hidden_in",
    "joint",
    "requests_of",
    "shown_in_words",
]

#: writes in one window: the models have no more
MOST_WRITES = SIZES["writes"][1]
#: steps behind the last event of a log until a property is violated
FURTHER = 12
#: what a variable has in its name that is about one request: the disk, and the number of the request
_OF_REQUEST = re.compile(r"\[(\d+\.\d+)\]")


class HeldWindow(Struct, frozen=True):
    """A switch held against a code base.

    Attributes:
        pivot: the switch.
        code_base: the code base, in a scenario with as many writes.
        validation: what came of it; None if it was not tried.
        unknown: why it is not known whether the window is a run, and what could be done; "" if it is known.
    """

    pivot: Pivot
    code_base: CodeBase
    validation: Validation | None
    unknown: str = ""

    @property
    def is_run(self) -> bool | None:
        """Whether the window is a run of the code base; None if that is not known."""
        return None if self.unknown or self.validation is None else self.validation.run is not None


class Joint(Struct, frozen=True):
    """All windows of a log together, and a code base."""

    revision: Revision
    windows: int
    runs: int
    refused: int

    @property
    def unknown(self) -> int:
        """Of how many windows it is not known."""
        return self.windows - self.runs - self.refused


def joint(judged: Iterable[HeldWindow]) -> tuple[Joint, ...]:
    """What came of all windows, for each code base."""
    found: dict[Revision, list[bool | None]] = {}
    for each in judged:
        found.setdefault(each.code_base.revision, []).append(each.is_run)
    return tuple(Joint(row, len(runs), runs.count(True), runs.count(False)) for row, runs in found.items())


def hidden_in(report: LogReport) -> frozenset[Sign]:
    """What a log has no events for: such steps may be taken unseen."""
    deferred = any(pivot.deferred for pivot in report.pivots)
    answered = any(each.request.answered for pivot in report.pivots for each in pivot.intruders)
    intruded = any(pivot.intruders for pivot in report.pivots)
    return frozenset({*([] if deferred else [Sign.DEFER]), *([] if answered or not intruded else [Sign.ANSWER])})


def against(report: LogReport, revision: Revision, scenario: Scenario) -> Iterator[HeldWindow]:
    """Each switch of a log and a code base; windows that look alike are searched once. What a budget ends is unknown."""
    hidden, known = hidden_in(report), dict[tuple[Sign, ...], Validation]()
    for pivot in report.pivots:
        observed = observed_in(pivot)
        if reason := _untried(pivot, observed):
            yield HeldWindow(pivot, CodeBase(revision, scenario), None, reason)
            continue
        code_base = CodeBase(revision, _with_writes(scenario, requests_in(observed)))
        key = (unseen(pivot), *(each.what for each in observed))
        if key not in known:
            known[key] = _validated(code_base, observed, hidden | {unseen(pivot)})
        found = replace(known[key], observed=observed)
        reason = (
            f"{found.stopped}: more time (--timeout) or memory (--max-memory) may decide it" if found.stopped else ""
        )
        yield HeldWindow(pivot, code_base, found, reason)


def _untried(pivot: Pivot, observed: Sequence[Observed]) -> str:
    """Why a window cannot be held against a model, "" if it can."""
    if pivot.opened is None:
        return "its beginning, (w), is not in the log: begin the log before block-job-complete"
    if (writes := requests_in(observed)) > MOST_WRITES:
        return (
            f"{counted(writes, 'write')} enter in it, and a model has at most {MOST_WRITES}: "
            "`parametric` decides the drain invariant for any number of writes"
        )
    return ""


def _validated(code_base: CodeBase, observed: Sequence[Observed], hidden: frozenset[Sign]) -> Validation:
    try:
        system = code_base.system()
    except OutOfBudget as error:
        return Validation(tuple(observed), stopped=str(error))
    return validate(system, observed, hidden, requests_of(system))


def requests_of(system: TransitionSystem) -> list[list[Variable]]:
    """The variables of each request, in the same order; none where requests differ in what they have."""
    found: dict[str, dict[str, Variable]] = {}
    for variable in system.variables:
        if match := _OF_REQUEST.search(str(variable)):
            found.setdefault(match[1], {})[_OF_REQUEST.sub("", str(variable))] = variable
    kinds = {tuple(each) for each in found.values()}
    return [list(each.values()) for each in found.values()] if len(kinds) == 1 else []


def _with_writes(scenario: Scenario, writes: int) -> Scenario:
    return scenario if writes == 1 else with_sizes(scenario, {"writes": writes})


def bad_run(judged: Iterable[HeldWindow]) -> tuple[HeldWindow, Run] | None:
    """The run of the worst switch that violates something, carried on until it does: of those that are as bad the one that lost most."""
    found = [
        (each, run)
        for each in judged
        if each.validation and each.validation.run
        for run in _violating(each.code_base, each.validation.run)
    ]
    if not found:
        return None
    return min(found, key=lambda pair: (rank(pair[1].trace.property), -len(pair[0].pivot.lost)))


def _violating(code_base: CodeBase, run: Run) -> Iterator[Run]:
    """The run, a few steps further if need be, as evidence of the worst property that it violates."""
    items = sorted((item for item in run.system.properties if matters(item.name)), key=lambda item: rank(item.name))
    for longer in _longer(run):
        for item in items:
            named = Run(longer.system, replace(longer.trace, property=item.name), longer.steps)
            if shows(named, item):
                yield named
                return


def _longer(run: Run) -> Iterator[Run]:
    """The run, and carried on by whoever took the last step."""
    yield run
    system = run.system
    process = system.actions[run.trace.actions[-1]].process
    for _ in range(FURTHER):
        state = run.states[-1]
        able = [
            action.index
            for action in system.actions
            if action.process == process and system.holds(action.guard, state) and system.fault(state, action) is None
        ]
        if not able:
            return
        run = Run.of(system, replace(run.trace, actions=(*run.trace.actions, able[0])))
        yield run


def shown_in_words(observed: Sequence[Observed], number: int) -> str:
    """What stands at a place of a log's window."""
    return observed[number].what.value if number < len(observed) else "its end"

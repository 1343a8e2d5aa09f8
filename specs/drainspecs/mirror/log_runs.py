"""Windows of a log and QEMU's code bases: whether a window is a run of one with as many writes, and which runs it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from draincheck.qemu import Scenario
from draincheck.qemulog.pivot import LogReport, Pivot
from draincheck.qemulog.validation import Observed, Sign, Validation, observed_in, requests_in, validate
from draincheck.revisions import Revision
from draincheck.run import Run
from draincheck.semantics.violation import shows
from drainspecs.mirror.code_base import CodeBase
from drainspecs.mirror.impact import matters, rank
from drainspecs.mirror.scenarios import with_sizes

__all__ = ["MOST_WRITES", "HeldWindow", "against", "bad_run", "hidden_in"]

#: writes in one window: a model of more takes too long
MOST_WRITES = 8
#: steps behind the last event of a log until a property is violated
FURTHER = 12


class HeldWindow(Struct, frozen=True):
    """A switch held against a code base; no validation where the window has too many writes, or its beginning is not in the log."""

    pivot: Pivot
    code_base: CodeBase
    validation: Validation | None


def hidden_in(report: LogReport) -> frozenset[Sign]:
    """What a log has no events for: such steps may be taken unseen."""
    deferred = any(pivot.deferred for pivot in report.pivots)
    answered = any(each.request.answered for pivot in report.pivots for each in pivot.intruders)
    intruded = any(pivot.intruders for pivot in report.pivots)
    return frozenset({*([] if deferred else [Sign.DEFER]), *([] if answered or not intruded else [Sign.ANSWER])})


def against(report: LogReport, revision: Revision, scenario: Scenario) -> Iterator[HeldWindow]:
    """Each switch of a log and a code base; windows that look alike are searched once. Raises OutOfBudget."""
    hidden, known = hidden_in(report), dict[tuple[Sign, ...], Validation]()
    for pivot in report.pivots:
        observed = observed_in(pivot)
        if pivot.opened is None or requests_in(observed) > MOST_WRITES:
            yield HeldWindow(pivot, CodeBase(revision, scenario), None)
            continue
        code_base = CodeBase(revision, _with_writes(scenario, requests_in(observed)))
        key = tuple(each.what for each in observed)
        if key not in known:
            known[key] = validate(code_base.system(), observed, hidden)
        yield HeldWindow(pivot, code_base, replace(known[key], observed=observed))


def _with_writes(scenario: Scenario, writes: int) -> Scenario:
    return scenario if writes == 1 else with_sizes(scenario, {"writes": writes})


def bad_run(judged: Iterable[HeldWindow]) -> tuple[HeldWindow, Run] | None:
    """The run of the worst switch that violates something, carried on until it does."""
    found = [
        (each, run)
        for each in judged
        if each.validation and each.validation.run
        for run in _violating(each.code_base, each.validation.run)
    ]
    if not found:
        return None
    return min(found, key=lambda pair: rank(pair[1].trace.property))


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

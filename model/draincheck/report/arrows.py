"""Who lets whom go on, along a trace: control that coroutines are given and give back, and values that one lane leaves for another.

All of it is read from steps, nothing from names. A *hand-over* is a pair of steps in different lanes that change the same variable, the
second because of the first: it could not have been taken, or would not have written the variable, with the value from before the first; or
a test could not, which the same process has made right before it. So a bottom half that is scheduled leads to its dispatch, a kick to its
handler, a lock that is let go of to whoever takes it. A *wakeup* is a step that lets a process go on that could do nothing before it, where
no hand-over says so already.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from itertools import pairwise

from msgspec import Struct

from draincheck.expr import variables_of
from draincheck.report.calls import CallEvent
from draincheck.run import Run, Step
from draincheck.system import Action, State, Variable

__all__ = ["Arrow", "ArrowKind", "arrows_of"]


class ArrowKind(Enum):
    """What an arrow stands for."""

    ENTER = "enters"
    BACK = "gives control back"
    HANDOVER = "hands over"
    WAKEUP = "wakes"


class Arrow(Struct, frozen=True):
    """From one step to a later one.

    Attributes:
        start: the number of the step that it leaves.
        end: the number of the step that it leads to.
        what: the coroutine that is entered or gives control back; else the variables.
    """

    kind: ArrowKind
    start: int
    end: int
    what: tuple[str, ...]


def arrows_of(run: Run, events: Sequence[CallEvent], lanes: Sequence[object]) -> tuple[Arrow, ...]:
    """All arrows of a run, by the steps that they leave; `lanes` has for each step the lane that it stands in."""
    steps = _Steps(run)
    control = [*_entered(steps, events), *_given_back(steps, events)]
    handed = list(_handed_over(run, lanes))
    woken = _woken(steps, {(arrow.start, arrow.end) for arrow in control}, handed)
    return tuple(sorted([*control, *handed, *woken], key=lambda arrow: (arrow.start, arrow.end, arrow.kind.value)))


class _Steps:
    """The steps of a run, by who takes them."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.numbers: dict[str, list[int]] = {}
        for number, step in enumerate(run.steps, 1):
            self.numbers.setdefault(_action(run, step).process, []).append(number)

    def next(self, process: str, after: int) -> int:
        """The number of the process's first step behind one; 0 if there is none."""
        mine = self.numbers.get(process, [])
        place = bisect_right(mine, after)
        return mine[place] if place < len(mine) else 0


# -- control ---------------------------------------------------------------------------------------


def _entered(steps: _Steps, events: Iterable[CallEvent]) -> Iterator[Arrow]:
    for event in events:
        coroutine = event.part.enters
        if coroutine and (there := steps.next(coroutine, event.step)):
            yield Arrow(ArrowKind.ENTER, event.step, there, (coroutine,))


def _given_back(steps: _Steps, events: Iterable[CallEvent]) -> Iterator[Arrow]:
    """A coroutine that ran before a step of its own and does not run behind it has given control back to whoever entered it last."""
    system = steps.run.system
    tokens = {item.process: system.position[item.token] for item in system.controls if item.token is not None}
    enterers = {event.step: event for event in events if event.part.enters}
    entered_by: dict[str, str] = {}
    for number, step in enumerate(steps.run.steps, 1):
        process = _action(steps.run, step).process
        token = tokens.get(process)
        if token is not None and step.before[token] and not step.after[token]:
            there = steps.next(entered_by[process], number) if process in entered_by else 0
            if there:
                yield Arrow(ArrowKind.BACK, number, there, (process,))
        if number in enterers:
            entered_by[enterers[number].part.enters] = process


def _action(run: Run, step: Step) -> Action:
    return run.system.actions[step.action]


# -- values ----------------------------------------------------------------------------------------


def _handed_over(run: Run, lanes: Sequence[object]) -> Iterator[Arrow]:
    """Hand-overs, those between the same two steps as one."""
    found: dict[tuple[int, int], list[str]] = {}
    for place, variable in enumerate(run.system.variables):
        writers = [n for n, step in enumerate(run.steps, 1) if step.before[place] != step.after[place]]
        for one, other in () if variable.internal else pairwise(writers):
            old = run.steps[one - 1].before[place]
            if lanes[one - 1] != lanes[other - 1] and _takes_up(run, one, other, place, old):
                found.setdefault((one, other), []).append(variable.name)
    yield from (Arrow(ArrowKind.HANDOVER, *steps, tuple(names)) for steps, names in found.items())


def _takes_up(run: Run, one: int, other: int, place: int, old: int) -> bool:
    """Whether a step that changes the variable at a place needs that the step before it that does has not left the old value."""
    return any(_needs(run, step, place, old) for step in _with_its_tests(run, one, other))


def _with_its_tests(run: Run, since: int, number: int) -> Iterator[Step]:
    """The step with a number, and before it those of its process that change nothing which is shown, back to the first that does."""
    process = _action(run, run.steps[number - 1]).process
    yield run.steps[number - 1]
    for step in reversed(run.steps[since : number - 1]):
        if _action(run, step).process == process:
            if any(old != new and not v.internal for v, old, new in _values(run, step)):
                return
            yield step


def _needs(run: Run, step: Step, place: int, old: int) -> bool:
    """Whether a step could not have been taken, or would not have written the variable at a place, with an older value of it."""
    system, action = run.system, _action(run, step)
    before = _with(step.before, place, old)
    if not system.holds(action.guard, before):
        return True
    name = system.variables[place].name
    writing = [part.when for part in action.parts if name in part.writes and system.holds(part.when, step.before)]
    return bool(writing) and not any(system.holds(when, before) for when in writing)


def _values(run: Run, step: Step) -> Iterator[tuple[Variable, int, int]]:
    return zip(run.system.variables, step.before, step.after, strict=True)


def _with(state: State, place: int, value: int) -> State:
    return (*state[:place], value, *state[place + 1 :])


def _woken(steps: _Steps, control: set[tuple[int, int]], handed: Iterable[Arrow]) -> Iterator[Arrow]:
    """Wakeups that neither control that is given nor a hand-over explains."""
    run = steps.run
    told = {(arrow.start, _action(run, run.steps[arrow.end - 1]).process) for arrow in handed}
    processes = dict.fromkeys(action.process for action in run.system.actions)
    for number, step in enumerate(run.steps, 1):
        for process in processes:
            there = steps.next(process, number)
            if not there or (number, process) in told or (number, there) in control:
                continue
            if _action(run, step).process != process and (names := _lets_go_on(run, step, run.steps[there - 1])):
                yield Arrow(ArrowKind.WAKEUP, number, there, names)


def _lets_go_on(run: Run, step: Step, following: Step) -> tuple[str, ...]:
    """The variables by which a step lets the next one of another process be taken, which could do nothing before; none if it does not."""
    system, action = run.system, _action(run, following)
    if not system.holds(action.guard, step.after):
        return ()
    mine = (other for other in system.actions if other.process == action.process)
    if any(system.holds(other.guard, step.before) for other in mine):
        return ()
    read = variables_of(action.guard)
    return tuple(v.name for v, old, new in _values(run, step) if old != new and v in read and not v.internal)

"""A run made smaller by leaving out steps and moving others together, as long as it shows the same: delta debugging.

That takes no graph, and finds no smallest run: what is left is one from which no piece of any size that was tried can be left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TypeAlias

from msgspec.structs import replace

from draincheck.analysis.manner import Manner
from draincheck.analysis.switches import Threads, cost_of
from draincheck.budget import look
from draincheck.errors import OutOfBudget
from draincheck.properties import Always, Assertion, Property, Reachable
from draincheck.reason import StopKind
from draincheck.run import Run, Step
from draincheck.system import State, TransitionSystem

__all__ = ["cut_to_what_shows", "made_smaller"]

#: the actions of a run, and for a loop how many come before it
_Actions: TypeAlias = tuple[Sequence[int], int | None]


def cut_to_what_shows(run: Run, item: Property) -> Run | None:
    """The run up to where it shows a property for the first time, as far as states and steps say so; None if they do not."""
    if run.trace.loop is not None:
        return None
    places = (number for number in range(len(run.steps) + 1) if _shows(_upto(run, number), item))
    number = next(places, None)
    return None if number is None else _upto(run, number)


def made_smaller(run: Run, manner: Manner) -> Run:
    """What is left of a run that shows a property in this manner; when time or memory are spent, what is left then.

    Raises OutOfBudget only where somebody did not want to wait.
    """
    found = _Smaller(run, manner)
    try:
        while found.shorter() or found.merged():
            pass
    except OutOfBudget as end:
        if end.stop.kind is StopKind.REQUEST:
            raise
    return found.best


def _upto(run: Run, number: int) -> Run:
    """The first steps of a run."""
    trace, steps = run.trace, run.steps[:number]
    made = replace(trace, actions=trace.actions[:number], loop=None)
    return Run(run.system, made, steps)


def _shows(run: Run, item: Property) -> bool:
    """Whether the last state or step of a run shows a property, of those that are seen there at once."""
    match item:
        case Always(holds=condition):
            return not run.system.holds(condition, run.states[-1])
        case Reachable(goal=condition):
            return run.system.holds(condition, run.states[-1])
        case Assertion():
            return bool(run.steps) and item.name in run.steps[-1].broken
        case _:
            return False


class _Smaller:
    """The smallest run so far, and attempts to make it smaller."""

    def __init__(self, run: Run, manner: Manner) -> None:
        self.best, self._cost, self._manner = run, cost_of(run), manner
        self._threads, self._steps = Threads(run.system), _Steps(run.system)

    def shorter(self) -> bool:
        """Leave out pieces, half of all steps at first, single ones at last; True if that was of use."""
        size, before = len(self.best.steps), self._cost
        while size := size // 2:
            self._leave_out(size)
        return self._cost < before

    def _leave_out(self, size: int) -> None:
        start = 0
        while start < len(self.best.steps):
            if not self._try(_without(self.best.trace.actions, self.best.trace.loop, start, start + size)):
                start += size

    def merged(self) -> bool:
        """Move what a thread does to where it was at work before, or that to here: the first such move that is of use, if there is one."""
        if self.best.trace.loop is not None:
            return False
        return any(self._try((actions, None)) for actions in _moves(self._turns()))

    def _turns(self) -> list[tuple[str, list[int]]]:
        """The run as turns: a thread, and the actions that it takes until another one goes on."""
        threads = self._threads.along(self.best)
        pairs = zip(threads, self.best.trace.actions, strict=True)
        return [(thread, [action for _, action in turn]) for thread, turn in groupby(pairs, lambda pair: pair[0])]

    def _try(self, actions: _Actions) -> bool:
        """Take those actions that can be taken; if that shows the same, and costs less, it is the best so far."""
        look()
        run = self._taken(*actions)
        if run is None or cost_of(run) >= self._cost or not self._manner.is_shown(run):
            return False
        self.best, self._cost = run, cost_of(run)
        return True

    def _taken(self, actions: Sequence[int], loop: int | None) -> Run | None:
        """The run that takes what can be taken of some actions, up to where it shows the property; None if its loop does not close."""
        state, steps, start = self.best.trace.initial, list[Step](), loop
        for number, index in enumerate(actions):
            if number == loop:
                start = len(steps)
            step = self._steps.of(state, index)
            if step is not None:
                steps.append(step)
                state = step.after
                if loop is None and self._ends(step):
                    break
        if start is not None and not (start < len(steps) and steps[start].before == state):
            return None
        return self._run(steps, start)

    def _ends(self, step: Step) -> bool:
        """Whether a step shows at once what is looked for."""
        made = self._run([step], None)
        return _shows(made, self._manner.item) and self._manner.is_shown(made)

    def _run(self, steps: Sequence[Step], loop: int | None) -> Run:
        trace, initial = self.best.trace, steps[0].before if steps else self.best.trace.initial
        actions = tuple(step.action for step in steps)
        made = replace(trace, initial=initial, actions=actions, loop=loop)
        return Run(self.best.system, made, tuple(steps))


class _Steps:
    """Steps of a system, each executed once."""

    def __init__(self, system: TransitionSystem) -> None:
        self._system = system
        self._known: dict[tuple[State, int], Step | None] = {}

    def of(self, state: State, index: int) -> Step | None:
        """The step that an action is in a state; None where it cannot be taken."""
        if (state, index) not in self._known:
            self._known[state, index] = self._executed(state, index)
        return self._known[state, index]

    def _executed(self, state: State, index: int) -> Step | None:
        system, action = self._system, self._system.actions[index]
        if not system.holds(action.guard, state) or system.fault(state, action) is not None:
            return None
        return Step(index, state, system.step(state, action), system.broken_checks(state, action))


def _without(actions: Sequence[int], loop: int | None, start: int, end: int) -> _Actions:
    """Actions without those from one place to another."""
    left = [*actions[:start], *actions[end:]]
    return left, None if loop is None else loop - len(range(start, min(end, loop)))


def _moves(turns: Sequence[tuple[str, list[int]]]) -> Iterator[list[int]]:
    """The actions in other orders: each turn right behind the one that its thread had before, and that one right before it."""
    for late, (thread, _) in enumerate(turns):
        early = next((n for n in range(late - 2, -1, -1) if turns[n][0] == thread), None)
        if early is not None:
            one, between, other = turns[early], turns[early + 1 : late], turns[late]
            for middle in ([one, other, *between], [*between, one, other]):
                yield [a for _, turn in (*turns[:early], *middle, *turns[late + 1 :]) for a in turn]

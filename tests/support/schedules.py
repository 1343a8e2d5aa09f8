"""All runs that take some steps by name, tried one by one: what schedules are held against."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from draincheck.analysis.confirmed import confirmed
from draincheck.properties import Property
from draincheck.run import Run, Trace, label_of
from draincheck.schedule import Schedule
from draincheck.system import Action, State, TransitionSystem

__all__ = ["followed", "runs", "showing"]


def _sound(system: TransitionSystem, state: State) -> list[Action]:
    return [action for action in system.enabled(state) if system.fault(state, action) is None]


def beginnings(schedule: Schedule, system: TransitionSystem) -> list[State]:
    """The initial states with the values that the schedule names."""
    return [state for state in system.initial if schedule.start.items() <= system.decoded(state).items()]


def _is(system: TransitionSystem, action: Action, state: State, name: Sequence[str]) -> bool:
    return (action.process, label_of(system, action, state)) == tuple(name)


def followed(schedule: Schedule, system: TransitionSystem) -> int:
    """How many of the steps some run can take, the first first."""
    states = set(beginnings(schedule, system))
    for number, name in enumerate(schedule.steps):
        states = {system.step(s, a) for s in states for a in _sound(system, s) if _is(system, a, s, name)}
        if not states:
            return number
    return len(schedule.steps)


def runs(schedule: Schedule, system: TransitionSystem, strays: int = 0) -> Iterator[Run]:
    """Each run that takes all of the steps, and up to so many others of the process that is next before each of them."""
    for initial in beginnings(schedule, system):
        yield from _Tried(schedule, system, strays, initial).onward([], [initial], 0, strays, None)


class _Tried:
    """All runs from a state."""

    def __init__(self, schedule: Schedule, system: TransitionSystem, strays: int, initial: State) -> None:
        self.schedule, self.system, self.strays, self.initial = schedule, system, strays, initial

    def onward(self, actions: list[int], path: list[State], number: int, left: int, loop: int | None) -> Iterator[Run]:
        """Those that have come along a path by some actions, and take the step of this number next."""
        if number == self.schedule.loop and loop is None:
            loop = len(actions)
        if number == len(self.schedule.steps):
            yield from self.ended(actions, path, loop)
            return
        name, state = self.schedule.steps[number], path[-1]
        for action in _sound(self.system, state):
            after, taken = self.system.step(state, action), [*actions, action.index]
            if _is(self.system, action, state, name):
                yield from self.onward(taken, [*path, after], number + 1, self.strays, loop)
            elif left and loop is None and action.process == name[0]:
                yield from self.onward(taken, [*path, after], number, left - 1, loop)

    def ended(self, actions: list[int], path: list[State], loop: int | None) -> Iterator[Run]:
        """The run, if its loop closes."""
        if loop is None or (loop < len(actions) and path[loop] == path[-1]):
            system = self.system
            made = Trace(system.name, system.digest, self.schedule.property, self.initial, tuple(actions), loop)
            yield Run.of(system, made)


def showing(schedule: Schedule, system: TransitionSystem, item: Property, strays: int = 0) -> bool:
    """Whether one of these runs shows a property."""
    return any(confirmed(run, item) for run in runs(schedule, system, strays))

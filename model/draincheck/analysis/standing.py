"""Where the processes of a system stand in a state: in which calls, at which place of which line, and what can still come from there.

A compiled model says so by itself (`TransitionSystem.controls`). Of a system made by hand the actions say what they can: their processes,
and a place for each value of a program counter.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from enum import Enum
from itertools import takewhile
from typing import Final, TypeAlias

from msgspec import Struct

from draincheck import op
from draincheck.errors import SourceLine
from draincheck.expr import TRUE, Expr, variables_of
from draincheck.system import Action, Control, Frame, IntVar, Place, State, TransitionSystem

__all__ = ["ControlMap", "Posture", "Stand"]

_NOWHERE: Final = Place((), (), None, "", "", TRUE, False)

_Calls: TypeAlias = tuple[tuple[Frame, ...], SourceLine | None]


class Posture(Enum):
    """How a process stands in a state."""

    RUNNING = "running"
    INSIDE = "waits for a coroutine to give control back"
    PARKED = "parked"
    ENDED = "ended"


class Stand(Struct, frozen=True):
    """A process in a state.

    Attributes:
        process: its name.
        posture: whether it runs, waits inside `enter`, is a coroutine that has given control up (or not begun), or has ended.
        stack: the calls it stands in, outermost first; of a coroutine that runs those of whoever has entered it come first.
        places: what the model calls the place.
        line: where it stands in the model's source; None if no step tells.
        awaits: the coroutine that it stands in `enter` for, or "".
        thread: the process on whose stack it runs; itself for a thread, and for a coroutine that does not run.
    """

    process: str
    posture: Posture
    stack: tuple[str, ...]
    places: tuple[str, ...]
    line: SourceLine | None
    awaits: str
    thread: str


class ControlMap:
    """The places of all processes of a system, and the actions that lead from one to another."""

    def __init__(self, system: TransitionSystem) -> None:
        self.system = system
        self._controls = {item.process: item for item in system.controls or _told_by_actions(system)}
        self._actions: dict[str, list[Action]] = {name: [] for name in self._controls}
        self._leaving: dict[tuple[str, int | None], list[Action]] = {}
        for action in system.actions:
            self._actions[action.process].append(action)
            self._leaving.setdefault((action.process, action.location), []).append(action)

    @property
    def processes(self) -> tuple[str, ...]:
        """Their names, in the model's order."""
        return tuple(self._controls)

    @property
    def reads(self) -> set[Expr]:
        """The variables by which a state says where processes stand."""
        return self.read_of(self._controls)

    def read_of(self, processes: Iterable[str]) -> set[Expr]:
        """The same, of some processes."""
        controls = [self._controls[process] for process in processes]
        counters = [control.counter for control in controls if control.counter is not None]
        tokens = [control.token for control in controls if control.token is not None]
        backs = [place.back for control in controls for place in control.places]
        return variables_of(*counters, *tokens, *backs)

    def may_stop(self, process: str) -> bool:
        """Whether the model says that a process may stop for ever."""
        return self._controls[process].may_stop

    def number(self, process: str, state: State) -> int:
        """The number of the place at which a process stands."""
        counter = self._controls[process].counter
        return 0 if counter is None else state[self.system.position[counter]]

    def leaving(self, process: str, number: int) -> list[Action]:
        """The actions that begin at a place."""
        return [*self._leaving.get((process, None), ()), *self._leaving.get((process, number), ())]

    def able(self, state: State) -> Iterator[Action]:
        """The actions that a state enables, process by process."""
        for process in self._controls:
            for action in self.leaving(process, self.number(process, state)):
                if self.system.holds(action.guard, state):
                    yield action

    def ahead(self, process: str, number: int, able: Collection[int]) -> set[int]:
        """The indices of the actions to which control can come from a place by actions that are `able`."""
        seen, todo = {number}, [number]
        while todo:
            for action in self.leaving(process, todo.pop()):
                new = self.targets(action) - seen if action.index in able else set[int]()
                seen |= new
                todo += new
        return {action.index for place in seen for action in self.leaving(process, place)}

    def targets(self, action: Action) -> set[int]:
        """The numbers of the places at which control may be after an action."""
        counter = self._controls[action.process].counter
        value = next((update.value for update in action.updates if update.variable is counter), None)
        if counter is None or (value is None and action.location is None):
            return {0}
        if value is None:
            return {action.location or 0}
        return {value.value} if value.op is op.CONST else set(range(counter.sort.low, counter.sort.high + 1))

    def entering(self, coroutine: str) -> frozenset[int]:
        """The indices of the actions that enter a coroutine."""
        return frozenset(a.index for a in self.system.actions if any(part.enters == coroutine for part in a.parts))

    # -- in a state -----------------------------------------------------------------------------------------------------------

    def stands(self, state: State, processes: Iterable[str] | None = None) -> dict[str, Stand]:
        """All processes in a state, or some, in the model's order."""
        return {
            process: self._stand(process, state) for process in (self._controls if processes is None else processes)
        }

    def _stand(self, process: str, state: State) -> Stand:
        place, posture = self._place(process, state), self._posture(process, state)
        caller = self._caller(process, state)
        below = None if caller is None else self._stand(caller, state)
        inside = posture is Posture.INSIDE
        frames, line = self._calls(process, self.number(process, state), place, posture)
        return Stand(
            process,
            posture,
            (() if below is None else below.stack) + tuple(frame.function for frame in frames),
            ((place.inside,) if place.inside else ()) if inside else _telling(place.names),
            line,
            place.awaits if inside else "",
            process if below is None else below.thread,
        )

    def _calls(self, process: str, number: int, place: Place, posture: Posture) -> _Calls:
        """The calls of a place, and its line: of who has given up control, those of the step that has led there."""
        if posture is Posture.ENDED:
            return (), None
        if posture in (Posture.INSIDE, Posture.PARKED):
            arriving = (action for action in self._actions[process] if number in self.targets(action) and action.parts)
            return next(((action.parts[-1].frames, action.parts[-1].line) for action in arriving), ((), place.line))
        leaving = [action.parts[0] for action in self.leaving(process, number) if action.parts]
        if place.line is not None or not leaving:
            return place.frames, place.line
        return _common(part.frames for part in leaving), leaving[0].line

    def _place(self, process: str, state: State) -> Place:
        places = self._controls[process].places
        return places[self.number(process, state)] if places else _NOWHERE

    def _posture(self, process: str, state: State) -> Posture:
        place, token = self._place(process, state), self._controls[process].token
        if not self.system.holds(place.back, state):  # also where nothing is left to do after that
            return Posture.INSIDE
        if place.ended or not self.leaving(process, self.number(process, state)):
            return Posture.ENDED
        if token is not None and not self.system.holds(token, state):
            return Posture.PARKED
        return Posture.RUNNING

    def _caller(self, process: str, state: State) -> str | None:
        """The process that has entered a coroutine which runs; None for a thread, and for one that does not run."""
        if self._controls[process].token is None or self._posture(process, state) in (Posture.PARKED, Posture.ENDED):
            return None
        inside = (other for other in self._controls if self._place(other, state).awaits == process)
        return next((other for other in inside if self._posture(other, state) is Posture.INSIDE), None)


def _told_by_actions(system: TransitionSystem) -> Iterator[Control]:
    counters = {v.counts: v for v in system.variables if isinstance(v, IntVar) and v.counts}
    for process in dict.fromkeys(action.process for action in system.actions):
        yield Control(process, counters.get(process), None, ())


def _telling(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names of a place, without that of a coroutine's start if there are others."""
    return tuple(name for name in names if name != "(start)") or names


def _common(stacks: Iterable[tuple[Frame, ...]]) -> tuple[Frame, ...]:
    """The outermost calls that all have in common."""
    found = list(stacks)
    shared = takewhile(lambda frames: len(set(frames)) == 1, zip(*found, strict=False))
    return tuple(frames[0] for frames in shared)

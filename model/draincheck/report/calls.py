"""A trace replayed as calls: which part took place when, on which call stack, and what it changed.

`Part.frames` says where a step stands within its own process. Two things are known only along a trace and are found
here: whether a frame is the same call as before or a new one of the same function, and the stack under which a
coroutine runs, which is the stack of whoever entered it last.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import takewhile

from msgspec import Struct

from draincheck.expr import TRUE
from draincheck.run import Run, Step
from draincheck.sorts import Value
from draincheck.system import Action, Frame, Part, State, TransitionSystem

__all__ = ["Call", "CallEvent", "Change", "events_of"]


class Call(Struct, frozen=True, eq=False):
    """One call of a function; compared by identity, because a second call of the same function is another call.

    Attributes:
        frame: the frame as the model names it.
        number: for a numbered frame, the how-manieth call of it by its process; None before anything took place inside.
    """

    frame: Frame
    number: int | None = None

    def __str__(self) -> str:
        return f"{self.frame} {self.number}" if self.number else str(self.frame)


class Change(Struct, frozen=True):
    """A variable that got a new value."""

    name: str
    old: Value
    new: Value


class CallEvent(Struct, frozen=True):
    """A part of an action that took place.

    Attributes:
        step: the number of its step in the trace, from 1.
        process: the process that did it.
        thread: the process on whose stack it ran and which nobody entered; `process` itself if it is no coroutine.
        stack: the calls it stands in, outermost first, those of the callers of its coroutine included.
        part: what was done; without a label, control merely passes on.
        changes: what it changed, without internal variables and without what a later part of the step writes.
        framed: whether its process ever stands in a call; a guest or a disk does not.
    """

    step: int
    process: str
    thread: str
    stack: tuple[Call, ...]
    part: Part
    changes: tuple[Change, ...]
    framed: bool

    @property
    def shown(self) -> bool:
        """Whether there is anything to say about it."""
        return bool(self.part.label or self.part.mark or self.changes)

    @property
    def aside(self) -> bool:
        """Whether it belongs to the surroundings: its process neither stands in a call nor is entered from one."""
        return not self.framed and self.thread == self.process

    @property
    def iteration(self) -> int:
        """The number of the outermost numbered call around it, 0 if there is none."""
        return next((call.number for call in self.stack if call.number), 0)


def events_of(run: Run) -> tuple[CallEvent, ...]:
    """All parts that took place along a run, in order."""
    replay = _Replay(run.system)
    return tuple(event for number, step in enumerate(run.steps, 1) for event in replay.step(number, step))


class _Replay:
    """The calls open in each process, and where each coroutine was entered from."""

    def __init__(self, system: TransitionSystem) -> None:
        self.system = system
        self.framed = {action.process for action in system.actions if any(part.frames for part in action.parts)}
        self.open: dict[str, tuple[Call, ...]] = {}
        self.entered_from: dict[str, tuple[str, tuple[Call, ...]]] = {}
        self.counts: Counter[tuple[str, Frame]] = Counter()

    def step(self, number: int, step: Step) -> Iterator[CallEvent]:
        """The events of one step. Skipped parts are followed too: later ones may stand in the calls they open."""
        action = self.system.actions[step.action]
        parts = action.parts or (self._nameless(action),)
        taken = [self.system.holds(part.when, step.before) for part in parts]
        shown = [part for part, took_place in zip(parts, taken, strict=True) if took_place]
        changes = _attributed(self._changes(step.before, step.after), shown)
        for part, took_place in zip(parts, taken, strict=True):
            self._stand(action.process, part)
            if took_place:
                yield self._event(number, action.process, part, next(changes))

    def _changes(self, before: State, after: State) -> list[Change]:
        rows = zip(self.system.variables, before, after, strict=True)
        return [
            Change(v.name, v.sort.decode(old), v.sort.decode(new))
            for v, old, new in rows
            if old != new and not v.internal
        ]

    def _stand(self, process: str, part: Part) -> None:
        """Keep the calls the part says were open before, as far as they are; the rest is called anew."""
        pairs = zip(self.open.get(process, ())[: part.opens], part.frames, strict=False)
        kept = tuple(call for call, _ in takewhile(lambda pair: pair[0].frame == pair[1], pairs))
        self.open[process] = kept + tuple(Call(frame) for frame in part.frames[len(kept) :])

    def _event(self, number: int, process: str, part: Part, changes: tuple[Change, ...]) -> CallEvent:
        self.open[process] = own = tuple(self._numbered(process, call) for call in self.open[process])
        thread, below = self.entered_from.get(process, (process, ()))
        stack = below + own
        if part.enters:
            self.entered_from[part.enters] = (thread, stack)
        return CallEvent(number, process, thread, stack, part, changes, process in self.framed)

    def _nameless(self, action: Action) -> Part:
        """The part an action without parts is taken for: where its process stands, with the credit for all its updates."""
        frames = tuple(call.frame for call in self.open.get(action.process, ()))
        writes = tuple(update.variable.name for update in action.updates)
        return Part("", frames, len(frames), "", action.line, TRUE, writes)

    def _numbered(self, process: str, call: Call) -> Call:
        """Count a numbered call when the first thing takes place in it: one that was skipped has no number."""
        if call.number or not call.frame.numbered:
            return call
        self.counts[process, call.frame] += 1
        return Call(call.frame, self.counts[process, call.frame])


def _attributed(changes: Iterable[Change], parts: list[Part]) -> Iterator[tuple[Change, ...]]:
    """For each part what it changed: a change belongs to the last part that says it writes the variable, or to none."""
    owner = {name: place for place, part in enumerate(parts) for name in part.writes}
    of_part: list[list[Change]] = [[] for _ in parts]
    for change in changes:
        if change.name in owner:
            of_part[owner[change.name]].append(change)
    return map(tuple, of_part)

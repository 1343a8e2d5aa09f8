"""A trace in lanes: the one home of how a trace is drawn, whichever format draws it.

Lanes come from the model, none by its name:

* a process that never stands in a call, where others do, is of the *outside* (a guest, a disk, a clock);
* any other is a *thread*, or a *coroutine* if somebody enters it;
* a thread that dispatches in a loop has a lane of its own for each *context*: where a call `f (object)` stands inside a numbered one, its
  caller is a dispatcher, and whatever that calls directly is a context: the object, or the function where there is none.

From left to right stand the outside that acts of itself, the threads in the order in which they first act (each with its contexts and the
coroutines that it was the first to enter), and the outside that acts only because of them: arrows are short so.

A *window* is a span of steps to look at. Where it opens and closes is said by the truth values that `About.windows` names; where they are
missing in a model, by its marks: the shortest stretch up to the last marked step that has every letter of the trace. (From the first to
the last would begin too soon where something marked also happens long before, as a request that is harmless there.)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from itertools import groupby
from typing import Final

from msgspec import Struct

from draincheck.properties import NoDeadlock, NoFault, Reachable
from draincheck.report.arrows import Arrow, arrows_of
from draincheck.report.calls import CallEvent, Change, events_of
from draincheck.run import Run
from draincheck.semantics.violation import shows
from draincheck.subject import About
from draincheck.system import Frame, TransitionSystem

__all__ = ["Band", "EndKind", "Lane", "LaneKind", "LanePlaces", "Lanes", "PlacedStep", "TraceEnd", "Window", "lanes_of"]

#: a call of something for an object: `aio_ctx_dispatch (qemu_aio_context)`
_FOR_OBJECT: Final = re.compile(r".+ \((.+)\)", re.DOTALL)


class LaneKind(Enum):
    """What acts in a lane."""

    OUTSIDE = "outside"
    THREAD = "thread"
    CONTEXT = "context"
    COROUTINE = "coroutine"


class Lane(Struct, frozen=True):
    """A column of a drawing.

    Attributes:
        name: of the process, or of the context.
        group: the thread that it belongs to; its own name for a thread and for the outside.
    """

    name: str
    kind: LaneKind
    group: str


class PlacedStep(Struct, frozen=True):
    """A step in its lane.

    Attributes:
        number: its number in the trace, from 1.
        lane: the place of its lane in `Lanes.lanes`.
        events: what took place in it, that of which there is nothing to say included.
        broken: the properties of which it breaks a check.
    """

    number: int
    lane: int
    process: str
    events: tuple[CallEvent, ...]
    broken: tuple[str, ...]

    @property
    def shown(self) -> bool:
        """Whether there is anything to say about it."""
        return any(event.shown for event in self.events)

    @property
    def labels(self) -> tuple[str, ...]:
        """What it does, each once."""
        return tuple(dict.fromkeys(event.part.label for event in self.events if event.part.label))

    @property
    def marks(self) -> tuple[str, ...]:
        """Its letters, each once."""
        return tuple(dict.fromkeys(event.part.mark for event in self.events if event.part.mark))

    @property
    def changes(self) -> tuple[Change, ...]:
        """What it changed."""
        return tuple(change for event in self.events for change in event.changes)

    @property
    def iteration(self) -> str:
        """The outermost numbered call around it (`main_loop_wait # 3`), "" if there is none."""
        return next((str(call) for event in self.events for call in event.stack if call.number), "")


class Band(Struct, frozen=True):
    """A round of a thread's loop: the steps from its first to its last, with whoever interrupts it.

    Attributes:
        name: the numbered call, as in `PlacedStep.iteration`.
        group: the thread.
    """

    name: str
    group: str
    first: int
    last: int


class Window(Struct, frozen=True):
    """Steps to shade, both ends included, and what they are called."""

    name: str
    first: int
    last: int


class EndKind(Enum):
    """How a trace ends."""

    VIOLATED = "violated"
    REACHED = "reached"
    STUCK = "stuck"
    ERROR = "error"
    UNDECIDED = "undecided"
    NOTHING = "nothing"


class TraceEnd(Struct, frozen=True):
    """What a trace shows at its end.

    Attributes:
        name: the property, "" if it is about none.
        meaning: what the property means, where the model says it.
    """

    kind: EndKind
    name: str
    meaning: str = ""

    @property
    def words(self) -> str:
        """In a line."""
        if self.kind is EndKind.NOTHING:
            return "end of the trace"
        if self.kind is EndKind.UNDECIDED:
            return f"does not decide {self.name}"
        return f"{'reached' if self.kind is EndKind.REACHED else 'violated'}: {self.name}"


class Lanes(Struct, frozen=True):
    """A trace in lanes.

    Attributes:
        lanes: those in which something happens, from left to right.
        steps: every step, in order.
        bands: the rounds of loops, by their first steps.
        windows: what to shade, by their first steps.
        arrows: who lets whom go on, by the steps that they leave.
        marks: the letters of the trace in their order, each with what it stands for, "" where nobody says it.
        loop: as in `Trace.loop`.
    """

    lanes: tuple[Lane, ...]
    steps: tuple[PlacedStep, ...]
    bands: tuple[Band, ...]
    windows: tuple[Window, ...]
    arrows: tuple[Arrow, ...]
    marks: Mapping[str, str]
    loop: int | None
    ending: TraceEnd

    @property
    def titles(self) -> tuple[str, ...]:
        """What each lane is called where nothing else says whose it is: a context with its thread, unless that has a lane itself."""
        threads = {lane.name for lane in self.lanes if lane.kind is LaneKind.THREAD}
        alone = (lane.kind is LaneKind.CONTEXT and lane.group not in threads for lane in self.lanes)
        return tuple(
            f"{lane.name} ({lane.group})" if far else lane.name for lane, far in zip(self.lanes, alone, strict=True)
        )


def lanes_of(run: Run, about: About | None = None) -> Lanes:
    """A run in lanes; `about` says what its marks mean, and which truth values are windows."""
    events = events_of(run)
    by_step = {number: tuple(group) for number, group in groupby(events, lambda event: event.step)}
    places = LanePlaces(run.system, events)
    taken = [(run.system.actions[step.action].process, by_step.get(n, ())) for n, step in enumerate(run.steps, 1)]
    where = [places.lane(process, parts) for process, parts in taken]
    arrows = arrows_of(run, events, where)
    lanes = _ordered(where, arrows)
    rows = enumerate(zip(run.steps, where, taken, strict=True), 1)
    steps = tuple(
        PlacedStep(n, lanes.index(lane), *who, tuple(dict.fromkeys(step.broken))) for n, (step, lane, who) in rows
    )
    said = about or About("", "", "", "")
    return Lanes(
        lanes,
        steps,
        tuple(_bands(events)),
        tuple(_windows(run, steps, said.windows)),
        arrows,
        {letter: said.marks.get(letter, "") for step in steps for letter in step.marks},
        run.trace.loop,
        _ending(run),
    )


# -- lanes -----------------------------------------------------------------------------------------


class LanePlaces:
    """What a system says of who acts where."""

    def __init__(self, system: TransitionSystem, events: Sequence[CallEvent]) -> None:
        parts = [(action.process, part) for action in system.actions for part in action.parts]
        self.coroutines = {part.enters for _, part in parts if part.enters}
        self.dispatchers = {(process, above) for process, part in parts for above in _dispatchers(part.frames)}
        self.calling = {process for process, part in parts if part.frames}
        self.groups: dict[str, str] = {}
        for event in events:
            self.groups.setdefault(event.process, event.thread)

    def lane(self, process: str, events: Sequence[CallEvent]) -> Lane:
        """The lane of a step: where the first of it takes place of which there is something to say."""
        if process in self.coroutines:
            return Lane(process, LaneKind.COROUTINE, self.groups.get(process, process))
        if process not in self.calling and self.calling:
            return Lane(process, LaneKind.OUTSIDE, process)
        event = next((event for event in events if event.shown), next(iter(events), None))
        context = "" if event is None else self._context(process, event.part.frames)
        return Lane(context or process, LaneKind.CONTEXT if context else LaneKind.THREAD, process)

    def _context(self, process: str, frames: Sequence[Frame]) -> str:
        """The context that calls stand in, "" if none."""
        for depth in range(1, len(frames)):
            if (process, tuple(frames[:depth])) in self.dispatchers:
                found = _FOR_OBJECT.fullmatch(frames[depth].function)
                return found[1] if found else frames[depth].function
        return ""


def _dispatchers(frames: Sequence[Frame]) -> Iterator[tuple[Frame, ...]]:
    """The caller of the outermost call for an object that stands inside a numbered one, with its callers."""
    numbered = False
    for depth, frame in enumerate(frames):
        if numbered and _FOR_OBJECT.fullmatch(frame.function):
            yield tuple(frames[:depth])
            return
        numbered = numbered or frame.numbered


def _ordered(where: Sequence[Lane], arrows: Iterable[Arrow]) -> tuple[Lane, ...]:
    """The lanes that somebody acts in, from left to right."""
    first_arrow: dict[Lane, bool] = {}
    for arrow in sorted(arrows, key=lambda arrow: arrow.end):
        first_arrow.setdefault(where[arrow.start - 1], False)
        first_arrow.setdefault(where[arrow.end - 1], True)
    groups = list(dict.fromkeys(lane.group for lane in where))
    kinds = list(LaneKind)

    def place(lane: Lane) -> tuple[int, int, int]:
        outside = lane.kind is LaneKind.OUTSIDE
        side = (2 if first_arrow.get(lane) else 0) if outside else 1
        return side, groups.index(lane.group), kinds.index(lane.kind)

    return tuple(sorted(dict.fromkeys(where), key=place))


# -- spans -----------------------------------------------------------------------------------------


def _bands(events: Iterable[CallEvent]) -> Iterator[Band]:
    """A band for each outermost numbered call."""
    found: dict[object, Band] = {}
    for event in events:
        call = next((call for call in event.stack if call.number), None)
        if call is not None:
            first = found[call].first if call in found else event.step
            found[call] = Band(str(call), event.thread, first, event.step)
    yield from found.values()


def _windows(run: Run, steps: Sequence[PlacedStep], declared: Mapping[str, str]) -> Iterator[Window]:
    names = {variable.name: place for place, variable in enumerate(run.system.variables)}
    known = {name: words for name, words in declared.items() if name in names}
    if not known:
        yield from _between_marks(steps)
    for name, words in known.items():
        yield from _while_true(run, names[name], words)


def _while_true(run: Run, place: int, words: str) -> Iterator[Window]:
    """A window for each time that a truth value is true, from the step that makes it so to the one that ends it."""
    opened = 1 if run.trace.initial[place] else 0
    for number, step in enumerate(run.steps, 1):
        if step.after[place] and not step.before[place]:
            opened = number
        elif step.before[place] and not step.after[place]:
            yield Window(words, opened, number)
            opened = 0
    if opened and run.steps:
        yield Window(words, opened, len(run.steps))


def _between_marks(steps: Iterable[PlacedStep]) -> Iterator[Window]:
    """The shortest stretch up to the last marked step that has every letter; none if there is one letter alone."""
    latest = {letter: step.number for step in steps for letter in step.marks}
    first = min(latest, key=lambda letter: latest[letter], default="")
    last = max(latest, key=lambda letter: latest[letter], default="")
    if first != last and latest[first] < latest[last]:
        yield Window(f"from ({first}) to ({last})", latest[first], latest[last])


# -- the end ---------------------------------------------------------------------------------------


def _ending(run: Run) -> TraceEnd:
    if not run.trace.property:
        return TraceEnd(EndKind.NOTHING, "")
    item = run.system.property_named(run.trace.property)
    kind = EndKind.VIOLATED
    if not shows(run, item):
        kind = EndKind.UNDECIDED
    elif isinstance(item, Reachable):
        kind = EndKind.REACHED
    elif isinstance(item, NoDeadlock):
        kind = EndKind.STUCK
    elif isinstance(item, NoFault):
        kind = EndKind.ERROR
    return TraceEnd(kind, item.name, item.meaning)

"""A trace for Perfetto (https://ui.perfetto.dev) and chrome://tracing: a track for each lane, slices for calls and what is done in them.

The format: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU. Time is the number of the step, in milliseconds; what takes
place in one step shares its millisecond. A process is a thread of the model with its contexts and coroutines, so that arrows are short.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from draincheck.escape import harmless
from draincheck.jsonvalue import Json
from draincheck.report.arrows import Arrow
from draincheck.report.calls import Call, CallEvent
from draincheck.report.heading import facts_of
from draincheck.report.lanes import LaneKind, Lanes, PlacedStep, lanes_of
from draincheck.run import Run
from draincheck.subject import About
from draincheck.system import IntVar

__all__ = ["STEP", "trace_in_perfetto"]

#: how long a step takes, in microseconds
STEP: Final = 1000


def trace_in_perfetto(run: Run, about: About) -> str:
    """The text of the file; the same trace always gives the same text."""
    lanes = lanes_of(run, about)
    tracks = _Tracks(lanes)
    events = [*tracks.names(), *tracks.slices(), *tracks.marks(), *tracks.arrows(), *_counters(run), *_spans(lanes)]
    facts = {name: harmless(text) for name, text in facts_of(run, about)}
    lines = ",\n".join(json.dumps(event) for event in [*events, _end(lanes)])
    return f'{{"traceEvents": [\n{lines}\n],\n"displayTimeUnit": "ms",\n"otherData": {json.dumps(facts)}}}\n'


class _Tracks:
    """The tracks of a trace; each is a thread of the format's."""

    def __init__(self, lanes: Lanes) -> None:
        self.lanes = lanes
        self.groups = list(dict.fromkeys(lane.group for lane in lanes.lanes))

    def names(self) -> Iterator[Json]:
        """What processes and threads are called, and their order."""
        for number, group in enumerate(self.groups, 1):
            yield _meta("process_name", number, 0, {"name": harmless(group)})
            yield _meta("process_sort_index", number, 0, {"sort_index": number})
        for number, lane in enumerate(self.lanes.lanes, 1):
            kind = "" if lane.kind is LaneKind.THREAD else f" ({lane.kind.value})"
            process = self._process(number - 1)
            yield _meta("thread_name", process, number, {"name": harmless(lane.name) + kind})
            yield _meta("thread_sort_index", process, number, {"sort_index": number})

    def slices(self) -> Iterator[Json]:
        """Calls around what is done, outermost first: on one track they nest, as the calls of a process do."""
        calls: dict[tuple[int, Call], list[int]] = {}
        done: list[Json] = []
        for step in self.lanes.steps:
            for event, begin, length in _shares(step):
                for call in _own_calls(event):
                    span = calls.setdefault((step.lane, call), [begin, 0])
                    span[1] = begin + length
                done.append(self._slice(step.lane, _title(event), begin, length, _details(step, event)))
        for (lane, call), (begin, end) in calls.items():
            yield self._slice(lane, str(call), begin, end - begin, {})
        yield from done

    def marks(self) -> Iterator[Json]:
        """The letters, on their tracks."""
        for step in self.lanes.steps:
            for event, begin, _ in _shares(step):
                if event is not None and event.part.mark:
                    yield {**self._place(step.lane, f"({event.part.mark})", begin), "ph": "i", "s": "t", "cat": "mark"}

    def arrows(self) -> Iterator[Json]:
        """From the slice that an arrow leaves to the one that it leads to."""
        for number, arrow in enumerate(self.lanes.arrows, 1):
            here, there = (self.lanes.steps[step - 1] for step in (arrow.start, arrow.end))
            flow = {"cat": arrow.kind.value, "id": number}
            yield {**self._place(here.lane, _flow(arrow), _begin(here)), **flow, "ph": "s"}
            yield {**self._place(there.lane, _flow(arrow), _begin(there)), **flow, "ph": "f", "bp": "e"}

    def _slice(self, lane: int, name: str, begin: int, length: int, details: dict[str, Json]) -> Json:
        return {**self._place(lane, name, begin), "ph": "X", "dur": length, "cat": "step", "args": details}

    def _place(self, lane: int, name: str, begin: int) -> dict[str, Json]:
        return {"name": harmless(name), "pid": self._process(lane), "tid": lane + 1, "ts": begin}

    def _process(self, lane: int) -> int:
        return self.groups.index(self.lanes.lanes[lane].group) + 1


def _meta(name: str, process: int, thread: int, args: dict[str, Json]) -> Json:
    return {"name": name, "ph": "M", "pid": process, "tid": thread, "args": args}


def _begin(step: PlacedStep) -> int:
    return step.number * STEP


def _shares(step: PlacedStep) -> Iterator[tuple[CallEvent | None, int, int]]:
    """What takes place in a step, with when it begins and how long it takes: all of it shares the time of the step."""
    events: tuple[CallEvent | None, ...] = step.events or (None,)
    edges = [_begin(step) + STEP * place // len(events) for place in range(len(events) + 1)]
    yield from ((event, edges[place], edges[place + 1] - edges[place]) for place, event in enumerate(events))


def _own_calls(event: CallEvent | None) -> tuple[Call, ...]:
    """The calls of its own process that something stands in: those of whoever entered it are on another track."""
    return () if event is None else event.stack[len(event.stack) - len(event.part.frames) :]


def _title(event: CallEvent | None) -> str:
    return event.part.label if event is not None and event.part.label else "(goes on)"


def _details(step: PlacedStep, event: CallEvent | None) -> dict[str, Json]:
    """What is shown of a slice that is chosen."""
    found: dict[str, Json] = {"step": step.number}
    if event is not None:
        found["source"] = harmless(str(event.part.line))
        found |= {harmless(change.name): _shown(change.new) for change in event.changes}
    if step.broken:
        found["breaks"] = [harmless(name) for name in step.broken]
    return found


def _shown(value: bool | int | str) -> Json:
    return harmless(value) if isinstance(value, str) else value


def _flow(arrow: Arrow) -> str:
    return f"{arrow.kind.value} {', '.join(arrow.what)}"


# -- beside the tracks --------------------------------------------------------------------------------


def _counters(run: Run) -> Iterator[Json]:
    """The numbers of the model, each from the beginning and wherever it changes."""
    for place, variable in enumerate(run.system.variables):
        if isinstance(variable, IntVar) and not variable.internal:
            counter: dict[str, Json] = {"name": harmless(variable.name), "ph": "C", "pid": 0, "tid": 0}
            for number, value in _changes([state[place] for state in run.states]):
                yield {**counter, "ts": (number + 1) * STEP, "args": {"value": variable.sort.decode(value)}}


def _changes(values: Sequence[int]) -> list[tuple[int, int]]:
    """The first of several values, and each that is not as the one before, with its place."""
    return [(place, value) for place, value in enumerate(values) if place == 0 or value != values[place - 1]]


def _spans(lanes: Lanes) -> Iterator[Json]:
    """Windows, which need not nest with anything, and what repeats."""
    spans = [(window.name, window.first, window.last) for window in lanes.windows]
    if lanes.loop is not None:
        spans.append(("again and again", lanes.loop + 1, len(lanes.steps)))
    for number, (name, first, last) in enumerate(spans, 1):
        span: dict[str, Json] = {"name": harmless(name), "cat": "window", "id": f"w{number}", "pid": 0, "tid": 0}
        yield {**span, "ph": "b", "ts": first * STEP}
        yield {**span, "ph": "e", "ts": (last + 1) * STEP}


def _end(lanes: Lanes) -> Json:
    """What the trace shows, over all tracks."""
    words = harmless(lanes.ending.words)
    return {"name": words, "ph": "i", "s": "g", "pid": 0, "tid": 0, "ts": (len(lanes.steps) + 1) * STEP, "cat": "end"}

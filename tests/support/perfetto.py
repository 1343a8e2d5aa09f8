"""Chrome's trace events, checked by hand: what Perfetto demands of a file, as far as it can be seen without it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import Any

#: what each kind of event has beside `name`, `ph`, `pid` and `tid`
FIELDS: dict[str, dict[str, type]] = {
    "X": {"ts": int, "dur": int, "cat": str, "args": dict},
    "i": {"ts": int, "s": str, "cat": str},
    "s": {"ts": int, "id": int, "cat": str},
    "f": {"ts": int, "id": int, "cat": str, "bp": str},
    "b": {"ts": int, "id": str, "cat": str},
    "e": {"ts": int, "id": str, "cat": str},
    "C": {"ts": int, "args": dict},
    "M": {"args": dict},
}

Event = dict[str, Any]


def events_in(text: str) -> list[Event]:
    """The events of a file. Raises ValueError for what is not JSON as the standard has it."""
    data = json.loads(text, parse_constant=_refuse)
    assert set(data) == {"traceEvents", "displayTimeUnit", "otherData"}
    events: list[Event] = data["traceEvents"]
    return events


def _refuse(word: str) -> None:
    raise ValueError(word)


def faults(events: list[Event]) -> list[str]:
    """All that is wrong."""
    malformed = list(_malformed(events))
    return malformed or [
        *_unnested(events),
        *_unpaired(events),
        *_unbound(events),
        *_unnamed(events),
        *_backward(events),
    ]


def slices(events: list[Event]) -> dict[tuple[int, int], list[Event]]:
    """The slices of each track, in order, outer ones before inner ones."""
    found = sorted((e for e in events if e["ph"] == "X"), key=lambda e: (e["pid"], e["tid"], e["ts"], -e["dur"]))
    return {track: list(group) for track, group in groupby(found, lambda e: (e["pid"], e["tid"]))}


def _malformed(events: list[Event]) -> Iterator[str]:
    for event in events:
        wanted = {"name": str, "ph": str, "pid": int, "tid": int, **FIELDS.get(event.get("ph", ""), {"?": str})}
        kinds = {name: type(value) for name, value in event.items() if name in wanted}
        if kinds != wanted or event.get("ts", 0) < 0 or event.get("dur", 1) < 1:
            yield f"malformed: {event}"


def _unnested(events: list[Event]) -> Iterator[str]:
    for track, found in slices(events).items():
        ends: list[int] = []
        for event in found:
            while ends and ends[-1] <= event["ts"]:
                ends.pop()
            end = event["ts"] + event["dur"]
            if ends and end > ends[-1]:
                yield f"not nested on {track}: {event['name']}"
            ends.append(end)


def _unpaired(events: list[Event]) -> Iterator[str]:
    for first, last in (("s", "f"), ("b", "e")):
        begins = {e["id"]: e for e in events if e["ph"] == first}
        ends = {e["id"]: e for e in events if e["ph"] == last}
        numbers = Counter(e["id"] for e in events if e["ph"] in (first, last))
        for name in numbers:
            whole = name in begins and name in ends and numbers[name] == 2
            if not whole or begins[name]["ts"] > ends[name]["ts"] or begins[name]["name"] != ends[name]["name"]:
                yield f"not paired: {name}"


def _unbound(events: list[Event]) -> Iterator[str]:
    """Flows that begin or end where no slice is."""
    tracks = slices(events)
    for event in events:
        if event["ph"] in "sf":
            here = tracks.get((event["pid"], event["tid"]), [])
            if not any(e["ts"] <= event["ts"] < e["ts"] + e["dur"] for e in here):
                yield f"bound to nothing: {event}"


def _unnamed(events: list[Event]) -> Iterator[str]:
    named = {(e["pid"], e["tid"]) for e in events if e["ph"] == "M" and e["name"] == "thread_name"}
    yield from (f"without a name: {track}" for track in slices(events) if track not in named)


def _backward(events: list[Event]) -> Iterator[str]:
    """Steps that begin before an earlier one has."""
    begins = [(e["args"]["step"], e["ts"]) for e in events if e["ph"] == "X" and "step" in e["args"]]
    if [ts for _, ts in sorted(begins)] != sorted(ts for _, ts in begins):
        yield "time runs backward"

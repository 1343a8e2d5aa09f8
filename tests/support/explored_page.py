"""A second reader of the explorer's document, written from what `document.py` says of it alone: it imports nothing of the package.

It does what the page does: unpacks a system, walks in its graph, and rebuilds the stacks of calls along a path.
"""

from __future__ import annotations

import json
import zlib
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

__all__ = ["Edge", "Happening", "PageGraph", "read_document"]


class Edge(NamedTuple):
    """An edge: what takes place, what it breaks, what is wrong with it, and where it leads (None: nowhere)."""

    action: int
    label: str
    taken: tuple[int, ...]
    broken: tuple[str, ...]
    error: str
    target: int | None


class Happening(NamedTuple):
    """A part of a step: as `CallEvent` tells it, in plain values."""

    step: int
    process: str
    thread: str
    stack: tuple[str, ...]
    label: str
    mark: str
    changes: tuple[tuple[str, str, str], ...]


def read_document(text: str) -> tuple[dict[str, Any], dict[str, PageGraph]]:
    """The document in a page's script element, and its systems by key."""
    assert text.isascii() and not set(text) & set("<>&"), "this text could end the element it stands in"
    document: dict[str, Any] = json.loads(text)
    return document, {key: PageGraph(packed) for key, packed in document["systems"].items()}


class PageGraph:
    """A system as the page sees it."""

    def __init__(self, packed: str) -> None:
        raw = zlib.decompress(b64decode(packed))
        length = int.from_bytes(raw[:4], "little")
        self.told: dict[str, Any] = json.loads(raw[4 : 4 + length])
        self.graph: dict[str, Any] = self.told["graph"]
        self._columns = dict(self._read(raw[4 + length :]))
        self.states = [self._state(number) for number in range(self.graph["states"])]
        self.edges = list(self._edges())

    def _read(self, data: bytes) -> Iterator[tuple[tuple[str, int], list[int]]]:
        at = 0
        for column in self.graph["columns"]:
            width = column["width"]
            end = at + width * column["count"]
            yield (
                (column["of"], column["index"]),
                [int.from_bytes(data[i : i + width], "little") for i in range(at, end, width)],
            )
            at = end
        assert at == len(data)

    def _state(self, number: int) -> dict[str, str]:
        """The values of a state, as they are shown."""
        rows = enumerate(self.told["variables"])
        return {v["name"]: v["values"][self._columns["value", place][number]] for place, v in rows}

    def _edges(self) -> Iterator[list[Edge]]:
        start = 0
        for degree in self._columns["degree", 0]:
            yield [self._edge(place) for place in range(start, start + degree)]
            start += degree

    def _edge(self, place: int) -> Edge:
        variant = self.told["variants"][self._columns["variant", 0][place]]
        target = self._columns["target", 0][place]
        broken = tuple(self.told["properties"][number]["name"] for number in variant.get("broken", []))
        return Edge(
            variant["action"],
            variant["label"],
            tuple(variant["taken"]),
            broken,
            variant.get("error", ""),
            None if target == self.graph["states"] else target,
        )

    def truth(self, condition: int, state: int) -> bool:
        """Whether a condition is true in a state."""
        return bool(self._columns["truth", condition // 8 * 8][state] >> condition % 8 & 1)

    def fate(self, property_number: int, state: int) -> str | None:
        """What is possible from a state; None where that is not known."""
        column = self._columns.get(("fate", property_number))
        return None if column is None else ("safe", "avoidable", "doomed", "violated")[column[state]]

    def path(self, states: Sequence[int], variants: Sequence[int]) -> list[Edge]:
        """The edges of a path; each has to be there."""
        found: list[Edge] = []
        starts = [0]
        for degree in self._columns["degree", 0]:
            starts.append(starts[-1] + degree)
        for here, after, variant in zip(states[:-1], states[1:], variants, strict=True):
            places = range(starts[here], starts[here + 1])
            place = next(place for place in places if self._columns["variant", 0][place] == variant)
            assert self._columns["target", 0][place] == after
            found.append(self._edge(place))
        return found

    # -- stacks --------------------------------------------------------------------------------------

    def happenings(self, states: Sequence[int], variants: Sequence[int]) -> list[Happening]:
        """What takes place along a path, with the stacks of calls."""
        stacks = _Stacks(self.told)
        edges = self.path(states, variants)
        rows = zip(edges, states, states[1:], strict=False)
        return [
            happening
            for number, (edge, before, after) in enumerate(rows, 1)
            for happening in stacks.step(number, edge, self._changes(before, after))
        ]

    def _changes(self, before: int, after: int) -> dict[int, tuple[str, str, str]]:
        old, new = self.states[before], self.states[after]
        return {
            place: (v["name"], old[v["name"]], new[v["name"]])
            for place, v in enumerate(self.told["variables"])
            if old[v["name"]] != new[v["name"]] and not v["hidden"]
        }


class _Call:
    """A call, told from others of the same function by being another object."""

    def __init__(self, frame: int, number: int = 0) -> None:
        self.frame, self.number = frame, number


class _Stacks:
    """The calls that are open in each process."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        self.told = told
        self.open: dict[int, list[_Call]] = {}
        self.entered_from: dict[int, tuple[int, list[_Call]]] = {}
        self.counts: Counter[tuple[int, int]] = Counter()

    def step(self, number: int, edge: Edge, changes: Mapping[int, tuple[str, str, str]]) -> Iterator[Happening]:
        action = self.told["actions"][edge.action]
        process, parts, taken = action["process"], action["parts"], set(edge.taken)
        if not parts:
            frames = [call.frame for call in self.open.get(process, [])]
            nameless: dict[str, Any] = {"frames": frames, "opens": len(frames), "writes": list(changes)}
            parts, taken = [nameless], {0}
        owner = {v: place for place, part in enumerate(parts) if place in taken for v in part.get("writes", [])}
        for place, part in enumerate(parts):
            self._stand(process, part)
            if place in taken:
                own = tuple(change for v, change in changes.items() if owner.get(v) == place)
                yield self._happening(number, process, part, own)

    def _stand(self, process: int, part: Mapping[str, Any]) -> None:
        calls: list[_Call] = []
        for call, frame in zip(self.open.get(process, [])[: part["opens"]], part["frames"], strict=False):
            if call.frame != frame:
                break
            calls.append(call)
        self.open[process] = calls + [_Call(frame) for frame in part["frames"][len(calls) :]]

    def _happening(
        self, number: int, process: int, part: Mapping[str, Any], changes: tuple[tuple[str, str, str], ...]
    ) -> Happening:
        self.open[process] = own = [self._numbered(process, call) for call in self.open[process]]
        thread, below = self.entered_from.get(process, (process, []))
        stack = below + own
        if part.get("enters") is not None:
            self.entered_from[part["enters"]] = thread, stack
        names = [item["name"] for item in self.told["processes"]]
        shown = tuple(map(self._shown, stack))
        return Happening(
            number, names[process], names[thread], shown, part.get("label", ""), part.get("mark", ""), changes
        )

    def _numbered(self, process: int, call: _Call) -> _Call:
        if call.number or not self.told["frames"][call.frame][1]:
            return call
        self.counts[process, call.frame] += 1
        return _Call(call.frame, self.counts[process, call.frame])

    def _shown(self, call: _Call) -> str:
        function, numbered = self.told["frames"][call.frame]
        head = f"{function} #" if numbered else str(function)
        return f"{head} {call.number}" if call.number else head

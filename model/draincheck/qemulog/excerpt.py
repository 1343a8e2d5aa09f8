"""A log's own lines around what a switch shows: kept while the log is read, for standard input and a file that grows are read once."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from draincheck.qemulog.happening import happenings
from draincheck.qemulog.pivot import Judgement, Pivot

__all__ = ["AROUND", "Excerpts"]

#: lines before an event, and behind it
AROUND: Final = 2
#: bytes of a log that are looked back at: a window is over within a few thousand lines
BACK: Final = 1 << 25
#: switches of which lines are kept, by what they came to at first sight; and those at the end of a log, whatever that is
WELL, ILL, LAST = 50, 200, 50
#: letters of a line
LONGEST: Final = 300


class _Block(Struct, frozen=True, eq=False):
    """Lines from `first` to before `end`."""

    first: int
    end: int
    text: bytes


class Excerpts:
    """Lines of a log by their numbers. All blocks of the log pass through it, and it is told of each switch as soon as that is known."""

    def __init__(self) -> None:
        self._lines: dict[int, str] = {}
        self._blocks = deque[_Block]()
        self._next, self._size = 1, 0
        self._kept = Counter[Judgement]()
        self._latest: tuple[_Block | None, list[bytes]] = None, []

    def passing(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """The same blocks."""
        for block in blocks:
            first, self._next = self._next, self._next + block.count(b"\n") + (not block.endswith(b"\n"))
            self._blocks.append(_Block(first, self._next, block))
            self._size += len(block)
            while self._size > BACK and len(self._blocks) > 1:
                self._size -= len(self._blocks.popleft().text)
            yield block

    def notice(self, pivot: Pivot) -> None:
        """Keep the lines of a switch that is over, unless there were many like it."""
        self._kept[pivot.judgement] += 1
        good = pivot.judgement in (Judgement.CLEAN, Judgement.HELD)
        if self._kept[pivot.judgement] <= (WELL if good else ILL):
            self._keep(pivot)

    def end(self, pivots: Sequence[Pivot]) -> None:
        """The log has ended, with these switches in it, the last of which nobody has told yet: nothing else is kept of it."""
        for pivot in pivots[-LAST:]:
            self._keep(pivot)
        self._blocks.clear()
        self._latest = None, []

    def _keep(self, pivot: Pivot) -> None:
        """Keep the lines around the events of a switch, as far as they have not gone by."""
        wanted = _around(pivot) - self._lines.keys()
        for block in self._blocks:
            here = [number for number in wanted if block.first <= number < block.end]
            if here:
                lines = self._split(block)
                self._lines |= {number: _text(lines[number - block.first]) for number in here}

    def _split(self, block: _Block) -> list[bytes]:
        """The lines of a block; switches that are near each other ask for those of the same."""
        if self._latest[0] is not block:
            self._latest = block, block.text.split(b"\n")
        return self._latest[1]

    def around(self, pivot: Pivot) -> tuple[tuple[int, str], ...]:
        """What was kept of a switch: numbers and lines."""
        return tuple((number, self._lines[number]) for number in sorted(_around(pivot)) if number in self._lines)


def _around(pivot: Pivot) -> set[int]:
    lines = (each.moment.line for each in happenings(pivot).events)
    return {number for line in lines for number in range(line - AROUND, line + AROUND + 1)}


def _text(line: bytes) -> str:
    text = line.removesuffix(b"\r")
    return text[:LONGEST].decode(errors="backslashreplace") + (" ..." if len(text) > LONGEST else "")

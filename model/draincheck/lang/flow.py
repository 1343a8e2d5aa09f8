"""Locations and edges of one process: the control flow that the compiler turns into a program counter and actions."""

from __future__ import annotations

from dataclasses import dataclass

from draincheck.errors import SourceLine
from draincheck.lang.path import Path

__all__ = ["Edge", "Flow"]


@dataclass(frozen=True, slots=True)
class Edge:
    """A recorded step from `path.start` to `target`."""

    path: Path
    target: int


class Flow:
    """The locations of a process. Two locations that mean the same place are united, so a join costs no step."""

    def __init__(self) -> None:
        self.edges: list[Edge] = []
        #: location -> the coroutine that has to give control back before the process may leave it
        self.awaits: dict[int, str] = {}
        #: name -> locations that carry it
        self.names: dict[str, list[int]] = {}
        self._same_as: list[int] = []
        self._left: set[int] = set()
        self.entry = self.new()

    def new(self) -> int:
        """A fresh location."""
        self._same_as.append(len(self._same_as))
        return len(self._same_as) - 1

    def find(self, location: int) -> int:
        """The location that stands for all those united with this one."""
        while self._same_as[location] != location:
            location = self._same_as[location]
        return location

    def connect(self, path: Path, target: int) -> None:
        """Add the step `path` as an edge to a location."""
        self._left.add(self.find(path.start))
        self.edges.append(Edge(path, target))

    def unite(self, source: int, target: int) -> bool:
        """Make two locations one, so that going from one to the other takes no step.

        False where that would change the meaning: the first has outgoing edges, is the entry, waits for another coroutine, or both
        have names, which would then mean the same.
        """
        source, target = self.find(source), self.find(target)
        if source == target:
            return True
        if source in self._left or source == self.entry or self.awaits.get(source) != self.awaits.get(target):
            return False
        named = {self.find(location): name for name, locations in self.names.items() for location in locations}
        if source in named and target in named and named[source] != named[target]:
            return False
        self._same_as[source] = target
        return True

    def name(self, name: str, location: int) -> None:
        """Give a location a name that conditions can refer to."""
        self.names.setdefault(name, []).append(location)


def first_line(edge: Edge) -> SourceLine:
    """Where the edge's step was written."""
    return edge.path.parts[0].line if edge.path.parts else SourceLine("?", 0)

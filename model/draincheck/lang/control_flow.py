"""Locations, steps and moves of one process: the control flow that the compiler turns into a program counter and actions.

Control stands at a location. A step leads from one to another; a *move* costs nothing: who is at its source is at its target at once. A
location that is left by a move is left by nothing else, so the moves from a location are one chain, which ends where steps begin.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from draincheck.errors import ModelError, SourceLine
from draincheck.lang.path import Path
from draincheck.system import Frame

__all__ = ["Edge", "Flow", "Rest"]


class Edge(Struct, frozen=True, gc=False):
    """A recorded step from `path.start` to `target`."""

    path: Path
    target: int


class Rest(Struct, frozen=True, gc=False):
    """Where control can rest, as far as what follows can tell: locations of one Rest are the same place.

    Attributes:
        base: the location that the moves lead to; the steps that begin there come next.
        names: the places on the way there.
        awaits: the coroutine that has to give control back first, or "".
        entered_at: the location at which it was entered: who waits there stands in a call of its own. None if none is awaited.
        gave_up: control was given up here, or went into a coroutine; so a coroutine that ends here needs a step to end.
    """

    base: int
    names: frozenset[str]
    awaits: str = ""
    entered_at: int | None = None
    gave_up: bool = False


class Flow:
    """The locations of a process."""

    def __init__(self) -> None:
        self.edges: list[Edge] = []
        #: location -> the coroutine that has to give control back before the process may leave it
        self.awaits: dict[int, str] = {}
        #: location -> the name of standing there until that coroutine has given control back
        self.inside: dict[int, str] = {}
        #: locations at which a coroutine is not running: where it starts, and where it yields
        self.yielded: set[int] = set()
        #: location -> the names it carries
        self.names: dict[int, list[str]] = {}
        #: location -> the calls that the last statement which begins there stands in, and its line
        self.statements: dict[int, tuple[tuple[Frame, ...], SourceLine]] = {}
        self._moves: dict[int, int] = {}
        self._loops: dict[int, SourceLine] = {}
        self._count = 0
        self.entry = self.new()
        self.end: int | None = None

    def new(self) -> int:
        """A fresh location."""
        self._count += 1
        return self._count - 1

    def loop_head(self, line: SourceLine) -> int:
        """A fresh location for the head of the loop written there."""
        head = self.new()
        self._loops[head] = line
        return head

    def connect(self, path: Path, target: int) -> None:
        """Add the step `path` as an edge to a location."""
        self.edges.append(Edge(path, target))

    def move(self, source: int, target: int) -> None:
        """Who is at `source`, where nothing has been recorded, is at `target` at once."""
        self._moves[source] = target

    def name(self, name: str, location: int) -> None:
        """Give a location a name that conditions can refer to."""
        self.names.setdefault(location, []).append(name)

    def known_names(self) -> list[str]:
        """All names of places, in the order of their first use."""
        named = (name for names in self.names.values() for name in names)
        return list(dict.fromkeys((*named, *self.inside.values())))

    def rest(self, location: int) -> Rest:
        """Where control rests that has come to a location. Raises ModelError for a loop that it could go round for ever without a step."""
        base, names = self._base(location)
        awaits = self.awaits.get(location, "")
        gave_up = base == self.end and (bool(awaits) or location in self.yielded)
        return Rest(base, frozenset(names), awaits, location if awaits else None, gave_up)

    def _base(self, location: int) -> tuple[int, Sequence[str]]:
        """Where the moves from a location lead, and the names on the way."""
        here, names = location, self.names.get(location, ())
        if here not in self._moves:
            return here, names
        seen = {location}
        while here in self._moves:
            here = self._moves[here]
            if here in seen:
                raise ModelError("a round of this loop takes no step", self._loops.get(here))
            seen.add(here)
            names = [*names, *self.names.get(here, ())]
        return here, names

"""How runs come to wait for a goal, by machine code: what `exploration.graph` says of a small graph in Python."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from draincheck.budget import look
from draincheck.exploration.graph import Edge, WaitingStates
from draincheck.native import parts
from draincheck.native.code import Code
from draincheck.native.edges import Edges
from draincheck.native.memory import Pages
from draincheck.native.states import States, halves, truths
from draincheck.native.width import BYTES, HALF

__all__ = ["Ways"]

#: states that are looked at between two looks at the budget
PIECE: Final = 1 << 16


class Ways(WaitingStates):
    """States in which a run may be waiting, nearest first, and how it gets there."""

    def __init__(self, states: States, kernel: Code, edges: Edges, starts: Iterable[int], met: bytearray) -> None:
        """Go on from some states, which are in order of depth, where a goal is not met. Raises OutOfBudget."""
        self._edges, begun, room = edges, list(starts), len(states) + 1
        look(room * (4 * HALF + BYTES))
        waited, origins, reached = Pages(room * HALF), Pages(room * BYTES), Pages(room * HALF)
        states.share(parts.BEGUN, halves(begun))
        states.share(parts.HOLDING, truths(met))
        states.share(parts.WAITED, waited)
        states.share(parts.ORIGINS, origins)
        states.share(parts.REACHED, reached)
        states.share(parts.QUEUE, Pages(2 * room * HALF))
        states[parts.NEXT_BEGUN], states[parts.BEGINNINGS], states[parts.FOLLOWED] = 0, len(begun), 0
        states[parts.HEAD] = states[parts.TAIL] = room
        while kernel.call("follow", states.address, PIECE):
            look()
        self._waited, self._origins = waited.view.cast("I"), origins.view.cast("Q")
        self.numbers = reached.view.cast("I")[: states[parts.FOLLOWED]]

    def depth(self, number: int) -> int:
        """How many actions it takes to wait in a state."""
        return self._waited[number] - 1

    def origin(self, number: int) -> Edge | None:
        """The state before, behind the action from there; None where the waiting begins."""
        place = self._origins[number]
        return self._edges.leading(place - 1) if place else None

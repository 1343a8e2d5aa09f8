"""The graph of a large system in arrays: what `exploration.graph` says of a small one, number by number."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Container, Iterable, Mapping, Sequence

from draincheck.errors import ModelError
from draincheck.exploration.explorer import Explorer
from draincheck.exploration.graph import ExploredGraph, WaitingStates
from draincheck.expr import BoolExpr
from draincheck.native import parts
from draincheck.native.edges import Edges
from draincheck.native.explorer import NativeExplorer
from draincheck.native.memory import Pages
from draincheck.native.states import numbers, read
from draincheck.native.staying import Homes, Staying
from draincheck.native.waiting import Ways
from draincheck.native.width import BYTES, HALF, WORD
from draincheck.verdict import Limits, Reporter

__all__ = ["NativeGraph"]

#: states between two looks at the budget
PIECE = 1 << 16

#: what faults cut off, between two looks
CUTS = 1 << 12


class NativeGraph(ExploredGraph):
    """The graph as machine code explores it.

    Making one raises OutOfBudget, ModelError for a system that is refused, ImportError without llvmlite.
    """

    def __init__(self, before: Explorer, announced: Sequence[BoolExpr], limits: Limits, reporter: Reporter) -> None:
        """Begin anew what another has begun, for the same questions."""
        if len(before.system.fairness) > WORD:
            raise ModelError(f"{len(before.system.fairness)} assumptions of fairness are too many for machine code")
        self._native, self._budget, self._reporter = NativeExplorer(before, announced), limits.begun(), reporter
        self._native.run(self._budget, reporter)
        super().__init__(self._native)
        self._states, self._kernel = self._native.states, self._native.code.other("graph")
        reporter.phase("edges of the graph")
        self._budget.look((len(self) * 4 + self._states.slots + self._native.transitions * 2) * HALF)
        self._native.sort()
        self._set_depths()
        self.cut = set()
        self._set_edges()

    # -- what there is ------------------------------------------------------------------------------

    def packed(self, number: int) -> int:
        """A state by its number, packed."""
        return self._states.read(number, number + 1)[0]

    def where(self, condition: BoolExpr) -> bytearray:
        """For each state whether one of the conditions that were announced holds there."""
        holding = Pages(len(self) + 1)
        self._states.share(parts.HOLDING, holding)
        self._of_all("hold", self._native.code.holds(condition))
        with holding.view as view:
            return bytearray(view[: len(self)])

    def fair_homes(self, inside: Collection[int]) -> Mapping[int, Container[int]]:
        """The largest strongly connected parts of some states that are fair, by each of their members."""
        self._states[parts.WEAK], self._states[parts.STRONG] = self.weak, self.strong
        return Homes(Staying(self._states, self._kernel).fair(inside))

    def waiting(self, starts: Iterable[int], met: bytearray) -> WaitingStates:
        """The states that are reached from some, which are in order of depth, where a goal is not `met`."""
        return Ways(self._states, self._kernel, self._edges, starts, met)

    # -- making it ----------------------------------------------------------------------------------

    def _of_all(self, name: str, *more: int) -> None:
        """Call a function of the kernel about all states, piece by piece."""
        for start in range(0, len(self), PIECE):
            self._budget.look()
            self._kernel.call(name, self._states.address, start, min(start + PIECE, len(self)), *more)

    def _set_depths(self) -> None:
        pages = Pages((len(self) + 1) * HALF)
        self._states.share(parts.DEPTHS, pages)
        self.depth = depths = pages.view.cast("I")
        for depth, (start, end) in enumerate(self._native.layers):
            depths[start:end] = array("I", [depth]) * (end - start)

    def _set_edges(self) -> None:
        """List the edges of the states that were expanded, and which assumptions these enable."""
        states, notes, room = self._states, self._native.loop.notes, len(self) + 1
        enabled, starts = Pages(room * BYTES), Pages(room * BYTES)
        actions, targets = (Pages((self._native.transitions + 1) * HALF) for _ in range(2))
        states.share(parts.ENABLED, enabled)
        states.share(parts.STARTS, starts)
        states.share(parts.ACTIONS, actions)
        states.share(parts.TARGETS, targets)
        states.share(parts.GRANTS, numbers(self.grants))
        states.share(parts.ACTION_OF, numbers([note.action.index for note in notes]))
        states.share(parts.ACTS, Pages(len(self.grants) * BYTES + BYTES))
        states.share(parts.MET, Pages(len(notes) * BYTES + BYTES))
        states.share(parts.NUMBERS, Pages(states.slots * HALF))
        states[parts.LISTED] = self._native.code.listed
        self._of_all("number_states")
        self._list_edges()
        states.forget_table()
        begun = starts.view.cast("Q")
        for number in range(self.expanded, len(self)):
            begun[number + 1] = begun[number]
        self.enabled = enabled.view.cast("Q")
        self.edges = self._edges = Edges(begun, actions.view.cast("I"), targets.view.cast("I"))

    def _list_edges(self) -> None:
        states, at = self._states, 0
        cut = Pages((CUTS + len(self._native.loop.notes) + 1) * 2 * BYTES)
        states.share(parts.CUT, cut)
        while at < self.expanded:
            self._budget.look()
            states[parts.CUTS] = 0
            at = self._kernel.call("edges", states.address, at, min(at + PIECE, self.expanded), CUTS)
            found = iter(read(cut, 0, 2 * states[parts.CUTS], 1))
            self.cut.update(zip(found, found, strict=True))
            self._reporter.progress(at, 0, 0, self.expanded - at)

"""Exploration by machine code: the same states, counts and paths as the explorer that needs only Python, and room for many more.

Layers stand one behind the other in the order of discovery, which nothing that is found depends on: of what is equally shallow the least is
looked for, whenever somebody asks.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, pairwise

from draincheck.budget import MEGABYTE, Budget, look, memory_in_use
from draincheck.errors import EvidenceError
from draincheck.exploration.explored import Explored
from draincheck.exploration.explorer import Explorer
from draincheck.expr import BoolExpr
from draincheck.native import parts
from draincheck.native.memory import Pages
from draincheck.native.reaching import MARKS, Reaching
from draincheck.native.states import AT_ONCE, States
from draincheck.native.system import NativeLoop
from draincheck.native.team import Team
from draincheck.native.width import BYTES, WORD
from draincheck.reason import Stop, StopKind
from draincheck.verdict import NO_LIMITS, SILENT, Limits, Reporter
from draincheck.words import counted

__all__ = ["NativeExplorer"]

#: states expanded between two looks at the clock: a few milliseconds; by each of several threads, which take as long to begin
PIECE, LARGE_PIECE = 1 << 14, 1 << 16

#: states after which the rest is worth code that is made with more care
LONG = 1 << 20

#: what the kernel says when it comes back early
NO_ROOM, TOO_MANY = 1, 2


class NativeExplorer(Explored):
    """One exploration by machine code, and what it found.

    Attributes:
        code: the functions that explore.
        states: what was found, in arrays.
    """

    def __init__(self, before: Explorer, announced: Sequence[BoolExpr]) -> None:
        """Begin anew what another has begun, for the same questions. Raises ModelError for a system that is refused, ImportError without llvmlite."""
        super().__init__(before.system, before.loop)
        self._known = before.layers
        self.code = NativeLoop(before.loop, announced)
        self.states = States(self.code, len(before.system.actions), len(before.loop.notes))
        self._team = Team(self.states)
        self._unnoted = set(range(len(before.loop.notes)))
        #: how many states there were at the end of each layer
        self._ends: list[int] = [0]

    def __len__(self) -> int:
        return len(self.states)

    @property
    def sizes(self) -> Sequence[int]:
        """How many states take so many actions to reach."""
        return [end - start for start, end in self.layers]

    # -- exploring ----------------------------------------------------------------------------------

    def run(self, limits: Limits = NO_LIMITS, reporter: Reporter = SILENT) -> None:
        """Explore until there is nothing left, or a limit is reached. A step with a fault is not taken."""
        watch, self._reporter = limits.begun(), reporter
        reporter.phase("searching, as machine code")
        self._begin(limits, watch, reporter)
        while self._ends[-1] > self._ends[-2] and not self.stopped:
            self._layer(limits, watch, reporter)
            self._conclude(self._notes())
            self._ends.append(len(self))
            self._compare()
            if len(self) > LONG:
                self.states[parts.EXPAND] = self.code.tuned
        if self._ends[-1] == self._ends[-2] and len(self._ends) > 2:
            self._ends.pop()
        self.bytes = self.states.bytes
        self.fired = set().union(*(hand.fired for hand in self._team.hands))

    def _begin(self, limits: Limits, watch: Budget, reporter: Reporter) -> None:
        """Store the initial states, as far as limits, and who hears of them, let it."""
        states = map(self.loop.layout.pack, iter(self.system.initial))
        while (piece := [*islice(states, AT_ONCE)]) and not self.stopped:
            self.stopped = watch.stop()
            if limits.states is not None and len(self) + len(piece) > limits.states:
                self.stopped = Stop(StopKind.STATES, limits.states)
                del piece[limits.states - len(self) :]
            self.states.put(list(self.loop.stored(piece)))
            if len(piece) == AT_ONCE:
                reporter.progress(len(self), 0, 0, len(self))
        self._ends.append(len(self))

    def _layer(self, limits: Limits, watch: Budget, reporter: Reporter) -> None:
        """Take the actions of the states of the last layer, as far as limits let it."""
        states, (start, end) = self.states, self._ends[-2:]
        advance = self._way(limits.states, start, end)
        states[parts.AT] = start
        while states[parts.AT] < end and not self.stopped:
            self.stopped = watch.stop()
            if not self.stopped:
                self._came_back(advance(), watch)
                waiting = len(self) - states[parts.AT]
                reporter.progress(len(self), states[parts.TRANSITIONS], len(self._ends) - 1, waiting)
        self.expanded, self.transitions = states[parts.AT], states[parts.TRANSITIONS]

    def _way(self, most: int | None, start: int, end: int) -> Callable[[], int]:
        """How the kernel takes the actions of some states, piece by piece: one by one where `most` of all states may be reached on the way."""
        states, threads = self.states, self._team.wanted(end - start)
        if most is not None and end + (end - start) * len(self.system.actions) > most:
            states.sort(start, end)
            states[parts.MOST], threads = most, 0

        def advance() -> int:
            piece = LARGE_PIECE * threads if threads > 1 else PIECE
            states[parts.UNTIL] = min(end, states[parts.AT] + piece)
            if threads > 1:
                return self._team.advance(threads)
            return states.call("advance" if threads else "advance_singly")

        return advance

    def _came_back(self, why: int, watch: Budget) -> None:
        """Do what the kernel came back for."""
        if why == NO_ROOM:
            self.stopped = watch.stop(self.states.growth)
            if not self.stopped:
                self._grow()
        elif why == TOO_MANY:
            self._fill()

    def _grow(self) -> None:
        try:
            self.states.grow()
        except MemoryError:
            self.stopped = Stop(StopKind.MEMORY, round(memory_in_use() / MEGABYTE))

    def _fill(self) -> None:
        """Store as many of the states after the next one as there may be, the smallest first."""
        states = self.states
        most = states[parts.MOST]
        self.stopped = Stop(StopKind.STATES, most)
        self.loop.expand(states.read(states[parts.AT], states[parts.AT] + 1))
        new = sorted(after for after in set(self.loop.targets) if not states.slot(after))
        states.put(new[: most - len(self)])

    def _notes(self) -> dict[int, int]:
        """What was noted in this layer for the first time, with the first state."""
        none = (1 << self.states.words * WORD) - 1
        noted = [min(states) for states in zip(*(hand.noted for hand in self._team.hands), strict=True)]
        new = {number: noted[number] for number in self._unnoted if noted[number] != none}
        self._unnoted -= new.keys()
        return new

    def _compare(self) -> None:
        """What Python has found of the same system before is the same, or something is very wrong. Raises EvidenceError."""
        number = len(self._ends) - 2
        if number < len(self._known) and not self.stopped:
            layer, (start, end) = self._known[number], self._ends[-2:]
            if len(layer) != end - start or sum(layer) != sum(self.states.read(start, end)):
                raise EvidenceError(
                    f"{self.system.name}: machine code finds other states after {counted(number, 'action')} than Python does"
                )

    # -- what was found -----------------------------------------------------------------------------

    def sort(self) -> None:
        """Bring each layer into ascending order; what was expanded stays before what was not. Raises OutOfBudget."""
        for start, end in self.layers:
            middle = min(max(start, self.expanded), end)
            for first, last in ((start, middle), (middle, end)):
                self._sort_some(first, last)

    def _sort_some(self, first: int, end: int) -> None:
        kernel, width = self.code.other("graph"), 1
        self.states.share(parts.BUFFER, Pages((end - first + 1) * self.states.width))
        while width < end - first:
            look()
            kernel.call("merge_runs", self.states.address, first, end, width)
            width *= 2
        self.states.share(parts.BUFFER, Pages(BYTES))

    def order(self) -> Iterator[int]:
        """The states, layer by layer, each layer in ascending order. Raises OutOfBudget."""
        self.sort()
        for start in range(0, len(self), LARGE_PIECE):
            yield from self.states.read(start, min(start + LARGE_PIECE, len(self)))

    @property
    def layers(self) -> Iterable[tuple[int, int]]:
        """Where each layer begins, and where it ends."""
        return pairwise(self._ends)

    def _state(self, number: int) -> int:
        """A state by its number, counted from one."""
        return self.states.read(number - 1, number)[0]

    def first(self, condition: BoolExpr) -> int | None:
        """The first state in which a condition holds."""
        return self._first("first", self.layers, self.code.holds(condition))

    def first_dead(self, condition: BoolExpr) -> int | None:
        """The first state without an enabled action in which a condition holds."""
        if not self.states[parts.DEAD]:
            return None
        layers = [(start, min(end, self.expanded)) for start, end in self.layers if start < self.expanded]
        return self._first("first_dead", layers, self.code.holds(condition))

    def _first(self, question: str, layers: Iterable[tuple[int, int]], holds: int) -> int | None:
        """What the kernel answers to a question about some layers, one after the other."""
        numbers = (self.states.call(question, *layer, holds) for layer in layers)
        return next((self._state(number) for number in numbers if number), None)

    def _depth(self, state: int) -> int:
        self.states.seek(state)
        number = self.states.call("number_of", 0, len(self))
        if not number:
            raise EvidenceError(f"{self.system.name}: state {state} was not found")
        return bisect_right(self._ends, number - 1) - 1

    def _before(self, depth: int, state: int) -> int:
        self.states.seek(state)
        number = self.states.call("predecessor", *self._ends[depth : depth + 2])
        if not number:
            raise EvidenceError(f"{self.system.name}: nothing leads to state {state}")
        return self._state(number)

    def first_unable(self, goals: Sequence[BoolExpr]) -> tuple[int, Sequence[bool]] | None:
        """The first state from which not every goal can be reached, and for each whether it can."""
        look(self.states.slots * (1 - -len(goals) // MARKS))
        conditions = [self.code.holds(goal) for goal in goals]
        pieces = [conditions[at : at + MARKS] for at in range(0, len(goals), MARKS)]
        groups = [Reaching(self.states, self.expanded, piece, self.looked_at) for piece in pieces]
        if all(group.is_everywhere() for group in groups):
            return None
        for layer in self.layers:
            numbers = [number for group in groups if (number := group.unable(*layer))]
            if numbers:
                first = min(map(self._state, numbers))
                return first, [found for group in groups for found in group.able(first)]
        return None

"""The explorer that needs nothing but Python: every reachable state of a system, layer by layer, and how one of them is reached.

States are packed into integers that have the order of the states themselves (`layout`). A layer holds the states that take
equally many actions to reach, in ascending order, so nothing an exploration finds depends on the order in which it looks (`explored`).
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, MutableSequence, Sequence
from enum import IntEnum
from itertools import chain, islice

from draincheck.budget import Budget
from draincheck.errors import EvidenceError
from draincheck.exploration.backward import able, nth
from draincheck.exploration.explored import Explored
from draincheck.exploration.loop import Loop, Where
from draincheck.expr import BoolExpr
from draincheck.reason import Stop, StopKind
from draincheck.system import TransitionSystem
from draincheck.verdict import NO_LIMITS, SILENT, Limits, Reporter

__all__ = ["Explorer", "Keep"]

#: states expanded between two looks at the clock: a few milliseconds
PIECE = 2048


#: bytes of an empty set, and of a place in the table of a large one, which is made anew when three fifths are taken, for twice what is stored
EMPTY, SLOT = sys.getsizeof(set[int]()), 16

#: successors of a state that are looked ahead to
NEAR = 8


class Keep(IntEnum):
    """What an exploration keeps of the steps between states: each more than the one before."""

    NOTHING = 0
    TARGETS = 1
    EDGES = 2


#: asked now and then, with the number of states that were found
GivesUp = Callable[[int], bool]


def _never(states: int) -> bool:
    return False


class Explorer(Explored):
    """One exploration by Python alone, and what it found.

    Attributes:
        keep: what it keeps of the steps between states.
        layers: the states by how many actions it takes to reach them, each layer in ascending order.
        dead: states without an enabled action, in the order of the layers.
        cut: the states and actions of all faults that runs meet; only with edges kept.
        targets: with targets kept, the successors of the expanded states, state by state.
        actions: with edges kept, the actions that lead to `targets`.
        ends: with targets kept, for each expanded state how many targets there were when it was done.
    """

    def __init__(
        self,
        system: TransitionSystem,
        watched: Collection[str] = (),
        asked: Iterable[BoolExpr] = (),
        keep: Keep = Keep.NOTHING,
    ) -> None:
        asked = list(dict.fromkeys(asked))
        super().__init__(system, Loop(system, watched, asked))
        self.keep = keep
        self._conditions = dict(zip(asked, self.loop.conditions, strict=True))
        self.layers: list[list[int]] = []
        self.dead: list[int] = []
        self.cut: list[tuple[int, int]] = []
        self.targets: MutableSequence[int] = array("Q") if self.loop.layout.width <= 64 else []
        self.actions: MutableSequence[int] = array("I")
        self.ends: MutableSequence[int] = array("Q")
        self._seen: set[int] = set()
        self._left: tuple[list[int], dict[int, int]] = [], {}
        self._stored = 0

    def __len__(self) -> int:
        return self._stored

    def run(self, limits: Limits = NO_LIMITS, reporter: Reporter = SILENT, gives_up: GivesUp = _never) -> bool:
        """Explore until there is nothing left, or a limit is reached. A step with a fault is not taken.

        False if it `gives_up`, for something that is better with so many states; what it has found is not all then.
        """
        watch, reported, self._reporter = limits.begun(), 0, reporter
        reporter.phase("initial states")
        self._begin(limits, watch, reporter)
        reporter.phase("searching")
        while self.layers[-1] and not self.stopped:
            found: list[int] = []
            first: dict[int, int] = {}
            for piece in _pieces(self.layers[-1]):
                self.stopped = self.stopped or watch.stop(_growth(self._seen, len(piece)))
                if self.stopped:
                    break
                self._take(piece, found, first, limits.states)
                if gives_up(len(self)):
                    self._left = found, first
                    return False
                if self.expanded - reported >= PIECE:
                    reported = self.expanded
                    reporter.progress(len(self), self.transitions, len(self.layers), len(self) - self.expanded)
            self._end_layer(found, first)
        self._end()
        return True

    def end(self, stop: Stop) -> None:
        """Have what was found until it gave up be all that is found: who was to find more was stopped before."""
        self.stopped = stop
        self._end_layer(*self._left)
        self._end()

    def _end_layer(self, found: list[int], first: dict[int, int]) -> None:
        """Have found a layer, as far as it goes, and the first states of what was noted on the way to it."""
        self._conclude(first)
        found.sort()
        self.layers.append(found)

    def _end(self) -> None:
        """Let go of what only the search needs."""
        if not self.layers[-1] and len(self.layers) > 1:
            self.layers.pop()
        self.bytes = self._measured()
        self._seen = set()  # not needed any more, and large

    def _measured(self) -> int:
        """The bytes of the states, and of what is kept of their steps."""
        kept = chain((self._seen, self.targets, self.actions, self.ends), self.layers)
        return sum(map(sys.getsizeof, kept)) + len(self) * sys.getsizeof(self.loop.layout.everything)

    @property
    def sizes(self) -> Sequence[int]:
        """How many states take so many actions to reach."""
        return [*map(len, self.layers)]

    def order(self) -> Iterator[int]:
        """The states, layer by layer."""
        return chain.from_iterable(self.layers)

    def where(self, condition: BoolExpr) -> Where:
        """The function that says in which of some states a condition holds; those that were announced cost less."""
        found = self._conditions.get(condition)
        if found is None:
            found = self._conditions[condition] = self.loop.where(condition)
        return found

    def first(self, condition: BoolExpr) -> int | None:
        """The first state in which a condition holds."""
        where, order = (
            self.where(condition),
            self.order(),
        )  # in pieces of their own: of millions of layers each may have one state
        pieces = iter(lambda: [*islice(order, PIECE)], [])
        return next((found[0] for piece in pieces if (found := where(piece))), None)

    def first_dead(self, condition: BoolExpr) -> int | None:
        """The first state without an enabled action in which a condition holds."""
        return next(iter(self.where(condition)(self.dead)), None)

    def first_unable(self, goals: Sequence[BoolExpr]) -> tuple[int, Sequence[bool]] | None:
        """The first state from which not every goal can be reached, and for each whether it can. Targets have been kept."""
        ables = list(able(self, goals))
        first = min((place for states in ables if (place := states.find(False)) >= 0), default=None)
        return None if first is None else (nth(self, first), [bool(states[first]) for states in ables])

    def _depth(self, state: int) -> int:
        return next(depth for depth, layer in enumerate(self.layers) if _contains(layer, state))

    def _begin(self, limits: Limits, watch: Budget, reporter: Reporter) -> None:
        """Store the initial states, as far as limits, and who hears of them, let it."""
        pack, first = self.loop.layout.pack, list[int]()
        self.layers = [first]
        states = iter(self.system.initial)
        while (piece := [*map(pack, islice(states, PIECE))]) and not self.stopped:
            self.stopped = watch.stop()
            if limits.states is not None and len(first) + len(piece) > limits.states:
                self.stopped = Stop(StopKind.STATES, limits.states)
                del piece[limits.states - len(first) :]
            first += piece
            if len(piece) == PIECE:
                reporter.progress(len(first), 0, 0, len(first))
        if self.system.sorts:
            first[:] = self.loop.stored(first)
        self._seen = set(first)
        self._stored = len(first)

    def _take(self, piece: Sequence[int], found: list[int], first: dict[int, int], most: int | None) -> None:
        """Expand some states of a layer: add the new ones to `found`, and to `first` in which state each note applies first."""
        loop = self.loop
        loop.expand(piece)
        new = set(loop.targets).difference(self._seen)
        if most is not None and len(self) + len(new) > most:
            if len(piece) > 1:
                for state in piece:
                    if not self.stopped:
                        self._take((state,), found, first, most)
                return
            self.stopped = Stop(StopKind.STATES, most)
            new = set(sorted(new)[: most - len(self)])
        else:
            self._count(piece, first)
        self._seen |= new
        self._stored += len(new)
        found += new

    def _count(self, piece: Sequence[int], first: dict[int, int]) -> None:
        """Keep what the loop came across in these states."""
        loop = self.loop
        for note, state in loop.noted:
            first.setdefault(note, state)
        self.dead += loop.dead
        self.expanded += len(piece)
        self.fired.update(loop.actions)
        if self.keep:
            so_far = self.transitions
            self.targets.extend(loop.targets)
            self.ends.extend([so_far + end for end in loop.ends])
        if self.keep is Keep.EDGES:
            self.actions.extend(loop.actions)
            self.cut += [(state, loop.notes[note].action.index) for note, state in loop.noted if loop.notes[note].fault]
        self.transitions += len(loop.targets)

    def _before(self, depth: int, state: int) -> int:
        layer = self.layers[depth]
        # what the state added at which a limit struck is not among the targets that were kept
        if self.keep and not (self.stopped and depth == len(self.layers) - 2):
            number = sum(map(len, self.layers[:depth]))
            start = self.ends[number - 1] if number else 0
            return layer[bisect_right(self.ends, self.targets.index(state, start)) - number]
        for piece in _pieces(layer):
            self.loop.expand(piece)
            if state in self.loop.targets:
                return piece[bisect_right(self.loop.ends, self.loop.targets.index(state))]
        raise EvidenceError(f"{self.system.name}: nothing leads to state {state}")


def _pieces(layer: Sequence[int]) -> Iterator[Sequence[int]]:
    return (layer[start : start + PIECE] for start in range(0, len(layer), PIECE))


def _growth(stored: set[int], more: int) -> int:
    """The bytes that a set takes more when it is given so many elements more, or a few times that: its table grows in leaps."""
    if (len(stored) + NEAR * more) * 5 < (sys.getsizeof(stored) - EMPTY) // SLOT * 3:
        return 0
    return SLOT << (2 * len(stored)).bit_length()


def _contains(layer: Sequence[int], state: int) -> bool:
    position = bisect_left(layer, state)
    return position < len(layer) and layer[position] == state

"""The one explorer: every reachable state of a system, layer by layer, and how one of them is reached.

States are packed into integers that have the order of the states themselves (`layout`). A layer holds the states that take
equally many actions to reach, in ascending order, so nothing an exploration finds depends on the order in which it looks: what comes
first is what is shallowest, then the smallest state, then the first action. The same rule chooses among equally short
paths: of the states before, the smallest; of the actions between, the first.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, MutableSequence, Sequence
from enum import IntEnum
from itertools import chain, islice

from draincheck.budget import Budget
from draincheck.errors import EvidenceError
from draincheck.exploration.loop import Loop, StepNote, Where
from draincheck.expr import BoolExpr
from draincheck.reason import Incomplete, Stop, StopKind
from draincheck.semantics.validation import Path
from draincheck.system import Fault, FaultKind, TransitionSystem
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


class Explorer:
    """One exploration and what it found; states are packed.

    Attributes:
        system: the system.
        loop: the generated search loop.
        layers: the states by how many actions it takes to reach them, each layer in ascending order.
        expanded: how many states, in the order of the layers, had all their actions taken.
        transitions: the actions taken.
        fired: the indices of the actions that were taken.
        dead: states without an enabled action, in the order of the layers.
        broken: for each watched assertion that fails the first state and action that break it.
        faults: for each kind of fault the first state and action that run into one.
        cut: the states and actions of all faults that did; only with edges kept.
        stopped: the limit that ended the exploration, None if none did.
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
        self.system, self.keep = system, keep
        asked = list(dict.fromkeys(asked))
        self.loop = Loop(system, watched, asked)
        self._conditions = dict(zip(asked, self.loop.conditions, strict=True))
        self.layers: list[list[int]] = []
        self.expanded = self.transitions = 0
        self.fired: set[int] = set()
        self.dead: list[int] = []
        self.broken: dict[str, tuple[int, int]] = {}
        self.faults: dict[FaultKind, tuple[int, int]] = {}
        self.cut: list[tuple[int, int]] = []
        self.stopped: Stop | None = None
        self.targets: MutableSequence[int] = array("Q") if self.loop.layout.width <= 64 else []
        self.actions: MutableSequence[int] = array("I")
        self.ends: MutableSequence[int] = array("Q")
        self._seen: set[int] = set()
        self._stored = 0

    def __len__(self) -> int:
        return self._stored

    def run(self, limits: Limits = NO_LIMITS, reporter: Reporter = SILENT) -> None:
        """Explore until there is nothing left, or a limit is reached. A step with a fault is not taken."""
        watch, reported = limits.begun(), 0
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
                if self.expanded - reported >= PIECE:
                    reported = self.expanded
                    reporter.progress(len(self), self.transitions, len(self.layers), len(self) - self.expanded)
            self._conclude(first)
            found.sort()
            self.layers.append(found)
        if not self.layers[-1] and len(self.layers) > 1:
            self.layers.pop()
        self._seen = set()  # not needed any more, and large

    @property
    def incomplete(self) -> Incomplete | None:
        """Why not all states and steps were seen, None if they were."""
        if self.stopped is None and FaultKind.BOUND not in self.faults:
            return None
        bound = f"{fault.message} ({fault.line})" if (fault := self._bound()) is not None else ""
        return Incomplete(len(self), bound, stopped=self.stopped)

    def _bound(self) -> Fault | None:
        """The first bound that kept an action from being taken."""
        if FaultKind.BOUND not in self.faults:
            return None
        state, index = self.faults[FaultKind.BOUND]
        return self.system.fault(self.loop.layout.unpack(state), self.system.actions[index])

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
        where = self.where(condition)
        return next((found[0] for layer in self.layers if (found := where(layer))), None)

    def path(self, state: int) -> Path:
        """The shortest path to a state, by the rule of the module text."""
        depth = next(depth for depth, layer in enumerate(self.layers) if _contains(layer, state))
        actions: list[int] = []
        while depth:
            depth -= 1
            before = self._before(depth, state)
            actions.append(self._first_action(before, state))
            state = before
        return self.loop.layout.unpack(state), actions[::-1]

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

    def _conclude(self, first: dict[int, int]) -> None:
        """Look into what was noted in a layer, first things first."""
        notes = [(state, self.loop.notes[number].action.index, number) for number, state in first.items()]
        for state, _, number in sorted(notes):
            note = self.loop.notes[number]
            if note.fault is None:
                self._break(state, note)
            else:
                self.faults.setdefault(note.fault.kind, (state, note.action.index))

    def _break(self, state: int, note: StepNote) -> None:
        if note.broken in self.broken:
            return
        if note.broken not in self.system.broken_checks(self.loop.layout.unpack(state), note.action):
            index, name = note.action.index, note.action.name
            raise EvidenceError(f"{self.system.name}: action {index} ({name}) does not break {note.broken!r} there")
        self.broken[note.broken] = state, note.action.index

    def _before(self, depth: int, state: int) -> int:
        """The smallest state of a layer that leads to another state in one step."""
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

    def _first_action(self, before: int, after: int) -> int:
        """The first action that leads from one state to another."""
        self.loop.expand((before,))
        return min(index for index, target in zip(self.loop.actions, self.loop.targets, strict=True) if target == after)


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

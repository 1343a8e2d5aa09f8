"""What an exploration has found, whichever way it looked: counts, faults, what was broken, the path to a state.

Two ways of looking find the same: what comes first is what is shallowest, then the smallest state, then the first action. The same rule
chooses among equally short paths: of the states before, the smallest; of the actions between, the first.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence

from draincheck.errors import EvidenceError
from draincheck.exploration.loop import Loop, StepNote
from draincheck.expr import BoolExpr
from draincheck.reason import Incomplete, Stop
from draincheck.semantics.validation import Path
from draincheck.system import Fault, FaultKind, TransitionSystem
from draincheck.verdict import SILENT, Reporter

__all__ = ["Explored"]


class Explored:
    """An exploration; states are packed.

    Attributes:
        system: the system.
        loop: the generated search loop.
        expanded: how many states, in the order of discovery, had all their actions taken.
        transitions: the actions taken.
        fired: the indices of the actions that were taken.
        broken: for each watched assertion that fails the first state and action that break it.
        faults: for each kind of fault the first state and action that run into one.
        stopped: the limit that ended the exploration, None if none did.
        bytes: what the states took in memory at the end.
        advice: what would have made it faster, "" if nobody knows.
    """

    def __init__(self, system: TransitionSystem, loop: Loop) -> None:
        self.system, self.loop = system, loop
        self.expanded: int = 0
        self.transitions: int = 0
        self.bytes: int = 0
        self.fired: set[int] = set()
        self.broken: dict[str, tuple[int, int]] = {}
        self.faults: dict[FaultKind, tuple[int, int]] = {}
        self.stopped: Stop | None = None
        self._steps: dict[int, tuple[int, int]] = {}
        self._reporter: Reporter = SILENT
        self.advice = ""

    def looked_at(self, states: int) -> None:
        """Tell whoever waits how many of the states have been looked at once more, for what they lead to."""
        self._reporter.progress(states, self.transitions, len(self.sizes) - 1, 0)

    @abstractmethod
    def __len__(self) -> int:
        """The states that were stored."""

    @property
    @abstractmethod
    def sizes(self) -> Sequence[int]:
        """How many states take so many actions to reach."""

    @abstractmethod
    def order(self) -> Iterator[int]:
        """The states, layer by layer, each layer in ascending order. Raises OutOfBudget."""

    @abstractmethod
    def first(self, condition: BoolExpr) -> int | None:
        """The first state in which a condition holds."""

    @abstractmethod
    def first_dead(self, condition: BoolExpr) -> int | None:
        """The first state without an enabled action in which a condition holds."""

    @abstractmethod
    def first_unable(self, goals: Sequence[BoolExpr]) -> tuple[int, Sequence[bool]] | None:
        """The first state from which not every goal can be reached, and for each whether it can; None if there is no such state.

        What comes after states that were not expanded is not known: from these anything may be reached. The goals were announced. Raises
        OutOfBudget.
        """

    @abstractmethod
    def _depth(self, state: int) -> int:
        """How many actions it takes to reach a state that was found."""

    @abstractmethod
    def _before(self, depth: int, state: int) -> int:
        """The smallest of the states that take so many actions to reach from which one more leads to a state. Raises EvidenceError."""

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

    def path(self, state: int) -> Path:
        """The shortest path to a state, by the rule of the module text."""
        depth = self._depth(state)
        actions: list[int] = []
        while depth:
            depth -= 1
            before, action = self._step(depth, state)
            actions.append(action)
            state = before
        return self.loop.layout.unpack(state), actions[::-1]

    def _step(self, depth: int, state: int) -> tuple[int, int]:
        """The last step of the path to a state, from one that takes so many actions to reach; paths have most of their steps in common."""
        found = self._steps.get(state)
        if found is None:
            before = self._before(depth, state)
            found = self._steps[state] = before, self._first_action(before, state)
        return found

    def _first_action(self, before: int, after: int) -> int:
        """The first action that leads from one state to another. Raises EvidenceError."""
        self.loop.expand((before,))
        taken = zip(self.loop.actions, self.loop.targets, strict=True)
        found = min((index for index, target in taken if target == after), default=None)
        if found is None:
            raise EvidenceError(f"{self.system.name}: no action leads from state {before} to state {after}")
        return found

    def _conclude(self, first: Mapping[int, int]) -> None:
        """Look into what was noted in a layer, first things first; `first` has the first state for each note."""
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

"""The reachable states of a system with all edges between them: what questions about whole runs are asked of.

States are numbered in the order a breadth-first search discovers them, the initial ones first. Fairness assumptions are
bits: bit n stands for `system.fairness[n]`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from time import perf_counter

from draincheck.engines.successors import Successors
from draincheck.expr import BoolExpr
from draincheck.semantics.validation import Evidence, Path
from draincheck.system import Action, Fault, FaultKind, State, Strength, TransitionSystem
from draincheck.verdict import SILENT, Limits, Reporter

__all__ = ["Edge", "StateGraph"]

#: an action's index and the number of the state after it
Edge = tuple[int, int]

#: states expanded between two looks at the clock
PIECE = 1024


class StateGraph:
    """The graph of a system, as far as limits let it be explored.

    Attributes:
        edges: for each state its outgoing edges, in action order; none for a state that was not expanded.
        depth: for each state how many actions it takes to get there.
        enabled: for each state the assumptions of which it enables an action (taken or kept from being taken by a bound).
        stuck: the expanded states in which no action is enabled.
        grants: for each action the assumptions that it belongs to.
        weak: the assumptions of weak fairness.
        strong: the assumptions of strong fairness.
        incomplete: why not all states and edges are there, "" if they are.
    """

    def __init__(
        self, system: TransitionSystem, conditions: Iterable[BoolExpr], limits: Limits, reporter: Reporter = SILENT
    ) -> None:
        self.system, self.limits, self.reporter = system, limits, reporter
        self.started = perf_counter()
        asked = list(dict.fromkeys(conditions))
        self.successors = Successors(system, (), asked)
        self._conditions: Mapping[BoolExpr, Callable[[int], object]] = dict(
            zip(asked, self.successors.conditions, strict=True)
        )
        self._set_fairness()
        self._states: list[int] = []
        self._number: dict[int, int] = {}
        #: the edge through which each state was found: the number of the state before, and the action
        self._origin: list[tuple[int, int] | None] = []
        self.depth: list[int] = []
        self.edges: list[list[Edge]] = []
        self.enabled: list[int] = []
        self.stuck: set[int] = set()
        self._bound: Fault | None = None
        self._stopped = ""
        self._explore()

    def __len__(self) -> int:
        return len(self._states)

    @property
    def roots(self) -> range:
        """The initial states."""
        return range(self._roots)

    @property
    def incomplete(self) -> str:
        """Why not all states and edges are there, "" if they are."""
        reasons = [self._stopped] if self._stopped else []
        if self._bound is not None:
            reasons.append(f"bound passed: {self._bound.message} ({self._bound.line})")
        return f"{', '.join(reasons)} after {len(self)} states" if reasons else ""

    def state(self, number: int) -> State:
        """The stored values of a state."""
        return self.successors.layout.unpack(self._states[number])

    def where(self, condition: BoolExpr) -> bytearray:
        """For each state whether one of the conditions that were announced holds there."""
        return bytearray(map(bool, map(self._conditions[condition], self._states)))

    def path(self, number: int) -> Path:
        """A shortest way to a state."""
        actions: list[int] = []
        while (origin := self._origin[number]) is not None:
            number, action = origin
            actions.append(action)
        return self.state(number), actions[::-1]

    def _set_fairness(self) -> None:
        self.weak = self.strong = 0
        self.grants = [0] * len(self.system.actions)
        for number, fairness in enumerate(self.system.fairness):
            bit = 1 << number
            if fairness.strength is Strength.WEAK:
                self.weak |= bit
            else:
                self.strong |= bit
            for index in fairness.actions:
                self.grants[index] |= bit

    def _explore(self) -> None:
        for state in self.system.initial:
            self._find(self.successors.layout.pack(state), None)
        self._roots = len(self._states)
        number = 0
        while number < len(self._states) and not self._stopped:
            self._expand(number)
            number += 1
            if number % PIECE == 0:
                self._pause(number)

    def _pause(self, expanded: int) -> None:
        """Say how far the search is, and stop it if time is up."""
        found = len(self._states)
        self.reporter.progress(found, sum(map(len, self.edges)), 0, found - expanded)
        seconds = self.limits.seconds
        if seconds is not None and perf_counter() - self.started >= seconds:
            self._stopped = f"time limit {seconds:g} s reached"

    def _find(self, packed: int, origin: tuple[int, int] | None) -> int:
        """The number of a state, a new one if it has none; -1 where the limit forbids that."""
        number = self._number.get(packed)
        if number is None:
            number = len(self._states)
            if number == self.limits.states:
                self._stopped = f"state limit {number} reached"
                return -1
            self._number[packed] = number
            self._states.append(packed)
            self._origin.append(origin)
            self.depth.append(0 if origin is None else self.depth[origin[0]] + 1)
            self.edges.append([])
            self.enabled.append(0)
        return number

    def _expand(self, here: int) -> None:
        """Find the edges that leave a state; all of them, or none if the limit on states comes in between."""
        state, edges, enabled, moves = self._states[here], list[Edge](), 0, False
        for index, step, watch in self.successors[state & self.successors.select]:
            after = step(state)
            if after is None:
                continue
            moves = True
            enabled |= self.grants[index]
            if watch is not None and (wrong := watch(state)) > 0:
                self._note_fault(here, self.system.actions[index], wrong)
                continue
            target = self._find(after, (here, index))
            if target < 0:
                return
            edges.append((index, target))
        self.edges[here], self.enabled[here] = edges, enabled
        if not moves:
            self.stuck.add(here)

    def _note_fault(self, here: int, action: Action, number: int) -> None:
        """Remember a bound; raises ModelFault for a fault that is an error of the model."""
        fault = action.faults[number - 1]
        if fault.kind is not FaultKind.BOUND:
            raise Evidence(self.system).fault(action, fault, self.path(here))
        self._bound = self._bound or fault

"""The reachable states of a system with all edges between them: what questions about whole runs are asked of.

States are numbered layer by layer, each layer in ascending order, the initial ones first (see `explorer`). Fairness assumptions are
bits: bit n stands for `system.fairness[n]`.
"""

from __future__ import annotations

from collections.abc import Iterable

from draincheck.exploration.explorer import Explorer, Keep
from draincheck.expr import BoolExpr
from draincheck.promise import Strength
from draincheck.semantics.validation import Evidence, Path, conclude
from draincheck.system import FaultKind, State, TransitionSystem
from draincheck.verdict import SILENT, Limits, Reporter, Verdict

__all__ = ["Edge", "StateGraph"]

#: states between two looks at the budget
PIECE = 4096

#: bytes that a state takes here, and an edge
STATE, EDGE = 250, 70

#: an action's index and the number of the state after it
Edge = tuple[int, int]


class StateGraph:
    """The graph of a system, as far as limits let it be explored. Making one raises OutOfBudget if time or memory end when that is done.

    Attributes:
        edges: for each state its outgoing edges, in action order; none for a state that was not expanded.
        depth: for each state how many actions it takes to get there.
        enabled: for each state the assumptions of which it enables an action (taken or kept from being taken by a fault).
        stuck: the expanded states in which no action is enabled.
        expanded: how many states had all their actions taken: those with the lowest numbers.
        cut: the states and actions where a fault keeps an action from being taken.
        fired: the indices of the actions that were taken.
        grants: for each action the assumptions that it belongs to.
        weak: the assumptions of weak fairness.
        strong: the assumptions of strong fairness.
        roots: the initial states.
        stopped: the limit that ended the exploration, None if none did.
        incomplete: why not all states and edges are there, None if they are.
    """

    def __init__(
        self, system: TransitionSystem, conditions: Iterable[BoolExpr], limits: Limits, reporter: Reporter = SILENT
    ) -> None:
        self.system = system
        self._explorer = explorer = Explorer(system, (), conditions, Keep.EDGES)
        self._budget = limits.begun()
        explorer.run(self._budget, reporter)
        if explorer.ends:
            self._budget.look(STATE * len(explorer) + EDGE * explorer.transitions)
        self.stopped, self.incomplete = explorer.stopped, explorer.incomplete
        self.fired, self._faults = explorer.fired, explorer.faults
        self.roots = range(len(explorer.layers[0]))
        self._states = list(explorer.order())
        self.depth = [depth for depth, layer in enumerate(explorer.layers) for _ in layer]
        number = {state: number for number, state in enumerate(self._states)}
        self.stuck = {number[state] for state in explorer.dead}
        self.cut = {(number[state], action) for state, action in explorer.cut}
        reporter.phase("edges of the graph")
        self._set_edges(number)
        self._set_fairness()

    def __len__(self) -> int:
        return len(self._states)

    def state(self, number: int) -> State:
        """The stored values of a state."""
        return self._explorer.loop.layout.unpack(self._states[number])

    def number(self, state: State) -> int:
        """The number of a state that was reached."""
        return self._states.index(self._explorer.loop.layout.pack(state))

    def where(self, condition: BoolExpr) -> bytearray:
        """For each state whether one of the conditions that were announced holds there."""
        return bytearray(map(set(self._explorer.where(condition)(self._states)).__contains__, self._states))

    def may_stop(self, number: int) -> bool:
        """Whether a run may stay in a state for ever, without any step: no assumption is about what is enabled there."""
        return number < self.expanded and not self.enabled[number]

    def path(self, number: int) -> Path:
        """The shortest way to a state, by the rule of `explorer`."""
        return self._explorer.path(self._states[number])

    def meeting(self, kind: FaultKind) -> frozenset[int]:
        """The states that enable an action with a fault of a kind."""
        actions, fault = self.system.actions, self.system.fault
        found = ((here, fault(self.state(here), actions[index])) for here, index in self.cut)
        return frozenset(here for here, met in found if met is not None and met.kind is kind)

    def met(self) -> list[Verdict]:
        """What is demanded of every system and violated by faults that some run meets."""
        evidence = Evidence(self.system)
        ways = [
            (item, self._explorer.path(self._faults[item.kind][0]))
            for item in self.system.implicit
            if item.kind in self._faults
        ]
        return [conclude(item, evidence.shows(item, way), None) for item, way in ways]

    def _set_edges(self, number: dict[int, int]) -> None:
        explorer, start = self._explorer, 0
        self.expanded = len(explorer.ends)
        self.edges: list[list[Edge]] = [[] for _ in self._states]
        for here, end in enumerate(explorer.ends):
            if here % PIECE == 0:
                self._budget.look()
            targets = map(number.__getitem__, explorer.targets[start:end])
            self.edges[here] = sorted(zip(explorer.actions[start:end], targets, strict=True))
            start = end

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
        self.enabled = [0] * len(self)
        for here, edges in enumerate(self.edges):
            for action, _ in edges:
                self.enabled[here] |= self.grants[action]
        for here, action in self.cut:
            self.enabled[here] |= self.grants[action]

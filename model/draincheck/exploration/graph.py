"""The reachable states of a system with all edges between them: what questions about whole runs are asked of.

States are numbered layer by layer, each layer in ascending order, the initial ones first (see `explorer`). Fairness assumptions are
bits: bit n stands for `system.fairness[n]`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from functools import cached_property

from draincheck.budget import look
from draincheck.exploration.components import fair_components
from draincheck.exploration.explored import Explored
from draincheck.exploration.explorer import Explorer, Keep
from draincheck.expr import BoolExpr
from draincheck.promise import Strength
from draincheck.semantics.validation import Evidence, Path, conclude
from draincheck.system import FaultKind, State, TransitionSystem
from draincheck.verdict import SILENT, Limits, Reporter, Verdict

__all__ = ["Edge", "ExploredGraph", "StateGraph", "WaitingStates"]

#: states between two looks at the budget
PIECE = 4096

#: bytes that a state takes here, and an edge
STATE, EDGE = 250, 70

#: an action's index and the number of the state after it
Edge = tuple[int, int]


class ExploredGraph:
    """The graph of a system, as far as limits let it be explored.

    Attributes:
        edges: for each state its outgoing edges, in action order; none for a state that was not expanded.
        depth: for each state how many actions it takes to get there.
        enabled: for each state the assumptions of which it enables an action (taken or kept from being taken by a fault).
        expanded: how many states had all their actions taken: those with the lowest numbers.
        cut: the states and actions where a fault keeps an action from being taken.
        fired: the indices of the actions that were taken.
        grants: for each action the assumptions that it belongs to.
        weak: the assumptions of weak fairness.
        strong: the assumptions of strong fairness.
        roots: the initial states.
        stopped: the limit that ended the exploration, None if none did.
        incomplete: why not all states and edges are there, None if they are.
        advice: what would have made it faster, "" if nobody knows.
    """

    edges: Sequence[Sequence[Edge]]
    depth: Sequence[int]
    enabled: Sequence[int]
    cut: set[tuple[int, int]]

    def __init__(self, explored: Explored) -> None:
        """Take over what an exploration has found."""
        self.system, self._explored = explored.system, explored
        self.stopped, self.incomplete = explored.stopped, explored.incomplete
        self.fired, self.advice = explored.fired, explored.advice
        self.expanded, self.roots = explored.expanded, range(explored.sizes[0])
        self.weak, self.strong, self.grants = _fairness(explored.system)

    def __len__(self) -> int:
        return len(self._explored)

    @abstractmethod
    def packed(self, number: int) -> int:
        """A state by its number, packed."""

    @abstractmethod
    def where(self, condition: BoolExpr) -> bytearray:
        """For each state whether one of the conditions that were announced holds there."""

    @abstractmethod
    def fair_homes(self, inside: Collection[int]) -> Mapping[int, Container[int]]:
        """The largest strongly connected parts of some states that are fair, by each of their members (see `components`)."""

    @abstractmethod
    def waiting(self, starts: Iterable[int], met: bytearray) -> WaitingStates:
        """The states that are reached from some, which are in order of depth, where a goal is not `met`."""

    @cached_property
    def stuck(self) -> set[int]:
        """The expanded states in which no action is enabled."""
        kept = {here for here, _ in self.cut}
        return {here for here in range(self.expanded) if here not in kept and not self.edges[here]}

    def state(self, number: int) -> State:
        """The stored values of a state."""
        return self._explored.loop.layout.unpack(self.packed(number))

    def may_stop(self, number: int) -> bool:
        """Whether a run may stay in a state for ever, without any step: no assumption is about what is enabled there."""
        return number < self.expanded and not self.enabled[number]

    def path(self, number: int) -> Path:
        """The shortest way to a state, by the rule of `explorer`."""
        return self._explored.path(self.packed(number))

    def meeting(self, kind: FaultKind) -> frozenset[int]:
        """The states that enable an action with a fault of a kind."""
        actions, fault = self.system.actions, self.system.fault
        found = ((here, fault(self.state(here), actions[index])) for here, index in self.cut)
        return frozenset(here for here, met in found if met is not None and met.kind is kind)

    def met(self) -> list[Verdict]:
        """What is demanded of every system and violated by faults that some run meets."""
        evidence, faults = Evidence(self.system), self._explored.faults
        ways = [
            (item, self._explored.path(faults[item.kind][0])) for item in self.system.implicit if item.kind in faults
        ]
        return [conclude(item, evidence.shows(item, way), None) for item, way in ways]


class WaitingStates:
    """States in which a run may be waiting, nearest first, and how it gets there from where the waiting begins.

    Attributes:
        numbers: the states.
    """

    numbers: Sequence[int]

    @abstractmethod
    def depth(self, number: int) -> int:
        """How many actions it takes to wait in a state."""

    @abstractmethod
    def origin(self, number: int) -> Edge | None:
        """The state before, behind the action from there; None where the waiting begins."""


def _fairness(system: TransitionSystem) -> tuple[int, int, list[int]]:
    """The assumptions of weak fairness, those of strong fairness, and for each action those that it belongs to."""
    weak = strong = 0
    grants = [0] * len(system.actions)
    for number, fairness in enumerate(system.fairness):
        bit = 1 << number
        if fairness.strength is Strength.WEAK:
            weak |= bit
        else:
            strong |= bit
        for index in fairness.actions:
            grants[index] |= bit
    return weak, strong, grants


class StateGraph(ExploredGraph):
    """The graph as Python explores it. Making one raises OutOfBudget if time or memory end when that is done."""

    def __init__(
        self,
        system: TransitionSystem,
        conditions: Iterable[BoolExpr],
        limits: Limits,
        reporter: Reporter = SILENT,
        explorer: Explorer | None = None,
    ) -> None:
        """Explore a system, unless that has been done."""
        self._budget = limits.begun()
        if explorer is None:
            explorer = Explorer(system, (), conditions, Keep.EDGES)
            explorer.run(self._budget, reporter)
        super().__init__(explorer)
        self._explorer = explorer
        if explorer.ends:
            self._budget.look(STATE * len(explorer) + EDGE * explorer.transitions)
        self._states = list(explorer.order())
        self.depth = [depth for depth, layer in enumerate(explorer.layers) for _ in layer]
        number = {state: number for number, state in enumerate(self._states)}
        self.cut = {(number[state], action) for state, action in explorer.cut}
        reporter.phase("edges of the graph")
        self.edges = self._listed(number)
        self.enabled = self._enabled()

    def packed(self, number: int) -> int:
        """A state by its number, packed."""
        return self._states[number]

    def number(self, state: State) -> int:
        """The number of a state that was reached."""
        return self._states.index(self._explorer.loop.layout.pack(state))

    def where(self, condition: BoolExpr) -> bytearray:
        """For each state whether one of the conditions that were announced holds there."""
        return bytearray(map(set(self._explorer.where(condition)(self._states)).__contains__, self._states))

    def fair_homes(self, inside: Collection[int]) -> Mapping[int, Container[int]]:
        """The largest strongly connected parts of some states that are fair, by each of their members."""
        return {number: component for component in fair_components(self, inside) for number in component}

    def waiting(self, starts: Iterable[int], met: bytearray) -> WaitingStates:
        """The states that are reached from some, which are in order of depth, where a goal is not `met`."""
        return _Followed(self, deque(starts), met)

    def _listed(self, number: dict[int, int]) -> list[list[Edge]]:
        explorer, start = self._explorer, 0
        edges: list[list[Edge]] = [[] for _ in self._states]
        for here, end in enumerate(explorer.ends):
            if here % PIECE == 0:
                self._budget.look()
            targets = map(number.__getitem__, explorer.targets[start:end])
            edges[here] = sorted(zip(explorer.actions[start:end], targets, strict=True))
            start = end
        return edges

    def _enabled(self) -> list[int]:
        enabled = [0] * len(self)
        for here, edges in enumerate(self.edges):
            for action, _ in edges:
                enabled[here] |= self.grants[action]
        for here, action in self.cut:
            enabled[here] |= self.grants[action]
        return enabled


class _Followed(WaitingStates):
    """Breadth first from several states, each at its own depth; both queues are in order of depth."""

    def __init__(self, graph: StateGraph, starts: deque[int], met: bytearray) -> None:
        self._graph, self._met = graph, met
        self.numbers = self._found = list[int]()
        self._depth: dict[int, int] = {}
        self._origin: dict[int, Edge | None] = {}
        queue: deque[int] = deque()
        depth = graph.depth
        while starts or queue:
            if starts and (not queue or depth[starts[0]] <= self._depth[queue[0]]):
                start = starts.popleft()
                if start not in self._depth:
                    self._depth[start], self._origin[start] = depth[start], None
                    queue.appendleft(start)
            else:
                self._expand(queue.popleft(), queue)

    def _expand(self, here: int, queue: deque[int]) -> None:
        self._found.append(here)
        if len(self._found) % PIECE == 0:
            look()
        for action, target in self._graph.edges[here]:
            if target not in self._depth and not self._met[target]:
                self._depth[target], self._origin[target] = self._depth[here] + 1, (action, here)
                queue.append(target)

    def depth(self, number: int) -> int:
        """How many actions it takes to wait in a state."""
        return self._depth[number]

    def origin(self, number: int) -> Edge | None:
        """The state before, behind the action from there; None where the waiting begins."""
        return self._origin[number]

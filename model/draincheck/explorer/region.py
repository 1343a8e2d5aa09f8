"""The part of a system's graph that the explorer walks in: all of it, or the states nearest to some.

States are numbered: of a whole graph as the explorer numbers them, layer by layer; of a part the states that it lies around come first, then those
one step from them, and so on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from itertools import islice

from msgspec import Struct

from draincheck.budget import look
from draincheck.exploration.graph import Edge, StateGraph
from draincheck.exploration.layout import Layout
from draincheck.exploration.loop import Loop, Where
from draincheck.expr import BoolExpr
from draincheck.system import State, TransitionSystem

__all__ = ["WalkRegion"]

#: states expanded at once, between two looks at the budget
PIECE = 1024


class WalkRegion(Struct, frozen=True, dict=True, eq=False):
    """States with what is enabled there.

    Attributes:
        layout: how states are packed.
        states: packed, by number.
        edges: for each state the actions taken there, in order, and where they lead; none for a state that was not expanded.
        cut: the states and actions where an error, or a bound of the model, keeps an action from being taken.
        roots: how many of the first are initial states.
        expanded: how many had all their actions taken: those with the lowest numbers.
        where: for each state whether a condition holds there.
        whole: the graph that all this is, None for a part of one.
    """

    layout: Layout
    states: Sequence[int]
    edges: Sequence[Sequence[Edge]]
    cut: frozenset[tuple[int, int]]
    roots: int
    expanded: int
    where: Callable[[BoolExpr], bytearray]
    whole: StateGraph | None = None

    @classmethod
    def all_of(cls, graph: StateGraph) -> WalkRegion:
        """A whole graph."""
        states = [graph.packed(number) for number in range(len(graph))]
        layout = Layout(graph.system.variables)
        return cls(layout, states, graph.edges, frozenset(graph.cut), len(graph.roots), len(graph), graph.where, graph)

    @classmethod
    def around(
        cls, system: TransitionSystem, starts: Iterable[State], conditions: Iterable[BoolExpr], most: int
    ) -> WalkRegion:
        """Some states, those that are initial first, what comes after them, and what is nearest to these: as many as `most` if they are not more."""
        return _Around(system, list(conditions), most).grown(starts)

    def number(self, state: State) -> int:
        """The number of a state that is there. Raises KeyError."""
        return self._numbers[self.layout.pack(state)]

    def state(self, number: int) -> State:
        """The stored values of a state."""
        return self.layout.unpack(self.states[number])

    @cached_property
    def _numbers(self) -> dict[int, int]:
        return {state: number for number, state in enumerate(self.states)}


class _Around:
    """A part of a graph in the making."""

    def __init__(self, system: TransitionSystem, conditions: Sequence[BoolExpr], most: int) -> None:
        self._loop, self._most = Loop(system, (), conditions), most
        self._initial = set(map(self._loop.layout.pack, islice(system.initial, most)))
        self._where: dict[BoolExpr, Where] = dict(zip(conditions, self._loop.conditions, strict=True))
        self._numbers: dict[int, int] = {}
        self._edges: list[list[Edge]] = []
        self._cut: set[tuple[int, int]] = set()

    def grown(self, starts: Iterable[State]) -> WalkRegion:
        """What lies around these states."""
        found = dict.fromkeys(map(self._loop.layout.pack, starts))
        first = [*(state for state in found if state in self._initial), *found]
        self._numbers = {state: number for number, state in enumerate(dict.fromkeys(first))}
        layer, full = self._expanded(list(self._numbers), needed=True)
        while layer and not full:
            layer, full = self._expanded(layer)
        expanded = len(self._edges)
        edges = [*self._edges, *([] for _ in range(len(self._numbers) - expanded))]
        roots = sum(state in self._initial for state in found)
        return WalkRegion(
            self._loop.layout, list(self._numbers), edges, frozenset(self._cut), roots, expanded, self._truths
        )

    def _expanded(self, layer: Sequence[int], *, needed: bool = False) -> tuple[list[int], bool]:
        """The states after those of a layer that are new, and whether there is no more room for what comes after one; for what is `needed` there is."""
        before = len(self._numbers)
        for state in layer:
            if len(self._edges) % PIECE == 0:
                look()
            if not self._expand(state, needed):
                return [], True
        return list(islice(self._numbers, before, None)), False

    def _expand(self, state: int, needed: bool) -> bool:
        """Take all actions of a state, unless that leads to more states than there is room for."""
        loop, numbers = self._loop, self._numbers
        loop.expand((state,))
        new = [target for target in dict.fromkeys(loop.targets) if target not in numbers]
        if not needed and len(numbers) + len(new) > self._most:
            return False
        numbers.update(zip(new, range(len(numbers), len(numbers) + len(new)), strict=True))
        here = len(self._edges)
        self._edges.append(sorted(zip(loop.actions, map(numbers.__getitem__, loop.targets), strict=True)))
        self._cut |= {(here, note.action.index) for number, _ in loop.noted if (note := loop.notes[number]).fault}
        return True

    def _truths(self, condition: BoolExpr) -> bytearray:
        if condition not in self._where:
            self._where[condition] = self._loop.where(condition)
        return bytearray(map(set(self._where[condition](self._numbers)).__contains__, self._numbers))

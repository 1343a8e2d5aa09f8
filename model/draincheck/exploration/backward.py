"""From which states others can be reached: searches against the direction of the steps."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from draincheck.budget import look
from draincheck.expr import BoolExpr

if TYPE_CHECKING:
    from draincheck.exploration.explorer import Explorer
    from draincheck.exploration.graph import Edge

__all__ = ["Follow", "Steps", "able", "distances", "nth", "predecessors"]

#: states between two looks at the budget
PIECE = 4096

#: bytes of a state's number, and of what leads there
NUMBERED = 150

#: whether to go back over an edge: the state it leaves, its action
Follow = Callable[[int, int], bool]


def predecessors(edges: Sequence[Sequence[Edge]]) -> list[list[Edge]]:
    """For each state of a graph the actions and states that lead there, as (action, state before)."""
    before: list[list[Edge]] = [[] for _ in edges]
    for here, leaving in enumerate(edges):
        _look_at_times(here)
        for action, target in leaving:
            before[target].append((action, here))
    return before


def distances(
    before: Sequence[Sequence[Edge]], goals: Iterable[int], follow: Follow = lambda here, action: True
) -> dict[int, int]:
    """The states from which a goal can be reached over edges that may be followed, and how many steps it takes.

    Args:
        before: the predecessors of each state.
        goals: where to begin; they take no step.
        follow: which edges may be followed.
    """
    found = dict.fromkeys(sorted(goals), 0)
    queue = list(found)
    for number, state in enumerate(queue):
        _look_at_times(number)
        for action, here in before[state]:
            if here not in found and follow(here, action):
                found[here] = found[state] + 1
                queue.append(here)
    return found


def able(explorer: Explorer, goals: Iterable[BoolExpr]) -> Iterator[bytearray]:
    """For each of some goals that were announced: from which states of an exploration, in order, one may be reached that satisfies it.

    What comes after states that were not expanded is not known: from these anything may be reached. Targets must have been kept. Lists of
    predecessors would take more memory than the states; instead walks go forward, each to states that no walk has been to, and what has
    led to a goal is known for all that pass it later. One round of walks is nearly always enough; a walk that ends elsewhere is tried
    again when more is known.
    """
    look(NUMBERED * len(explorer))
    number = dict(zip(explorer.order(), range(len(explorer)), strict=True))
    targets = array("Q", map(number.__getitem__, explorer.targets))
    for goal in goals:
        walks = _Walks(explorer.ends, targets, len(explorer), explorer.looked_at)
        for layer in explorer.layers:
            for state in explorer.where(goal)(layer):
                walks.able[number[state]] = True
        walks.able[explorer.expanded :] = b"\1" * (len(explorer) - explorer.expanded)
        while walks.round():
            pass
        yield walks.able


def nth(explorer: Explorer, number: int) -> int:
    """The state with this number, in the order of an exploration."""
    return next(islice(explorer.order(), number, None))


def _look_at_times(number: int) -> None:
    if number % PIECE == 0:
        look()


class _Walks:
    """Walks forward; `able` says of each state whether a goal is known to be reached from there."""

    def __init__(
        self, ends: Sequence[int], targets: Sequence[int], states: int, looked_at: Callable[[int], None]
    ) -> None:
        self.able, self._looked_at = bytearray(states), looked_at
        self._ends, self._targets = ends, targets
        self._visited = bytearray()

    def round(self) -> bool:
        """Walk from every state that is not known to be able; True if that was of use, and there are still such."""
        before = self.able.count(False)
        self._visited = bytearray(self.able)
        for start in range(len(self.able) - 1, -1, -1):
            if start % PIECE == 0:
                look()
                if start:
                    self._looked_at(len(self.able) - start)
            if not self._visited[start]:
                self._walk(start)
        return 0 < self.able.count(False) < before

    def _walk(self, here: int) -> None:
        able, visited, ends, targets = self.able, self._visited, self._ends, self._targets
        path: list[int] = []
        while here >= 0:
            visited[here] = True
            path.append(here)
            after = -1
            for target in targets[ends[here - 1] if here else 0 : ends[here]]:
                if able[target]:
                    for passed in path:
                        able[passed] = True
                    return
                if not visited[target]:
                    after = target
            here = after


class Steps:
    """The steps of an exploration that saw all states and kept its edges, between states that are numbered in their order.

    All of it stands in arrays: a list of edges for each state would take ten times the memory of the states.
    """

    def __init__(self, explorer: Explorer, pulse: Callable[[], None]) -> None:
        """Number the states; `pulse` is called now and then."""
        self._explorer, self._pulse = explorer, pulse
        number = dict(zip(explorer.order(), range(len(explorer)), strict=True))
        self._targets = array("Q", map(number.__getitem__, explorer.targets))
        pulse()
        self._starts, self._before = self._turned()

    def _turned(self) -> tuple[array[int], array[int]]:
        """For each state where its predecessors begin in the list of all predecessors, and that list."""
        ends = array("Q", bytes(8 * (len(self._explorer) + 1)))
        for target in self._targets:
            ends[target + 1] += 1
        for state in range(len(self._explorer)):
            ends[state + 1] += ends[state]
        self._pulse()
        places, before = ends[:], array("Q", bytes(8 * len(self._targets)))
        for state, targets in self._leaving():
            for target in targets:
                before[places[target]] = state
                places[target] += 1
        return ends, before

    def _leaving(self) -> Iterator[tuple[int, array[int]]]:
        """Each state with where its steps lead."""
        start = 0
        for state, end in enumerate(self._explorer.ends):
            if not state % PIECE:
                self._pulse()
            yield state, self._targets[start:end]
            start = end

    def ranks(self, goal: BoolExpr) -> list[int]:
        """For each state how many steps it takes at least to meet a goal; -1 where none does."""
        order = list(self._explorer.order())
        met = set(self._explorer.where(goal)(order))
        ranks = [0 if state in met else -1 for state in order]
        layer, rank = [state for state, found in enumerate(ranks) if found == 0], 0
        while layer:
            layer, rank = self._nearest(ranks, layer, rank + 1), rank + 1
        return ranks

    def _nearest(self, ranks: list[int], layer: Sequence[int], rank: int) -> list[int]:
        """The states without a rank from which a step leads to a layer; they get this one."""
        starts, before = self._starts, self._before
        found: list[int] = []
        for number, state in enumerate(layer):
            if not number % PIECE:
                self._pulse()
            for source in before[starts[state] : starts[state + 1]]:
                if ranks[source] < 0:
                    ranks[source] = rank
                    found.append(source)
        return found

    def strategy(self, ranks: Sequence[int]) -> list[int]:
        """For each state the first action that leads to a lower rank; -1 where none does."""
        actions, end, found = self._explorer.actions, 0, list[int]()
        for state, targets in self._leaving():
            start, end, rank = end, end + len(targets), ranks[state]
            nearer = (a for a, t in zip(actions[start:end], targets, strict=True) if ranks[t] < rank)
            found.append(min(nearer, default=-1) if rank > 0 else -1)
        return found

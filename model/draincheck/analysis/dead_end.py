"""Where a run comes to that has lost its goal: the nearest states that nothing leads out of any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from draincheck.analysis.standing import ControlMap
from draincheck.exploration.components import components
from draincheck.system import State, TransitionSystem

if TYPE_CHECKING:
    from draincheck.exploration.graph import Edge

__all__ = ["DeadEnd", "dead_end"]

#: so many states are looked at: less than a second's worth
LIMIT: Final = 4000


class DeadEnd(Struct, frozen=True):
    """States that are left for no others.

    Attributes:
        states: all of them.
        path: a shortest way to the nearest of them: the action of each step, and the state before it.
        taken: the actions taken among them.
    """

    states: tuple[State, ...]
    path: tuple[tuple[State, int], ...]
    taken: frozenset[int]


def dead_end(system: TransitionSystem, state: State) -> DeadEnd | None:
    """The dead end nearest to a state; None if none is found within the limit."""
    seen = _Onward(system, state)
    dead = [[number] for number, edges in enumerate(seen.edges) if not edges]
    rounds = components(seen.edges, range(len(seen.edges)))
    closed = (members for members in (*dead, *rounds) if seen.is_closed(members))
    nearest = min(closed, key=min, default=None)  # states are numbered layer by layer
    if nearest is None:
        return None
    states = tuple(seen.states[number] for number in sorted(nearest))
    taken = frozenset(action for number in nearest for action, _ in seen.edges[number])
    return DeadEnd(states, seen.path(min(nearest)), taken)


class _Onward:
    """What can be reached from a state, breadth first; states beyond the limit have a number and no edges list."""

    def __init__(self, system: TransitionSystem, start: State) -> None:
        numbers = {start: 0}
        self.states = [start]
        self._came_by: list[tuple[int, int]] = [(0, -1)]
        self.edges: list[list[Edge]] = []
        places = ControlMap(system)
        while len(self.edges) < min(len(self.states), LIMIT):
            here = len(self.edges)
            self.edges.append([])
            for action in places.enabled(self.states[here]):
                after = system.step(self.states[here], action)
                if after not in numbers:
                    numbers[after] = len(self.states)
                    self.states.append(after)
                    self._came_by.append((here, action.index))
                self.edges[here].append((action.index, numbers[after]))
        self.edges += [[(-1, -1)]] * (len(self.states) - len(self.edges))

    def path(self, number: int) -> tuple[tuple[State, int], ...]:
        """The steps by which a state was found."""
        steps: list[tuple[State, int]] = []
        while number:
            number, action = self._came_by[number]
            steps.append((self.states[number], action))
        return tuple(reversed(steps))

    def is_closed(self, members: list[int]) -> bool:
        """Whether no edge leads out of these states."""
        inside = set(members)
        return all(target in inside for number in members for _, target in self.edges[number])

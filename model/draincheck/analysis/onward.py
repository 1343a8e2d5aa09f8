"""What comes from a state on, searched: every state that can be reached from it, as far as a limit lets them be looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from draincheck.analysis.standing import ControlMap
from draincheck.properties import FaultKind
from draincheck.system import State, TransitionSystem

if TYPE_CHECKING:
    from draincheck.exploration.graph import Edge

__all__ = ["LIMIT", "Onward"]

#: so many states are looked at: less than a second's worth
LIMIT: Final = 4000


class Onward:
    """What can be reached from a state, breadth first; states beyond the limit have a number and no edges.

    Attributes:
        states: by number; the first is where the search begins.
        edges: of each state, in the order of processes; one to nowhere, (-1, -1), of a state that was not looked at.
        cut: the states and actions where a fault keeps an action from being taken.
        complete: all that can come is there: no limit was met, and no bound of the model.
    """

    def __init__(self, system: TransitionSystem, start: State) -> None:
        numbers = {start: 0}
        self.states = [start]
        self._came_by: list[tuple[int, int]] = [(0, -1)]
        self.edges: list[list[Edge]] = []
        self.cut: list[tuple[int, int]] = []
        self.complete = True
        places = ControlMap(system)
        while len(self.edges) < min(len(self.states), LIMIT):
            here = len(self.edges)
            self.edges.append([])
            for action in places.able(self.states[here]):
                if (fault := system.fault(self.states[here], action)) is not None:
                    self.cut.append((here, action.index))
                    self.complete &= fault.kind is not FaultKind.BOUND
                    continue
                after = system.step(self.states[here], action)
                if after not in numbers:
                    numbers[after] = len(self.states)
                    self.states.append(after)
                    self._came_by.append((here, action.index))
                self.edges[here].append((action.index, numbers[after]))
        self.complete &= len(self.edges) == len(self.states)
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

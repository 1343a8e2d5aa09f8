"""What comes of steps from a state on, and in all runs: whether they come, make a condition true, or would be an error where they come.

All states of the system are searched for that; where these are too many, those that come after the state. What is said to come does come.
That something never does is only said where all was seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Final

from msgspec import Struct

from draincheck.analysis.onward import Onward
from draincheck.exploration.graph import Edge, StateGraph
from draincheck.expr import BoolExpr
from draincheck.system import State, TransitionSystem
from draincheck.verdict import Limits

__all__ = ["Future"]

#: systems of so many states are searched whole: less than a second's worth
MOST: Final = Limits(states=20_000)


class _Part(Struct, frozen=True):
    """What can come from some states on: by action the states before and after it, and those where it would be an error."""

    taken: dict[int, list[Edge]]
    errors: dict[int, list[int]]


class Future:
    """The steps that come from a state on.

    Attributes:
        complete: all of them are known.
    """

    def __init__(self, system: TransitionSystem, start: State) -> None:
        self.system = system
        self._truths: dict[BoolExpr, dict[int, bool]] = {}
        self._parts: dict[str, _Part] = {}
        graph = StateGraph(system, (), MOST)
        self._whole = None if graph.incomplete else graph
        self._edges: Sequence[Sequence[Edge]] = graph.edges
        self._cut = sorted(graph.cut)
        self._state: Callable[[int], State] = graph.state
        self._start, self.complete = 0, True
        if self._whole is not None:
            self._start = graph.number(start)
        else:
            self._look_ahead(Onward(system, start))

    def _look_ahead(self, onward: Onward) -> None:
        """Where not all states of the system were looked at: those that come after the one that is asked about."""
        self._edges, self._cut, self._state = onward.edges, onward.cut, onward.states.__getitem__
        self.complete = onward.complete

    def moves(self, process: str) -> bool:
        """Whether a process is seen to take a step, or to run into an error."""
        part = self._from_here("")
        return any(self.system.actions[index].process == process for index in (*part.taken, *part.errors))

    def comes(self, action: int, without: str = "") -> bool:
        """Whether an action is seen to be taken while the process `without` takes no step."""
        return action in self._from_here(without).taken

    def helping(self, actions: Iterable[int], condition: BoolExpr | None, without: str = "") -> list[int]:
        """Those of some actions that are seen to make a condition true (without one: to be taken) while the process `without` takes no step."""
        taken = self._from_here(without).taken
        return [index for index in actions if any(self._makes(edge, condition) for edge in taken.get(index, ()))]

    def always_helps(self, action: int, condition: BoolExpr, without: str = "") -> bool:
        """Whether an action makes a condition true wherever it is seen to be taken and the condition is false before."""
        edges = self._from_here(without).taken.get(action, ())
        return all(self._holds(condition, edge[1]) for edge in edges if self._is_open(edge, condition))

    def errs(self, action: int, condition: BoolExpr | None) -> bool:
        """Whether an action is seen to be an error where it would make a condition true (without one: anywhere)."""
        states = map(self._state, self._from_here("").errors.get(action, ()))
        step, taken = self.system.step, self.system.actions[action]
        return any(condition is None or self.system.holds(condition, step(state, taken)) for state in states)

    def ever_helps(self, action: int, condition: BoolExpr) -> bool | None:
        """Whether an action makes a condition true in some run from the start; None where that is not known."""
        if self._whole is None:
            return None
        return any(self._makes(edge, condition) for edge in self._in_all_runs.get(action, ()))

    def _is_open(self, edge: Edge, condition: BoolExpr) -> bool:
        return not self._holds(condition, edge[0])

    def _makes(self, edge: Edge, condition: BoolExpr | None) -> bool:
        """Whether a condition is false before a step and true after it."""
        return condition is None or (self._is_open(edge, condition) and self._holds(condition, edge[1]))

    def _holds(self, condition: BoolExpr, number: int) -> bool:
        known = self._truths.setdefault(condition, {})
        if number not in known:
            known[number] = self.system.holds(condition, self._state(number))
        return known[number]

    @cached_property
    def _in_all_runs(self) -> dict[int, list[Edge]]:
        return self._taken(range(len(self._edges)))

    def _from_here(self, without: str) -> _Part:
        """What comes while a process takes no step."""
        if without not in self._parts:
            inside = self._reached(without)
            cut: dict[int, list[int]] = {}
            for here, action in self._cut:
                if here in inside and self._goes(action, without):
                    cut.setdefault(action, []).append(here)
            self._parts[without] = _Part(self._taken(inside, without), cut)
        return self._parts[without]

    def _taken(self, inside: Iterable[int], without: str = "") -> dict[int, list[Edge]]:
        found: dict[int, list[Edge]] = {}
        for here in inside:
            for action, target in self._onwards(here, without):
                found.setdefault(action, []).append((here, target))
        return found

    def _reached(self, without: str) -> dict[int, None]:
        found = {self._start: None}
        queue = [self._start]
        for here in queue:
            new = [target for _, target in self._onwards(here, without) if target not in found]
            found |= dict.fromkeys(new)
            queue += dict.fromkeys(new)
        return found

    def _onwards(self, here: int, without: str) -> Iterator[Edge]:
        return ((action, target) for action, target in self._edges[here] if target >= 0 and self._goes(action, without))

    def _goes(self, action: int, without: str) -> bool:
        return self.system.actions[action].process != without

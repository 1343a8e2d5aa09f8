"""What is still possible from each state of a system, as far as one property is concerned: can it be violated, can that be avoided?

Three fates, decided on the whole graph:

* *safe*: no path from here violates the property;
* *open*: some path does, and some path comes to a safe state without violating it on the way;
* *lost*: no path comes to a safe state any more without violating it on the way.

A run from a lost state can put the violation off by going in circles, but not if it neglects no step for ever: sooner or later such a
run violates the property. Where nothing is safe because the property stays at risk for ever, nothing is open either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import Enum

from draincheck.engines.stategraph import StateGraph
from draincheck.errors import ModelError
from draincheck.expr import BoolExpr
from draincheck.system import (
    Action,
    Always,
    Assertion,
    CanAlwaysFinish,
    NoDeadlock,
    Property,
    State,
    TransitionSystem,
)
from draincheck.trace import Trace
from draincheck.verdict import Limits

__all__ = ["FATE_LIMITS", "Fate", "Fates"]

#: the largest graph that is looked at: some seconds' worth
FATE_LIMITS = Limits(states=200_000)

#: whether to go back over an edge: the state it leaves, its action, the state it comes to
_Follow = Callable[[int, int, int], bool]


class Fate(Enum):
    """What is still possible; see the module text. The best one comes first."""

    SAFE = "safe"
    OPEN = "open"
    LOST = "lost"


class Fates:
    """The fate of every reachable state of a system with respect to one property. States go by their numbers in the graph.

    Raises ModelError if that cannot be said: no single state or step violates the property, or the graph is too large.
    """

    def __init__(self, system: TransitionSystem, item: Property, limits: Limits = FATE_LIMITS) -> None:
        condition = _condition(system, item)
        self._graph = StateGraph(system, () if condition is None else (condition,), limits)
        if self._graph.incomplete:
            raise ModelError(
                f"{system.name} is too large to look at all that could have happened instead ({self._graph.incomplete}); "
                "choose a smaller scenario"
            )
        self.system, self.item = system, item
        self._before = self._predecessors()
        self._breaking = frozenset(self._breaking_steps())
        self._bad = self._bad_states(condition)
        self._safe, self._open = self._divided()

    def of(self, state: int) -> Fate:
        """The fate of a state."""
        return Fate.SAFE if state in self._safe else Fate.OPEN if state in self._open else Fate.LOST

    def state(self, number: int) -> State:
        """The stored values of a state."""
        return self._graph.state(number)

    def is_bad(self, state: int) -> bool:
        """Whether the property is violated in this very state."""
        return state in self._bad

    def breaks(self, state: int, action: int) -> bool:
        """Whether taking an action in this state breaks a check of the property."""
        return (state, action) in self._breaking

    def along(self, trace: Trace) -> list[int]:
        """The numbers of the states that a trace of this system passes."""
        here = next(number for number in self._graph.roots if self._graph.state(number) == trace.initial)
        numbers = [here]
        for taken in trace.actions:
            here = next(target for action, target in self._graph.edges[here] if action == taken)
            numbers.append(here)
        return numbers

    def other_ways(self, state: int, taken: int) -> list[tuple[Action, Fate]]:
        """What else could be done in a state without violating the property at once, and the fate after it; the best first."""
        ways = [
            (self.system.actions[action], self.of(target))
            for action, target in self._graph.edges[state]
            if action != taken and not self.is_bad(target) and not self.breaks(state, action)
        ]
        return sorted(ways, key=lambda way: list(Fate).index(way[1]))

    def _divided(self) -> tuple[frozenset[int], frozenset[int]]:
        """The safe states, and the open ones."""
        doing_wrong = {state for state, _ in self._breaking}
        at_risk = self._backwards(self._bad | doing_wrong, lambda here, action, after: True)
        safe = frozenset(range(len(self._graph))) - at_risk
        good = self._backwards(
            safe, lambda here, action, after: here not in self._bad and not self.breaks(here, action)
        )
        return safe, good - safe

    def _predecessors(self) -> list[list[tuple[int, int]]]:
        """For each state the states and actions that lead there."""
        before: list[list[tuple[int, int]]] = [[] for _ in range(len(self._graph))]
        for here, edges in enumerate(self._graph.edges):
            for action, target in edges:
                before[target].append((here, action))
        return before

    def _breaking_steps(self) -> Iterator[tuple[int, int]]:
        """The states and actions where a check of the property fails."""
        actions, name = self.system.actions, self.item.name
        watched = {action.index for action in actions if any(check.property == name for check in action.checks)}
        for here, edges in enumerate(self._graph.edges):
            for action, _ in edges:
                if action in watched and name in self.system.broken_checks(self._graph.state(here), actions[action]):
                    yield here, action

    def _bad_states(self, condition: BoolExpr | None) -> frozenset[int]:
        """The states in which the property is violated, if it is one of states."""
        if condition is None:
            return frozenset()
        everything = frozenset(range(len(self._graph)))
        holding = frozenset(number for number, holds in enumerate(self._graph.where(condition)) if holds)
        match self.item:
            case CanAlwaysFinish():
                return everything - self._backwards(holding, lambda here, action, after: True)
            case NoDeadlock():
                return frozenset(self._graph.stuck) - holding
            case _:
                return everything - holding

    def _backwards(self, goals: Iterable[int], follow: _Follow) -> frozenset[int]:
        """The states from which a goal can be reached over edges that may be followed."""
        found = set(goals)
        queue = list(found)
        for state in queue:
            for here, action in self._before[state]:
                if here not in found and follow(here, action, state):
                    found.add(here)
                    queue.append(here)
        return frozenset(found)


def _condition(system: TransitionSystem, item: Property) -> BoolExpr | None:
    """What has to be looked at in every state; raises ModelError for a property that no state or step violates."""
    match item:
        case Always(holds=condition) | CanAlwaysFinish(goal=condition):
            return condition
        case NoDeadlock():
            return system.final
        case Assertion():
            return None
        case _:
            raise ModelError(f"no single state or step violates {item.name!r}, so there is none to do otherwise")

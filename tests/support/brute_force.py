"""What pictures say of states, computed from the reference interpreter's states and a system's own steps, in the plainest way: search after search.

It shares no code with `draincheck.analysis`: a mark is passed on every way to a state if the state is out of reach without it, and so on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property

import networkx as nx

from draincheck import interpreter
from draincheck.properties import Always, Assertion, CanAlwaysFinish, NoFault, Property
from draincheck.system import FaultKind, State, TransitionSystem

__all__ = ["Explored", "Taken"]

#: a state, the index of an action, the state after it; and which of these may be taken
Taken = tuple[State, int, State]
Allowed = Callable[[Taken], bool]


def _behind(starts: Iterable[State], pairs: Iterable[tuple[State, State]]) -> set[State]:
    """These states, and those to which pairs lead from them."""
    graph: nx.DiGraph[object] = nx.DiGraph([("start", "start"), *pairs, *(("start", state) for state in starts)])
    return {state for state in nx.descendants(graph, "start") if isinstance(state, tuple)}


class Explored:
    """All states and steps of a system, and what becomes of a property."""

    def __init__(self, system: TransitionSystem, item: Property | None = None) -> None:
        self.system, self.item = system, item
        self.states = interpreter.states(system)
        self.steps: list[Taken] = [
            (state, action.index, system.step(state, action))
            for state in self.states
            for action in system.enabled(state)
            if system.fault(state, action) is None
        ]
        self.roots = set(system.initial)

    def reached(self, starts: Iterable[State], allowed: Allowed = lambda step: True) -> set[State]:
        """The states that can be reached by steps that are allowed."""
        return _behind(starts, ((a, b) for a, index, b in self.steps if allowed((a, index, b))))

    def reaching(self, ends: Iterable[State], allowed: Allowed = lambda step: True) -> set[State]:
        """The states from which steps that are allowed lead to one of these."""
        return _behind(ends, ((b, a) for a, index, b in self.steps if allowed((a, index, b))))

    def marks(self, step: Taken) -> set[str]:
        """The marks of what takes place in a step."""
        parts = self.system.actions[step[1]].parts
        return {part.mark for part in parts if part.mark and self.system.holds(part.when, step[0])}

    def passed(self, mark: str) -> set[State]:
        """The states that are out of reach without this mark."""
        return set(self.states) - self.reached(self.roots, lambda step: mark not in self.marks(step))

    def meets(self, kind: FaultKind) -> set[State]:
        """The states that enable an action with a fault of a kind."""
        return {state for state in self.states if self.system.faulty(state, kind) is not None}

    # -- what becomes of the property ---------------------------------------------------------------

    @cached_property
    def bad(self) -> set[State]:
        """The states that violate the property."""
        item = self.item
        if isinstance(item, Always):
            return {state for state in self.states if not self.system.holds(item.holds, state)}
        if isinstance(item, CanAlwaysFinish):
            goals = {state for state in self.states if self.system.holds(item.goal, state)}
            return set(self.states) - self.reaching(goals)
        return set()

    def breaks(self, step: Taken) -> bool:
        """Whether a step violates an assertion."""
        if not isinstance(self.item, Assertion):
            return False
        return self.item.name in self.system.broken_checks(step[0], self.system.actions[step[1]])

    @cached_property
    def ending(self) -> set[State]:
        """The states in which a run can end with the error that the property is about."""
        return self.meets(self.item.kind) if isinstance(self.item, NoFault) else set()

    @cached_property
    def safe(self) -> set[State]:
        """The states from which nothing leads to a violation."""
        wrong = self.bad | self.ending | {step[0] for step in self.steps if self.breaks(step)}
        return set(self.states) - self.reaching(wrong)

    @cached_property
    def fates(self) -> dict[State, str]:
        """What becomes of the property, by state."""
        clean = self.reached(self.roots - self.bad, lambda step: self._is_clean(step) and step[2] not in self.bad)
        saved = self.reaching(self.safe, self._is_clean)
        found = dict.fromkeys(self.states, "violated")
        for state in clean:
            found[state] = "safe" if state in self.safe else "avoidable" if state in saved else "doomed"
        return found

    def _is_clean(self, step: Taken) -> bool:
        """Whether a step violates nothing, and starts where nothing is violated."""
        return not self.breaks(step) and step[0] not in self.bad

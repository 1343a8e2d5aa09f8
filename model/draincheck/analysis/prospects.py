"""Which steps may still come from a state, or from a loop on: more than will, never fewer, and no search.

A step is given up if control cannot come to it by steps that may come, if its process waits inside a coroutine that takes none of these, if
it is one of a parked coroutine that none of these enters, or if something it demands is false and none of them could make it true. What is
left when nothing more can be given up may come.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from draincheck.analysis.enabling import could_make_true, demands_of
from draincheck.analysis.standing import ControlMap, Posture
from draincheck.expr import BoolExpr, Substitution
from draincheck.system import Action, State

__all__ = ["Prospects"]


class Prospects:
    """The steps that may still come.

    Attributes:
        ahead: the indices of the actions to which control could come if nothing kept it.
        coming: those that may come.
    """

    def __init__(self, places: ControlMap, states: Sequence[State], meaning: Substitution) -> None:
        self._map, self._states, self._meaning, self._system = places, states, meaning, places.system
        self._makers: dict[str, frozenset[int]] = {}
        self._stands = places.stands(states[-1])
        self._of = {
            name: frozenset(a.index for a in self._system.actions if a.process == name) for name in self._stands
        }
        self.ahead = self._reached(frozenset[int]().union(*self._of.values()))
        self.coming = self._left(self.ahead)

    def without(self, process: str) -> frozenset[int]:
        """Those that may come while a process takes no step."""
        return self._left(self.coming - self._of[process])

    def makers(self, condition: BoolExpr) -> frozenset[int]:
        """The actions that could make a condition (in the model's own words) true, those that cannot come any more included."""
        text = str(condition)
        if text not in self._makers:
            wanted, actions = self._meaning(condition), self._system.actions
            self._makers[text] = frozenset(a.index for a in actions if could_make_true(self._system, a, wanted))
        return self._makers[text]

    def _left(self, coming: frozenset[int]) -> frozenset[int]:
        """Of these actions those that need not be given up."""
        while True:
            able = frozenset(index for index in coming if self._may_come(self._system.actions[index], coming))
            left = self._reached(able)
            if left == coming:
                return left
            coming = left

    def _reached(self, able: frozenset[int]) -> frozenset[int]:
        """Those of these actions to which control can come by others of them."""
        last, found = self._states[-1], frozenset[int]()
        for process in self._map.processes:
            found |= self._map.ahead(process, self._map.number(process, last), able)
        return found & able

    def _may_come(self, action: Action, coming: frozenset[int]) -> bool:
        stand = self._stands[action.process]
        if stand.awaits and self._of[stand.awaits].isdisjoint(coming):
            return False
        if stand.posture is Posture.PARKED and self._map.entering(action.process).isdisjoint(coming):
            return False
        return all(not self.makers(term).isdisjoint(coming) for term in self._false(action))

    def _false(self, action: Action) -> Iterator[BoolExpr]:
        """What an action demands and is false all along."""
        for term in demands_of(action):
            wanted = self._meaning(term)
            if not any(self._system.holds(wanted, state) for state in self._states):
                yield term

"""Which steps may still come from a state, or from a loop on: more than will, never fewer, and no search.

A step may come if control can come to it by steps that may come before it, if one of these is of the coroutine inside which its process
waits, one enters the coroutine whose step it is where that is parked, and one could make true whatever it demands that is false; and a
step that would be an error where it stands needs one that mends that. Of values a variable has those that it has now, and those that
one of these steps may store. So nothing supports itself: two that wait for each other both wait for ever.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from draincheck.analysis.enabling import could_make_true, demands_of, soundness_of, stored_by
from draincheck.analysis.standing import ControlMap, Posture
from draincheck.expr import BoolExpr, Expr, Substitution, variables_of
from draincheck.system import Action, State

__all__ = ["Coming", "Prospects"]

#: a variable with more initial values than that may hold any
MANY: Final = 16


class Prospects:
    """The steps that may still come.

    Attributes:
        ahead: the indices of the actions to which control could come if nothing kept it.
    """

    def __init__(self, places: ControlMap, states: Sequence[State], meaning: Substitution) -> None:
        self.map, self.states, self.system = places, states, places.system
        self.stands = places.stands(states[-1])
        self._meaning = meaning
        self._lacks: dict[int, dict[str, BoolExpr]] = {}
        self._coming: dict[tuple[str, str], Coming] = {}
        self.ahead = frozenset(self._reached(range(len(self.system.actions))))
        self._ever = Values({v: frozenset(v.initial) for v in self.system.variables if 0 < len(v.initial) <= MANY})
        self._ever.grow(self.system.actions)

    def coming(self, *, without: str = "", granted: str = "") -> Coming:
        """Those that may come while the process `without` takes no step, or as if the process `granted` could go on."""
        key = without, granted
        if key not in self._coming:
            self._coming[key] = Coming(self, *key)
        return self._coming[key]

    def makers(self, condition: BoolExpr) -> frozenset[int]:
        """The actions that could make a condition over variables true, with any values that variables ever have."""
        actions = self.system.actions
        return frozenset(a.index for a in actions if could_make_true(self.system, a, condition, self._ever.known))

    def ready(self, able: Collection[int]) -> Iterator[Action]:
        """The actions to which control can come by these."""
        return map(self.system.actions.__getitem__, sorted(self._reached(able)))

    def lacks(self, action: Action) -> Mapping[str, BoolExpr]:
        """By their texts the things that an action needs and that are false all along, over variables."""
        if action.index not in self._lacks:
            needs = [*map(self._meaning, demands_of(action)), *soundness_of(self.system, action)]
            false = (term for term in needs if not any(self.system.holds(term, state) for state in self.states))
            self._lacks[action.index] = {str(term): term for term in false}
        return self._lacks[action.index]

    def leaving(self, process: str) -> list[Action]:
        """The actions that begin where a process stands."""
        return self.map.leaving(process, self.map.number(process, self.states[-1]))

    def missing(self, process: str) -> set[Expr]:
        """The variables of all that these lack: somebody else would have to change some of them."""
        lacks = (term for action in self.leaving(process) for term in self.lacks(action).values())
        return set[Expr]().union(*map(variables_of, lacks))

    def _reached(self, able: Collection[int]) -> set[int]:
        last, number = self.states[-1], self.map.number
        return {i for process in self.map.processes for i in self.map.ahead(process, number(process, last), able)}


class Values:
    """The values that variables may hold; `known` has those that are told."""

    def __init__(self, known: Mapping[Expr, frozenset[int]]) -> None:
        self.known: dict[Expr, frozenset[int]] = dict(known)

    def grow(self, actions: Collection[Action]) -> None:
        """Add what these actions may store, in any order and as often as they like."""
        growing = True
        while growing:
            found = [pair for action in actions for pair in stored_by(action, self.known)]
            growing = sum(self._add(*pair) for pair in found) > 0

    def _add(self, variable: Expr, values: frozenset[int] | None) -> bool:
        before = self.known.get(variable)
        if before is None or (values is not None and values <= before):
            return False
        if values is None:
            del self.known[variable]
        else:
            self.known[variable] = before | values
        return True


class Coming:
    """The steps that may come under some condition (see `Prospects.coming`).

    Attributes:
        rounds: for each of their actions, by index, how many others have to come before it, one after the other.
    """

    def __init__(self, prospects: Prospects, without: str, granted: str) -> None:
        self._prospects, self._without, self._granted = prospects, without, granted
        self._system = prospects.system
        held = map(frozenset, zip(*prospects.states, strict=True))
        open_ = prospects.missing(granted) if granted else set[Expr]()
        pairs = zip(self._system.variables, held, strict=True)
        self._values = Values({variable: values for variable, values in pairs if variable not in open_})
        self._made = set[str]()
        self.rounds: dict[int, int] = {}
        number = 0
        while new := [action.index for action in prospects.ready(self.rounds) if self._is_next(action)]:
            self.rounds |= dict.fromkeys(new, number)
            self._values.grow([self._system.actions[index] for index in self.rounds])
            number += 1

    def offers(self, action: Action, condition: BoolExpr | None) -> bool:
        """Whether a step may come, and could make a condition over variables true then; without one whether it may come."""
        return action.index in self.rounds and (condition is None or self._makes(action, condition))

    def _is_next(self, action: Action) -> bool:
        """Whether it may come now, and was not known to."""
        process, stands = action.process, self._prospects.stands
        if action.index in self.rounds or process == self._without:
            return False
        if process == self._granted and action in self._prospects.leaving(process):
            return True
        stand, places = stands[process], self._prospects.map
        if stand.awaits and not self._has_come(a.index for a in self._system.actions if a.process == stand.awaits):
            return False
        if stand.posture is Posture.PARKED and not self._has_come(places.entering(process)):
            return False
        return all(self._is_made(text, term) for text, term in self._prospects.lacks(action).items())

    def _has_come(self, indices: Iterable[int]) -> bool:
        return any(index in self.rounds for index in indices)

    def _is_made(self, text: str, term: BoolExpr) -> bool:
        """Whether something that comes before could make it true."""
        if text not in self._made and any(self._makes(self._system.actions[index], term) for index in self.rounds):
            self._made.add(text)
        return text in self._made

    def _makes(self, action: Action, term: BoolExpr) -> bool:
        return could_make_true(self._system, action, term, self._values.known)

"""Which steps may still come from a state, or from a loop on: more than will, never fewer, and no search.

A step may come if control can come to it by steps that may come before it, if one of these is of the coroutine inside which its process
waits, one enters the coroutine whose step it is where that is parked, and one could make true whatever it demands that is false; and a
step that would be an error where it stands needs one that mends that. Of values a variable has those that it has now, and those that
one of these steps may store. So nothing supports itself: two that wait for each other both wait for ever.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import starmap
from typing import Final, NamedTuple

from draincheck.analysis.enabling import could_make_true, demands_of, soundness_of, stored_by
from draincheck.analysis.standing import ControlMap, Posture
from draincheck.expr import BoolExpr, Expr, Substitution, variables_of
from draincheck.system import Action, State

__all__ = ["Coming", "Prospects"]

#: a variable with more initial values than that may hold any
MANY: Final = 16


class _Terms(NamedTuple):
    """On which terms steps are asked for (see `Prospects.coming`)."""

    without: str
    granted: frozenset[str]
    barred: tuple[str, str]


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
        self._coming: dict[_Terms, Coming] = {}
        self._watched: dict[int, frozenset[Expr | str]] = {}
        self._feeding: dict[Expr, set[Expr]] = {}
        for update in (update for action in self.system.actions for update in action.updates):
            self._feeding.setdefault(update.variable, set()).update(variables_of(update.value))
        self.ahead = frozenset(self._reached(range(len(self.system.actions))))
        self._ever = Values({v: frozenset(v.initial) for v in self.system.variables if 0 < len(v.initial) <= MANY})
        self._ever.grow(self.system.actions)

    def coming(self, *, without: str = "", granted: Collection[str] = (), barred: tuple[str, str] = ("", "")) -> Coming:
        """Those that may come while the process `without` takes no step, or as if each process `granted` could go on where it stands.

        With `barred`, a process and the text of a condition: as if that process never got past that condition.
        """
        terms = _Terms(without, frozenset(granted), barred)
        if terms not in self._coming:
            self._coming[terms] = Coming(self, terms)
        return self._coming[terms]

    def makers(self, condition: BoolExpr) -> frozenset[int]:
        """The actions that could make a condition over variables true, with any values that variables ever have."""
        actions = self.system.actions
        return frozenset(a.index for a in actions if could_make_true(self.system, a, condition, self._ever.known))

    def lacks(self, action: Action) -> Mapping[str, BoolExpr]:
        """By their texts the things that an action needs and that are false all along, over variables."""
        if action.index not in self._lacks:
            needs = [*map(self._meaning, demands_of(action)), *soundness_of(self.system, action)]
            false = (term for term in needs if not any(self.system.holds(term, state) for state in self.states))
            self._lacks[action.index] = {str(term): term for term in false}
        return self._lacks[action.index]

    def leaving(self, process: str) -> list[Action]:
        """The actions that begin where a process stands."""
        return self.map.leaving(process, self.number(process))

    def number(self, process: str) -> int:
        """The number of the place where a process stands."""
        return self.map.number(process, self.states[-1])

    def watched(self, action: Action) -> frozenset[Expr | str]:
        """On what it depends whether an action may come: variables, and processes whose steps it needs.

        Of what it lacks the variables, and those that decide what is stored in them.
        """
        if action.index not in self._watched:
            stand = self.stands[action.process]
            items: set[Expr | str] = {stand.awaits} if stand.awaits else set()
            if stand.posture is Posture.PARKED:
                items |= {self.system.actions[index].process for index in self.map.entering(action.process)}
            for leaf in set[Expr]().union(*map(variables_of, self.lacks(action).values())):
                items |= {leaf, *self._feeding.get(leaf, ())}
            self._watched[action.index] = frozenset(items)
        return self._watched[action.index]

    def missing(self, process: str) -> set[Expr]:
        """The variables of all that these lack: somebody else would have to change some of them."""
        lacks = (term for action in self.leaving(process) for term in self.lacks(action).values())
        return set[Expr]().union(*map(variables_of, lacks))

    def _reached(self, able: Collection[int]) -> set[int]:
        return {i for process in self.map.processes for i in self.map.ahead(process, self.number(process), able)}


class Values:
    """The values that variables may hold; `known` has those that are told."""

    def __init__(self, known: Mapping[Expr, frozenset[int]]) -> None:
        self.known: dict[Expr, frozenset[int]] = dict(known)
        self._readers: dict[Expr, list[Action]] = {}

    def grow(self, actions: Iterable[Action]) -> set[Expr]:
        """Add what these actions may store, in any order and as often as they like, and those before; the variables of which that changed something."""
        todo, changed = list(actions), set[Expr]()
        for action in todo:
            for read in {leaf for update in action.updates for leaf in variables_of(update.value)}:
                self._readers.setdefault(read, []).append(action)
        while todo:
            grown = {variable for variable, values in stored_by(todo.pop(), self.known) if self._add(variable, values)}
            changed |= grown
            todo += (reader for variable in grown for reader in self._readers.get(variable, ()))
        return changed

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
    """The steps that may come under some condition (see `Prospects.coming`), found when they are asked for, round by round.

    Attributes:
        rounds: for each of their actions that has been found, by index, how many others have to come before it, one after the other.
    """

    def __init__(self, prospects: Prospects, terms: _Terms) -> None:
        self._prospects, self._terms = prospects, terms
        self._system = prospects.system
        held = map(frozenset, zip(*prospects.states, strict=True))
        open_ = set[Expr]().union(*map(prospects.missing, terms.granted))
        self._free = {action.index for process in terms.granted for action in prospects.leaving(process)}
        pairs = zip(self._system.variables, held, strict=True)
        self._values = Values({variable: values for variable, values in pairs if variable not in open_})
        self._made, self._places = set[str](), set[tuple[str, int]]()
        self._writers: dict[Expr, list[Action]] = {}
        self._waiting: dict[Expr | str, list[Action]] = {}
        self.rounds: dict[int, int] = {}
        self._number = 0
        self._next = [
            action
            for process in prospects.map.processes
            for action in self._arrived(process, prospects.number(process))
        ]

    def offers(self, action: Action, condition: BoolExpr | None) -> bool:
        """Whether a step may come, and could make a condition over variables true then; without one whether it may come."""
        return bool(self.first([action], condition))

    def offered(self, actions: Sequence[Action], condition: BoolExpr | None) -> list[Action]:
        """Those of some steps that may come, and could make a condition over variables true then; without one those that may come."""
        while self._next:
            self._advance()
        return self._found(actions, condition)

    def first(self, actions: Sequence[Action], condition: BoolExpr | None) -> list[Action]:
        """Those of them for which fewest others have to come before."""
        while not (found := self._found(actions, condition)) and self._next:
            self._advance()
        return found

    def _found(self, actions: Sequence[Action], condition: BoolExpr | None) -> list[Action]:
        return [a for a in actions if a.index in self.rounds and (condition is None or self._makes(a, condition))]

    def _advance(self) -> None:
        """One round more."""
        new = [action for action in self._next if action.index not in self.rounds and self._is_next(action)]
        self.rounds |= dict.fromkeys((action.index for action in new), self._number)
        self._number += 1
        touched: set[Expr | str] = {action.process for action in new}
        for action in new:
            for update in action.updates:
                touched.add(update.variable)
                self._writers.setdefault(update.variable, []).append(action)
        touched |= self._values.grow(new)
        again = [action for item in touched for action in self._waiting.pop(item, ())]
        here = [
            a
            for action in new
            for number in self._prospects.map.targets(action)
            for a in self._arrived(action.process, number)
        ]
        self._next = list({action.index: action for action in (*again, *here)}.values())

    def _arrived(self, process: str, number: int) -> list[Action]:
        """The actions that begin at a place, when control comes there for the first time."""
        if (process, number) in self._places or process == self._terms.without:
            return []
        self._places.add((process, number))
        return self._prospects.map.leaving(process, number)

    def _is_next(self, action: Action) -> bool:
        """Whether it may come now; if not it is looked at again when something has changed for it."""
        if self._may_come(action):
            return True
        for item in self._prospects.watched(action):
            self._waiting.setdefault(item, []).append(action)
        return False

    def _may_come(self, action: Action) -> bool:
        lacks = self._prospects.lacks(action)
        if action.index in self._free:
            return True
        if action.process == self._terms.barred[0] and self._terms.barred[1] in lacks:
            return False
        is_granted = action.process in self._terms.granted
        return (is_granted or self._has_control(action.process)) and all(starmap(self._is_made, lacks.items()))

    def _has_control(self, process: str) -> bool:
        """Whether something that comes before gives control to a process that waits for that."""
        stand, places = self._prospects.stands[process], self._prospects.map
        if stand.awaits and not self._has_come(a.index for a in self._system.actions if a.process == stand.awaits):
            return False
        return stand.posture is not Posture.PARKED or self._has_come(places.entering(process))

    def _has_come(self, indices: Iterable[int]) -> bool:
        return any(index in self.rounds for index in indices)

    def _is_made(self, text: str, term: BoolExpr) -> bool:
        """Whether something that comes before could make it true."""
        if text not in self._made:
            makers = {a.index: a for leaf in variables_of(term) for a in self._writers.get(leaf, ())}
            if not any(self._makes(action, term) for action in makers.values()):
                return False
            self._made.add(text)
        return True

    def _makes(self, action: Action, term: BoolExpr) -> bool:
        return could_make_true(self._system, action, term, self._values.known)

"""The actions of a system as functions over packed states, found by where its processes stand.

Each process of a compiled model has program counters: internal variables that the guards of all its actions fix. Their bits
select the few actions that may be enabled in a state; what else a guard demands is tested by the action's own function.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, cast

from draincheck.exploration.domains import Facts, conjunction
from draincheck.exploration.layout import Layout
from draincheck.exploration.writer import Writer
from draincheck.expr import BoolExpr, Expr, all_
from draincheck.parametric import refuse_naturals
from draincheck.system import Action, TransitionSystem, Variable

__all__ = ["BROKEN", "Row", "Successors"]

#: the successor of a state, or None where the action is not enabled
Step = Callable[[int], "int | None"]
#: what is wrong with taking an enabled action: 0 nothing, n its n-th fault, BROKEN a check
Watch = Callable[[int], int]
#: an action: its index, its step, and its watch if it has faults or checks
Row = tuple[int, Step, "Watch | None"]

BROKEN = -1

#: how many control locations are kept before they are forgotten and found anew, which bounds memory
MOST_LOCATIONS = 100_000


class Successors(dict[int, tuple[Row, ...]]):
    """Maps a control location (`state & select`) to the rows of the actions it allows, in index order.

    Attributes:
        layout: how states are packed.
        select: the bits of a state that are its control location.
        conditions: the conditions that were asked for, as functions over packed states.
    """

    def __init__(self, system: TransitionSystem, watched: Collection[str], conditions: Iterable[BoolExpr]) -> None:
        super().__init__()
        refuse_naturals(system)
        self.system = system
        possible = [(action, facts) for action in system.actions if (facts := conjunction([action.guard])) is not None]
        selectors = _selectors(possible)
        self.layout = Layout(system.variables, selectors)
        self.select = self.layout.mask(selectors)
        self._writer = Writer(self.layout)
        self._watched = set(watched)
        #: mask -> value -> the actions that want this part of the control location to be so
        self._groups: dict[int, dict[int, list[int]]] = {}
        steps = {action.index: self._step(action, guard, selectors) for action, guard in possible}
        watches = {index: self._watch(system.actions[index]) for index in steps}
        predicates = [self._writer.condition(condition) for condition in conditions]
        functions = compiled([*steps.values(), *filter(None, watches.values()), *predicates], system.name)
        self._rows: dict[int, Row] = {i: (i, functions[text], functions.get(watches[i])) for i, text in steps.items()}
        self.conditions: list[Callable[[int], object]] = [functions[text] for text in predicates]

    def __missing__(self, location: int) -> tuple[Row, ...]:
        found = [i for mask, by_value in self._groups.items() for i in by_value.get(location & mask, ())]
        if len(self) >= MOST_LOCATIONS:
            self.clear()
        rows = self[location] = tuple([self._rows[i] for i in sorted(found)])
        return rows

    def _step(self, action: Action, guard: Facts, selectors: Collection[Expr]) -> str:
        """The text of an action's step; files the action under the control locations it belongs to."""
        place: dict[Expr, int] = {}
        others: dict[Expr, int] = {}
        for variable, value in guard.fixed.items():
            (place if variable in selectors else others)[variable] = value
        mask, bits = self.layout.pattern(place)
        self._groups.setdefault(mask, {}).setdefault(bits, []).append(action.index)
        test = self._writer.all_of(others, guard)
        after = self._writer.successor(action.updates, guard.fixed)
        return f"{after} if {test} else None" if test else after

    def _watch(self, action: Action) -> str:
        """The text that says what is wrong with taking an action, "" if nothing ever is."""
        texts = [f"{number} if {self._writer.condition(f.when)} else " for number, f in enumerate(action.faults, 1)]
        checks = [check.holds for check in action.checks if check.property in self._watched]
        if checks:
            return f"{''.join(texts)}0 if {self._writer.condition(all_(*checks))} else {BROKEN}"
        return f"{''.join(texts)}0" if texts else ""

    def stop_watching(self, names: Collection[str]) -> None:
        """Leave out the checks of these properties from now on: all there is to know about them is known."""
        self._watched -= set(names)
        again = [i for i in self._rows if any(check.property in names for check in self.system.actions[i].checks)]
        watches = {i: self._watch(self.system.actions[i]) for i in again}
        functions = compiled(filter(None, watches.values()), self.system.name)
        self._rows.update((i, (i, self._rows[i][1], functions.get(text))) for i, text in watches.items())
        self.clear()

    def of(self, state: int) -> Iterator[tuple[int, int]]:
        """The actions that can be taken in a state, as (index, successor), in index order."""
        for index, step, watch in self[state & self.select]:
            after = step(state)
            if after is not None and (watch is None or watch(state) <= 0):
                yield index, after


def _selectors(possible: Sequence[tuple[Action, Facts]]) -> set[Expr]:
    """The internal variables that the guards of all actions of some process fix, and all that every guard fixes."""
    by_process: dict[str, set[Expr]] = {}
    for action, guard in possible:
        by_process.setdefault(action.process, set(guard.fixed)).intersection_update(guard.fixed)
    everywhere = set[Expr].intersection(*by_process.values()) if by_process else set[Expr]()
    internal = {v for fixed in by_process.values() for v in fixed if cast(Variable, v).internal}
    return internal | everywhere


#: functions by their texts: neighbouring code bases have most of them in common
_functions: dict[str, Any] = {}

#: how many functions are kept before they are forgotten
MOST_FUNCTIONS = 50_000


def compiled(texts: Iterable[str], name: str) -> dict[str, Any]:
    """The functions of a packed state `s` with these texts; all new ones are compiled at once, equal texts once."""
    wanted = list(dict.fromkeys(texts))
    if len(_functions) > MOST_FUNCTIONS:
        _functions.clear()
    new = [text for text in wanted if text not in _functions]
    source = "[" + "".join([f"lambda s: {text},\n" for text in new]) + "]"
    _functions.update(zip(new, eval(compile(source, f"<actions of {name}>", "eval")), strict=True))
    return {text: _functions[text] for text in wanted}

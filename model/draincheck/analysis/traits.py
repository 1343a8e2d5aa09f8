"""By what states can be told apart in a picture, what matters most to a property first: its fate, the marks that were passed, ...

... its conditions, what it reads, where processes stand, and what is read to write that. A trait is a function of states; nothing here decides how
many are used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from functools import partial
from pathlib import PurePath

from msgspec import Struct

from draincheck import op
from draincheck.analysis.standing import ControlMap, Posture, Stand
from draincheck.analysis.state_story import StateStory
from draincheck.expr import BoolExpr, Expr, render, variables_of
from draincheck.properties import CanAlwaysFinish, Eventually, LeadsTo, NoFault, Property, Reachable
from draincheck.sorts import Value
from draincheck.system import IntVar, State, TransitionSystem, Variable
from draincheck.walks import bottom_up
from draincheck.words import assigned

__all__ = ["Trait", "TraitKind", "traits_of"]

#: a longer condition says nothing in a picture
MAX_TEXT = 40

#: a variable with more values than that is told by the conditions that read it
MANY_VALUES = 8


class TraitKind(Enum):
    """What a trait is about."""

    FATE = "fate"
    MARK = "mark"
    CONDITION = "condition"
    VARIABLE = "variable"
    PLACE = "place"


class Trait(Struct, frozen=True):
    """Something that is so or otherwise in each state: what kind of thing, its name, and its value in a state by that one's number."""

    kind: TraitKind
    name: str
    of: Callable[[int], Value]

    @property
    def told(self) -> str:
        """What it is, in words."""
        return {TraitKind.MARK: f"({self.name})", TraitKind.PLACE: f"place of {self.name}"}.get(self.kind, self.name)

    def told_as(self, value: Value) -> str:
        """That it has a value, in words."""
        return f"{self.name}: {value}" if self.kind is TraitKind.PLACE else assigned(self.name, value)


def traits_of(story: StateStory) -> Iterator[Trait]:
    """The traits of a system's states, what matters most first."""
    if story.fates:
        yield Trait(TraitKind.FATE, "fate", lambda state: story.fates[state].value)
    for mark in story.marks:
        yield Trait(TraitKind.MARK, mark, partial(_has_passed, story, mark))
    seen = set[Expr]()
    if story.property is not None:
        yield from _of_demand(story, story.property)
        seen |= read_by(story.system, story.property)
        yield from _of_variables(story, seen)
    yield from _of_places(story)
    while more := _behind(story.system, seen) - seen:
        yield from _of_variables(story, more)
        seen |= more
    everything: set[Expr] = {*story.system.variables}
    yield from _of_variables(story, everything - seen)


def _has_passed(story: StateStory, mark: str, state: int) -> bool:
    return mark in story.passed[state]


def read_by(system: TransitionSystem, item: Property) -> set[Expr]:
    """The variables that a property reads, its checks and errors included."""
    return variables_of(*_terms(system, item))


def _terms(system: TransitionSystem, item: Property) -> Iterator[BoolExpr]:
    yield from item.conditions()
    for action in system.actions:
        yield from (term for c in action.checks if c.property == item.name for term in (c.asked, c.holds))
        if isinstance(item, NoFault):
            yield from (fault.when for fault in action.faults if fault.kind is item.kind)


def _of_demand(story: StateStory, item: Property) -> Iterator[Trait]:
    """What a demand on runs, or on what stays in reach, waits for; and short conditions about numbers that have many values."""
    if isinstance(item, CanAlwaysFinish | Eventually | LeadsTo | Reachable):
        names = ("goal",) if len(item.conditions()) == 1 else ("trigger", "goal")
        for name, condition in zip(names, item.conditions(), strict=True):
            yield _of_condition(story, name, condition)
    for text, condition in _conditions(_terms(story.system, item)).items():
        yield _of_condition(story, text, condition)


def _conditions(terms: Iterable[BoolExpr]) -> dict[str, BoolExpr]:
    """The short comparisons in terms that read a number with many values."""
    parts = dict.fromkeys(part for term in terms for part in bottom_up(term))
    found = {
        render(part): part
        for part in parts
        if isinstance(part, BoolExpr) and part.op in (op.EQ, op.LT, op.LE) and any(map(_is_wide, variables_of(part)))
    }
    return {text: part for text, part in found.items() if len(text) <= MAX_TEXT}


def _is_wide(variable: Expr) -> bool:
    return isinstance(variable, IntVar) and variable.sort.high - variable.sort.low >= MANY_VALUES


def _of_condition(story: StateStory, name: str, condition: BoolExpr) -> Trait:
    return Trait(TraitKind.CONDITION, name, lambda state: story.system.holds(condition, story.states[state]))


def _of_variables(story: StateStory, wanted: set[Expr]) -> Iterator[Trait]:
    """The variables of the program among these, in the system's order."""
    for place, variable in enumerate(story.system.variables):
        if variable in wanted and not variable.internal:
            yield Trait(TraitKind.VARIABLE, variable.name, _value(story, variable, place))


def _value(story: StateStory, variable: Variable, place: int) -> Callable[[int], Value]:
    return lambda state: variable.sort.decode(story.states[state][place])


def _of_places(story: StateStory) -> Iterator[Trait]:
    postures = _Postures(story)
    for process in postures.control.processes:
        yield Trait(TraitKind.PLACE, process, partial(postures.told, process))


class _Postures:
    """Where processes stand, in words; told once for all states that do not differ in what says so."""

    def __init__(self, story: StateStory) -> None:
        self._states, self.control = story.states, ControlMap(story.system)
        self._decisive = [story.system.position[variable] for variable in self.control.reads]
        self._known: dict[State, dict[str, Stand]] = {}

    def told(self, process: str, state: int) -> str:
        """What the model calls the place of a process, or the call that it is in."""
        stored = self._states[state]
        key = tuple(stored[place] for place in self._decisive)
        if key not in self._known:
            self._known[key] = self.control.stands(stored)
        stand = self._known[key][process]
        if stand.posture is Posture.ENDED:
            return "ended"
        return "/".join(stand.places) or (stand.stack[-1] if stand.stack else self._ahead(process, stored))

    def _ahead(self, process: str, stored: State) -> str:
        """What a process does next that stands in no call, if that is one thing; else on which line it stands."""
        leaving = self.control.leaving(process, self.control.number(process, stored))
        labels = {action.name for action in leaving}
        if len(labels) == 1:
            return f"before {labels.pop()}"
        return f"{PurePath(leaving[0].line.file).name}:{leaving[0].line.line}" if leaving else "nowhere"


def _behind(system: TransitionSystem, found: set[Expr]) -> set[Expr]:
    """The variables that are read by steps which write some of these."""
    terms: list[Expr] = []
    for action in system.actions:
        if any(update.variable in found for update in action.updates):
            terms += [action.guard, *(update.value for update in action.updates if update.variable in found)]
    return variables_of(*terms)

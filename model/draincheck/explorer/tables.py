"""The tables of a system, as the page reads them: what its variables, processes, actions and properties are called, and which conditions it is told of."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from functools import cached_property
from typing import Generic, TypeVar

from draincheck.analysis.enabling import demands_of
from draincheck.errors import SourceLine
from draincheck.explorer.walkable import PageAction, PagePart, PagePlace, PageProcess, PageProperty
from draincheck.expr import FALSE, TRUE, BoolExpr, Substitution
from draincheck.properties import Property
from draincheck.system import Action, Control, Part, Place, TransitionSystem

__all__ = ["Register", "Tables"]

T = TypeVar("T", bound=Hashable)


class Register(Generic[T]):
    """Things by their numbers, in the order in which they were first asked about."""

    def __init__(self, things: Iterable[T] = ()) -> None:
        self._numbers = {thing: number for number, thing in enumerate(dict.fromkeys(things))}

    def __getitem__(self, thing: T) -> int:
        return self._numbers.setdefault(thing, len(self._numbers))

    def __iter__(self) -> Iterator[T]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    def get(self, thing: T) -> int | None:
        """The number of a thing that has one."""
        return self._numbers.get(thing)


class Tables:
    """The tables of a system.

    Attributes:
        system: the system.
        items: its properties, and the errors of runs that its steps can meet.
        names: of its processes.
        frames: calls: function, and whether its calls are numbered.
        conditions: what the page is told the truth of, in every state, with its text in the model's own words.
        actions: all.
        processes: all.
        halted: the condition that the program was aborted; None if it never is.
        properties: all.
    """

    def __init__(self, system: TransitionSystem) -> None:
        self.system = system
        self.items: tuple[Property, ...] = (*system.properties, *system.implicit)
        acting = (action.process for action in system.actions)
        self.names = Register([*(control.process for control in system.controls), *acting])
        self.frames = Register[tuple[str, bool]]()
        self.conditions = Register[tuple[BoolExpr, str]]()
        self._variables = Register(variable.name for variable in system.variables)
        self._meaning = Substitution(dict(system.places))
        self.properties = tuple(map(self._property, self.items))
        self.actions = tuple(map(self._action, system.actions))
        self.processes = tuple(map(self._process, self.names))
        self.halted = None if system.halted is FALSE else self._condition(system.halted)

    @property
    def told(self) -> tuple[object, ...]:
        """What tells a system from others, for the page: what it does, and all that it is called."""
        texts = tuple(text for _, text in self.conditions)
        return self.system.digest, tuple(self.frames), texts, self.properties, self.actions, self.processes

    def property_number(self, name: str) -> int:
        """The number of the property of this name. Raises KeyError."""
        return self._places[name]

    def known_property(self, name: str) -> int | None:
        """The number of the property of this name, if there is one."""
        return self._places.get(name)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {item.name: number for number, item in enumerate(self.items)}

    def _property(self, item: Property) -> PageProperty:
        conditions = {role: self._condition(term) for role, term in item.roles().items()}
        return PageProperty(item.name, item.meaning, item.source, item.form, conditions)

    def _condition(self, term: BoolExpr) -> int:
        """The number of a condition, which may speak of places by their names."""
        return self.conditions[self._meaning(term), str(term)]

    # -- actions -------------------------------------------------------------------------------------

    def _action(self, action: Action) -> PageAction:
        demands = tuple(dict.fromkeys(map(self._condition, demands_of(action))))
        return PageAction(self.names[action.process], action.location, demands, tuple(map(self._part, action.parts)))

    def _part(self, part: Part) -> PagePart:
        return PagePart(
            tuple(self.frames[frame.function, frame.numbered] for frame in part.frames),
            part.opens,
            part.label,
            part.mark,
            tuple(self._variables[name] for name in part.writes),
            self.names[part.enters] if part.enters else None,
            str(part.line),
        )

    # -- processes -----------------------------------------------------------------------------------

    def _process(self, name: str) -> PageProcess:
        own = [action for action in self.system.actions if action.process == name]
        entered = any(part.enters == name for action in self.system.actions for part in action.parts)
        control = self._controls.get(name, Control(name, None, None, ()))
        position = self.system.position
        return PageProcess(
            name,
            entered or control.token is not None,
            None if control.counter is None else position[control.counter],
            None if control.token is None else position[control.token],
            tuple(map(self._place, control.places)),
            any(part.frames for action in own for part in action.parts),
            control.may_stop,
        )

    @cached_property
    def _controls(self) -> dict[str, Control]:
        return {control.process: control for control in self.system.controls}

    def _place(self, place: Place) -> PagePlace:
        back = None if place.back is TRUE else self.conditions[place.back, str(place.back)]
        awaits = self.names[place.awaits] if place.awaits else None
        return PagePlace(place.names, _line(place.line), awaits, place.inside, back, place.ended)


def _line(line: SourceLine | None) -> str:
    return "" if line is None else str(line)

"""What can be demanded of a system: of its states, of its steps, of its runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from enum import Enum
from typing import Any, ClassVar, Self

from draincheck.expr import BoolExpr

__all__ = [
    "Always",
    "Assertion",
    "Breach",
    "CanAlwaysFinish",
    "Eventually",
    "LeadsTo",
    "Liveness",
    "NoDeadlock",
    "Property",
    "Reachable",
]


class Breach(Enum):
    """What it is to violate a property."""

    #: something bad happens
    SAFETY = "safety"
    #: something good never happens, in a run that goes on for ever
    LIVENESS = "liveness"
    #: the system cannot go on, or not to where it should
    STUCK = "stuck"
    #: what should be possible is not: the model shows nothing
    VACUOUS = "vacuous"


@dataclass(frozen=True, slots=True)
class Property:
    """Something that must be true of a system. `meaning` is one line for people, `source` where the demand comes from."""

    breach: ClassVar[Breach] = Breach.SAFETY

    name: str
    meaning: str = field(default="", kw_only=True)
    source: str = field(default="", kw_only=True)

    def conditions(self) -> tuple[BoolExpr, ...]:
        """What it says about states: for `LeadsTo` trigger and goal, for the other kinds one condition or none."""
        return tuple(self._conditions().values())

    def map(self, change: Callable[[BoolExpr], BoolExpr]) -> Self:
        """The same demand with each of its conditions changed."""
        changed: dict[str, Any] = {name: change(condition) for name, condition in self._conditions().items()}
        return replace(self, **changed)

    def _conditions(self) -> dict[str, BoolExpr]:
        values = ((each.name, getattr(self, each.name)) for each in fields(self))
        return {name: value for name, value in values if isinstance(value, BoolExpr)}


@dataclass(frozen=True, slots=True)
class Always(Property):
    """An invariant: `holds` is true in every reachable state."""

    holds: BoolExpr


@dataclass(frozen=True, slots=True)
class Assertion(Property):
    """The checks of this name hold wherever their action is taken (see `Check`)."""


@dataclass(frozen=True, slots=True)
class Reachable(Property):
    """Some reachable state satisfies `goal`: a model in which nothing happens fails this."""

    breach: ClassVar[Breach] = Breach.VACUOUS

    goal: BoolExpr


@dataclass(frozen=True, slots=True)
class NoDeadlock(Property):
    """Every reachable state without an enabled action is one where `TransitionSystem.final` holds."""

    breach: ClassVar[Breach] = Breach.STUCK


@dataclass(frozen=True, slots=True)
class CanAlwaysFinish(Property):
    """From every reachable state some state that satisfies `goal` stays reachable (AG EF goal)."""

    breach: ClassVar[Breach] = Breach.STUCK

    goal: BoolExpr


@dataclass(frozen=True, slots=True)
class Liveness(Property):
    """A demand on whole runs: that something good happens, not merely that nothing bad does.

    A run goes on for ever, or ends in a state without an enabled action and stays there. Only fair runs count (see `Fairness`);
    doing nothing while something is enabled is no run.
    """

    breach: ClassVar[Breach] = Breach.LIVENESS


@dataclass(frozen=True, slots=True)
class Eventually(Liveness):
    """Every fair run comes to a state that satisfies `goal`."""

    goal: BoolExpr


@dataclass(frozen=True, slots=True)
class LeadsTo(Liveness):
    """In every fair run each state that satisfies `trigger` is, or is followed by, one that satisfies `goal`."""

    trigger: BoolExpr
    goal: BoolExpr

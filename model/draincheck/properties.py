"""What can be demanded of a system: of its states, of its steps, of its runs."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from re import sub
from typing import Any, ClassVar, Final, Self

from msgspec import Struct
from msgspec.structs import asdict, replace

from draincheck.expr import BoolExpr

__all__ = [
    "FAULTS",
    "Always",
    "Assertion",
    "Breach",
    "CanAlwaysFinish",
    "Eventually",
    "FaultKind",
    "LeadsTo",
    "Liveness",
    "NoDeadlock",
    "NoFault",
    "Property",
    "Reachable",
    "WithinBounds",
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
    #: the model ends where the system goes on
    BOUND = "bound"


class FaultKind(Enum):
    """Why taking an action makes no sense: an error that ends the run, or a bound of the model."""

    RANGE = "value out of range"
    REENTRY = "coroutine entered while it cannot be"
    SCHEDULED = "coroutine scheduled twice"
    ERROR = "error"
    BOUND = "bound passed"


class _Told(Struct, frozen=True, kw_only=True):
    """What people are told: one line of meaning, and where the demand comes from."""

    meaning: str = ""
    source: str = ""


class Property(_Told, frozen=True):
    """Something that must be true of a system. `meaning` is one line for people, `source` where the demand comes from."""

    breach: ClassVar[Breach] = Breach.SAFETY

    name: str

    @property
    def form(self) -> str:
        """What it demands of what, in words: `always`, `leads to`; who demands something else by the same name demands another thing."""
        return sub("(?<=[a-z])(?=[A-Z])", " ", type(self).__name__).lower()

    @property
    def written(self) -> str:
        """The same as a model writes it: `leads_to`, what its method is called."""
        return self.form.replace(" ", "_")

    @property
    def leaves_waiting(self) -> bool:
        """A counterexample ends, or goes round, where somebody is left waiting: `analysis.waiting` tells who."""
        return self.breach in (Breach.STUCK, Breach.LIVENESS)

    def conditions(self) -> tuple[BoolExpr, ...]:
        """What it says about states: for `LeadsTo` trigger and goal, for the other kinds one condition or none."""
        return tuple(self.roles().values())

    def map(self, change: Callable[[BoolExpr], BoolExpr]) -> Self:
        """The same demand with each of its conditions changed."""
        changed: dict[str, Any] = {name: change(condition) for name, condition in self.roles().items()}
        return replace(self, **changed) if changed else self

    def roles(self) -> dict[str, BoolExpr]:
        """The same, each under what it is to the demand: `holds`, `goal`, `trigger`."""
        return {name: value for name, value in asdict(self).items() if isinstance(value, BoolExpr)}


class Always(Property, frozen=True):
    """An invariant: `holds` is true in every reachable state."""

    holds: BoolExpr


class Assertion(Property, frozen=True):
    """The checks of this name hold wherever their action is taken (see `Check`)."""


class Reachable(Property, frozen=True):
    """Some reachable state satisfies `goal`: a model in which nothing happens fails this."""

    breach: ClassVar[Breach] = Breach.VACUOUS

    goal: BoolExpr


class NoDeadlock(Property, frozen=True):
    """No process is ever stuck: not ended, and unable to move again whatever the others do, with no final state in reach any more.

    So from every reachable state and for every process a state stays reachable in which it can move, has ended (or, a coroutine, has not been
    entered yet), or `TransitionSystem.final` holds. Who spins hides nothing. A system that does not say where its processes rest
    (`TransitionSystem.at_rest`) has deadlocks alone: states without an enabled action that are not final.
    """

    breach: ClassVar[Breach] = Breach.STUCK


class CanAlwaysFinish(Property, frozen=True):
    """From every reachable state some state that satisfies `goal` stays reachable (AG EF goal)."""

    breach: ClassVar[Breach] = Breach.STUCK

    goal: BoolExpr


class Liveness(Property, frozen=True):
    """A demand on whole runs: that something good happens, not merely that nothing bad does.

    A run goes on for ever, or stops somewhere and stays there. Only fair runs count (see `Fairness`): one may stop where something is
    enabled, too, unless an assumption says that this is not neglected. So nothing happens in the end that nobody promised, and no
    verdict depends on whether somebody else does nothing for ever.
    """

    breach: ClassVar[Breach] = Breach.LIVENESS


class Eventually(Liveness, frozen=True):
    """Every fair run comes to a state that satisfies `goal`."""

    goal: BoolExpr


class LeadsTo(Liveness, frozen=True):
    """In every fair run each state that satisfies `trigger` is, or is followed by, one that satisfies `goal`."""

    trigger: BoolExpr
    goal: BoolExpr


class NoFault(Property, frozen=True):
    """No run comes to a state that enables an action with a fault of this kind (as its first one).

    Every system has these properties, under the names in `FAULTS`, and no others of this kind.
    """

    kind: FaultKind


class WithinBounds(NoFault, frozen=True):
    """No run passes a bound of the model."""

    breach: ClassVar[Breach] = Breach.BOUND


#: what is demanded of every system, by name
FAULTS: Final = {
    item.name: item
    for item in (
        NoFault("values in range", FaultKind.RANGE, meaning="no value leaves the range of its variable"),
        NoFault(
            "coroutines entered once",
            FaultKind.REENTRY,
            meaning="no coroutine is entered while it runs or after its end",
        ),
        NoFault(
            "coroutines scheduled once",
            FaultKind.SCHEDULED,
            meaning="no coroutine is scheduled that is scheduled already",
        ),
        NoFault("no error met", FaultKind.ERROR, meaning="no run comes to an error that the model names"),
        WithinBounds("no bound passed", FaultKind.BOUND, meaning="no run passes a bound of the model"),
    )
}

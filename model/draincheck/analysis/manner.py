"""How a run shows its property: what two counterexamples have to share for the smaller one to be about the same fault."""

from __future__ import annotations

from msgspec import Struct

from draincheck.properties import Assertion, NoDeadlock, NoFault, Property
from draincheck.run import Run
from draincheck.semantics.stuck import stuck
from draincheck.semantics.violation import faulty_step, shown_for_sure
from draincheck.system import Action, Check, Fault, State, TransitionSystem

__all__ = ["Manner", "broken_checks", "same_fault"]


class Manner(Struct, frozen=True):
    """A property, and what of it a run shows.

    Attributes:
        item: the property.
        checks: of an assertion, where the checks are written that the last step breaks.
        fault: of an error of the run, its message and where it is written.
        stuck: of a deadlock, the processes that are stuck.
    """

    item: Property
    checks: frozenset[str] = frozenset()
    fault: str = ""
    stuck: frozenset[str] = frozenset()

    @classmethod
    def of(cls, run: Run, item: Property) -> Manner:
        """That of a run that shows a property."""
        match item:
            case Assertion():
                step = run.steps[-1]
                lines = map(_where, broken_checks(run.system, run.system.actions[step.action], item, step.before))
                return cls(item, checks=frozenset(lines))
            case NoFault(kind=kind):
                return cls(item, fault=_told(faulty_step(run, kind)[1]))
            case NoDeadlock():
                return cls(item, stuck=frozenset(stuck(run.system, run.states[-1])))
            case _:
                return cls(item)

    def is_shown(self, run: Run) -> bool:
        """Whether a run shows the property, for sure and in the same manner: one of the checks, the same error, the same processes."""
        return shown_for_sure(run, self.item) is True and self.shares(Manner.of(run, self.item))

    def shares(self, other: Manner) -> bool:
        """Whether another one is about the same fault: of several checks that a step breaks one is enough."""
        shared = bool(self.checks & other.checks) or self.checks == other.checks
        return shared and (self.fault, self.stuck) == (other.fault, other.stuck)

    def breaks(self, check: Check) -> bool:
        """Whether it is one of the checks."""
        return check.property == self.item.name and _where(check) in self.checks


def broken_checks(system: TransitionSystem, action: Action, item: Assertion, state: State) -> list[Check]:
    """The checks of an assertion that are false where an action is taken."""
    return [check for check in action.checks if check.property == item.name and not system.holds(check.holds, state)]


def same_fault(manner: Manner, fault: Fault) -> bool:
    """Whether a fault is the one that the manner is about."""
    return _told(fault) == manner.fault


def _told(fault: Fault) -> str:
    return f"{fault.message} ({fault.line})"


def _where(check: Check) -> str:
    return str(check.line)

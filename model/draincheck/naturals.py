"""Systems over natural numbers: what a finite system becomes when some of its integers have no upper end.

A model that counts (requests, sectors, iterations) is built as always, with the sort NATURAL for its counters; `over_naturals` then takes
away what the builder says about the upper end of that sort. Such a system is for the symbolic engines only, where its counters are the
integers of SMT-LIB. A parameter is a counter that starts with any value.
"""

from __future__ import annotations

from msgspec.structs import replace

from draincheck import op
from draincheck.errors import ModelError
from draincheck.expr import FALSE, Expr, Substitution
from draincheck.sorts import IntSort, Sort
from draincheck.system import Action, TransitionSystem, Variable

__all__ = ["INFINITY", "NATURAL", "has_naturals", "is_natural", "over_naturals", "parameter", "refuse_naturals"]

#: stands for infinity in the sort of natural numbers; nobody writes down a bound like that
INFINITY = 1 << 1024

#: the natural numbers
NATURAL = IntSort(0, INFINITY)


def is_natural(sort: Sort) -> bool:
    """Whether a sort has no upper end."""
    return sort.high >= INFINITY


def has_naturals(system: TransitionSystem) -> bool:
    """Whether some variable of a system has no upper end."""
    return any(is_natural(variable.sort) for variable in system.variables)


def refuse_naturals(system: TransitionSystem) -> None:
    """Raise ModelError for a system whose states cannot be listed."""
    for variable in system.variables:
        if is_natural(variable.sort) or not variable.initial:
            what = "has no upper end" if is_natural(variable.sort) else "may start with any value"
            raise ModelError(
                f"{system.name}: {variable.name} {what}, so its states cannot be listed; use a symbolic engine"
            )


def parameter(variable: Variable) -> None:
    """Let a variable start with any value of its sort, even where these cannot be listed."""
    variable.start_with(())


def over_naturals(system: TransitionSystem) -> TransitionSystem:
    """The system without the faults of leaving NATURAL at its upper end, which it does not have."""
    return replace(system, actions=tuple(map(_unlimited, system.actions)))


def _unlimited(action: Action) -> Action:
    without_end = _WithoutEnd({})
    faults = [replace(fault, when=without_end(fault.when)) for fault in action.faults]
    return replace(action, faults=tuple(fault for fault in faults if fault.when is not FALSE))


class _WithoutEnd(Substitution):
    """Replaces `infinity < x` by what it is: false."""

    def of(self, a: Expr) -> Expr:
        """The term with its parts replaced."""
        if a.op is op.LT and a.args[0].op is op.CONST and a.args[0].value >= INFINITY:
            return FALSE
        return super().of(a)

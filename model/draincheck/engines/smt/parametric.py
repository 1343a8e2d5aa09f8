"""Systems with parameters: a counterexample of some member of an infinite family."""

from __future__ import annotations

from collections.abc import Callable

from draincheck.engines.smt.bmc import BoundedSearch
from draincheck.expr import BoolExpr
from draincheck.system import State, TransitionSystem
from draincheck.verdict import NO_LIMITS, SILENT, Limits, Reporter, Verdict

__all__ = ["check"]


def check(
    system: TransitionSystem,
    property_name: str,
    instance: Callable[[State], TransitionSystem],
    limits: Limits = NO_LIMITS,
    reporter: Reporter = SILENT,
    *,
    known: BoolExpr | None = None,
) -> Verdict:
    """Bounded model checking of all members of a family at once.

    The trace of a counterexample belongs to `instance(initial)`, the member that starts in its first state, and has been executed there.

    Args:
        system: the family, with parameters (`draincheck.naturals.parameter`).
        property_name: what is checked.
        instance: the member that starts in a state. It has the same variables and actions.
        limits: where to stop.
        reporter: told about the depth.
        known: what has been proved of every reachable state of every member, that none enables a faulty action included.

    Raises:
        ModelFault: some state no deeper than the search went enables an action that cannot be taken.
    """
    return BoundedSearch(system, [property_name], limits, instance=instance, known=known).run(reporter)[property_name]

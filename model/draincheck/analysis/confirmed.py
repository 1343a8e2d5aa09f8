"""Whether a trace shows what is said of it, whoever says so: nothing of it is believed.

Nearly always its states say so, and some thousand that come after its end (`semantics.violation`). Where more can come whole systems are
searched, as the engine does that finds such traces.
"""

from __future__ import annotations

from draincheck.exploration.backward import able
from draincheck.exploration.explorer import Explorer, Keep
from draincheck.expr import BoolExpr
from draincheck.properties import CanAlwaysFinish, NoDeadlock, Property
from draincheck.run import Run
from draincheck.semantics.stuck import going_on
from draincheck.semantics.violation import shown_for_sure
from draincheck.verdict import NO_LIMITS, Limits

__all__ = ["confirmed"]


def confirmed(run: Run, item: Property, limits: Limits = NO_LIMITS) -> bool | None:
    """Whether an executed trace shows a property violated or, of one that asks what can be reached, its goal met.

    None where that turns on what can come after its end, and a limit, or a bound of the model, keeps that from being seen. Raises OutOfBudget.
    """
    found = shown_for_sure(run, item)
    return _searched(run, item, limits) if found is None else found


def _searched(run: Run, item: Property, limits: Limits) -> bool | None:
    """Whether a goal is out of reach from the last state, among all states; None where that is not seen."""
    goals = _goals(run, item)
    explorer = Explorer(run.system, (), goals, Keep.TARGETS)
    explorer.run(limits)
    end = explorer.loop.layout.pack(run.states[-1])
    place = next((number for number, state in enumerate(explorer.order()) if state == end), None)
    lost = place is not None and any(not states[place] for states in able(explorer, goals))
    if isinstance(
        item, NoDeadlock
    ):  # where a bound can be passed nobody is called stuck, so what is behind it does not count
        return lost or (None if explorer.stopped else False)
    return None if explorer.incomplete else lost


def _goals(run: Run, item: Property) -> list[BoolExpr]:
    """What would have to be reached, all of it, for the trace to show nothing."""
    if isinstance(item, CanAlwaysFinish):
        return [item.goal]
    assert isinstance(item, NoDeadlock)
    return list(going_on(run.system).values())

"""Whether a run that goes on for ever keeps the fairness assumptions of its system."""

from __future__ import annotations

from collections.abc import Sequence

from draincheck.run import Step
from draincheck.system import Fairness, Strength, TransitionSystem

__all__ = ["is_fair"]


def is_fair(system: TransitionSystem, loop: Sequence[Step]) -> bool:
    """Whether a run that repeats these steps for ever keeps every fairness assumption of its system."""
    return all(_keeps(system, fairness, loop) for fairness in system.fairness)


def _keeps(system: TransitionSystem, fairness: Fairness, loop: Sequence[Step]) -> bool:
    if any(step.action in fairness.actions for step in loop):
        return True
    actions = [system.actions[index] for index in fairness.actions]
    enabled = [any(system.holds(action.guard, step.before) for action in actions) for step in loop]
    return not (all(enabled) if fairness.strength is Strength.WEAK else any(enabled))

"""Whether a run keeps the fairness assumptions of its system: one that repeats some steps for ever, or one that stops for ever."""

from __future__ import annotations

from collections.abc import Sequence

from draincheck.promise import Fairness, Strength
from draincheck.run import Step
from draincheck.system import State, TransitionSystem

__all__ = ["is_fair", "may_stop", "never_promised", "promised", "who_could_move"]


def promised(system: TransitionSystem) -> frozenset[int]:
    """The actions of which some assumption says that a run does not neglect them for ever."""
    return frozenset(index for fairness in system.fairness for index in fairness.actions)


def may_stop(system: TransitionSystem, state: State) -> bool:
    """Whether a run may stay in a state for ever: nothing that was promised is enabled there.

    Weak and strong fairness say the same of a run that does nothing any more.
    """
    kept = promised(system)
    return not any(action.index in kept for action in system.enabled(state))


def never_promised(system: TransitionSystem) -> tuple[str, ...]:
    """The processes of which no assumption says anything: each may stop for ever, wherever it is."""
    kept = promised(system)
    served = {action.process for action in system.actions if action.index in kept}
    return tuple(dict.fromkeys(action.process for action in system.actions if action.process not in served))


def who_could_move(system: TransitionSystem, state: State) -> tuple[str, ...]:
    """The processes that have an enabled action in a state."""
    return tuple(dict.fromkeys(action.process for action in system.enabled(state)))


def is_fair(system: TransitionSystem, loop: Sequence[Step]) -> bool:
    """Whether a run that repeats these steps for ever keeps every fairness assumption of its system."""
    return all(_keeps(system, fairness, loop) for fairness in system.fairness)


def _keeps(system: TransitionSystem, fairness: Fairness, loop: Sequence[Step]) -> bool:
    if any(step.action in fairness.actions for step in loop):
        return True
    actions = [system.actions[index] for index in fairness.actions]
    enabled = [any(system.holds(action.guard, step.before) for action in actions) for step in loop]
    return not (all(enabled) if fairness.strength is Strength.WEAK else any(enabled))

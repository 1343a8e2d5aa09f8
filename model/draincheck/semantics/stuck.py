"""Processes that are stuck: they have not ended, and can never move again, whatever the others do.

A system that says where its processes may rest (`TransitionSystem.at_rest`) has a stuck process in a state if from there on no state can
be reached in which that process has an enabled action, is at rest, or `final` holds. One that does not say so, made by hand, has only
deadlocks: states without any enabled action that are not final. Among the processes "" stands for no one: it is stuck where all have ended
and no final state is in reach.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from draincheck.expr import BoolExpr, all_, any_, not_
from draincheck.properties import FaultKind
from draincheck.system import Action, State, TransitionSystem

__all__ = ["LeftOpen", "going_on", "is_dead", "left_open", "not_at_rest", "stuck"]

#: how many states are looked at to see that something is out of reach, beside the engine that has said so
LOOKED_AT: Final = 2000


def going_on(system: TransitionSystem) -> Mapping[str, BoolExpr]:
    """For each process what must stay reachable: it can move, it is at rest, or the state is final. "" stands for all of them together.

    Where a bound of the model is passed nobody knows what comes, and an error of the run is found as such: there no process is called stuck.
    """
    passed = any_(*(all_(a.guard, f.when) for a in system.actions for f in a.faults))
    guards: dict[str, list[BoolExpr]] = {name: [] for name, _ in system.at_rest}
    for action in system.actions:
        guards.get(action.process, []).append(action.guard)
    return {name: any_(*guards[name], rests, system.final, passed) for name, rests in system.at_rest}


def not_at_rest(system: TransitionSystem) -> BoolExpr:
    """Where nothing may stop moving: the state is not final, and not everybody is at rest."""
    away = [not_(rests) for _, rests in system.at_rest]
    return all_(not_(system.final), any_(*away)) if away else not_(system.final)


def is_dead(system: TransitionSystem, state: State) -> bool:
    """Whether nothing moves in a state where something should."""
    return system.holds(not_at_rest(system), state) and next(system.enabled(state), None) is None


class LeftOpen(Struct, frozen=True):
    """The goals that no state met that was looked at, and whether those were all that can come, which makes them out of reach."""

    names: tuple[str, ...]
    all_seen: bool


def left_open(system: TransitionSystem, state: State, goals: Mapping[str, BoolExpr]) -> LeftOpen:
    """Which goals neither a state meets nor one of some thousand that come after it. What is behind a bound is not seen."""
    left = {name: goal for name, goal in goals.items() if not system.holds(goal, state)}
    seen, layer, passed = {state}, [state], False
    bounded = any(item.kind is FaultKind.BOUND for item in system.implicit)
    while left and layer and len(seen) < LOOKED_AT:
        passed = passed or (bounded and any(system.faulty(here, FaultKind.BOUND) for here in layer))
        after = {system.step(here, action) for here in layer for action in _sound(system, here)} - seen
        for found in after:
            left = {name: goal for name, goal in left.items() if not system.holds(goal, found)}
        seen |= after
        layer = sorted(after)
    return LeftOpen(tuple(left), not layer and not passed)


def stuck(system: TransitionSystem, state: State) -> tuple[str, ...]:
    """The processes that are stuck in a state, as far as some thousand states after it show."""
    return left_open(system, state, going_on(system)).names


def _sound(system: TransitionSystem, state: State) -> Iterator[Action]:
    return (action for action in system.enabled(state) if system.fault(state, action) is None)

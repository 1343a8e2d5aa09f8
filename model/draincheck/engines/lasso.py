"""From a fair component to a run that can be shown: a loop of real edges, and the check that a trace is what it claims.

A component is no counterexample: it says that a run may stay inside for ever, not which way round. `fair_loop` finds a shortest way
round from a state back to itself on which every fairness assumption is seen to be kept. `violates` executes the result by the
system's own rules and asks again whether it is fair and avoids what was demanded; it shares nothing with the search.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from draincheck.exploration.components import FairGraph
from draincheck.system import Eventually, Fairness, LeadsTo, Liveness, State, Strength, TransitionSystem
from draincheck.trace import Step, Trace, rerun

__all__ = ["fair_loop", "is_fair", "violates"]

#: a state and what the way to it has seen: assumptions kept for good, and strong ones of which an action was enabled
Node = tuple[int, int, int]


def fair_loop(graph: FairGraph, inside: Collection[int], start: int, longest: float) -> tuple[list[int] | None, int]:
    """The actions of a shortest fair way from a state back to itself, and how many (state, seen) pairs were looked at.

    Args:
        graph: the graph.
        inside: the states it may pass.
        start: one of them.
        longest: give up (None) beyond this many actions.
    """
    origin: dict[Node, tuple[Node, int]] = {}
    layer: list[Node] = [(start, 0, 0)]
    length = 0
    while layer and length < longest:
        length += 1
        found: list[Node] = []
        for node in layer:
            for action, target in graph.edges[node[0]]:
                if target not in inside:
                    continue
                after = _seen(graph, node, action, target)
                if after not in origin:
                    origin[after] = (node, action)
                    found.append(after)
                    if target == start and _is_kept(graph, after):
                        return _way(origin, after, length), len(origin)
        layer = found
    return None, len(origin)


def _seen(graph: FairGraph, node: Node, action: int, target: int) -> Node:
    _, kept, owed = node
    enabled = graph.enabled[target]
    return target, kept | graph.grants[action] | (graph.weak & ~enabled), owed | (graph.strong & enabled)


def _is_kept(graph: FairGraph, node: Node) -> bool:
    """Whether a way round with this memory keeps every assumption."""
    _, kept, owed = node
    return not (graph.weak | owed) & ~kept


def _way(origin: dict[Node, tuple[Node, int]], node: Node, length: int) -> list[int]:
    actions: list[int] = []
    for _ in range(length):
        node, action = origin[node]
        actions.append(action)
    return actions[::-1]


def violates(system: TransitionSystem, item: Liveness, trace: Trace) -> bool:
    """Whether a trace, executed, is a fair run of the system that breaks a demand; raises TraceError if it cannot be executed."""
    steps = rerun(system, trace)
    states = [trace.initial, *(step.after for step in steps)]
    if trace.loop is None:
        forever = any(True for _ in system.enabled(states[-1]))
        return not forever and _avoids(system, item, states, len(states) - 1)
    return is_fair(system, steps[trace.loop :]) and _avoids(system, item, states, trace.loop)


def _avoids(system: TransitionSystem, item: Liveness, states: Sequence[State], loop: int) -> bool:
    """Whether a run breaks a demand that goes through these states and repeats those from number `loop` on."""
    match item:
        case Eventually(goal=goal):
            return not any(system.holds(goal, state) for state in states)
        case LeadsTo(trigger=trigger, goal=goal):
            met = [number for number, state in enumerate(states) if system.holds(goal, state)]
            rest = met[-1] + 1 if met else 0
            return rest <= loop and any(system.holds(trigger, state) for state in states[rest:])
    raise NotImplementedError(type(item).__name__)


def is_fair(system: TransitionSystem, loop: Sequence[Step]) -> bool:
    """Whether a run that repeats these steps for ever keeps every fairness assumption of its system."""
    return all(_keeps(system, fairness, loop) for fairness in system.fairness)


def _keeps(system: TransitionSystem, fairness: Fairness, loop: Sequence[Step]) -> bool:
    if any(step.action in fairness.actions for step in loop):
        return True
    actions = [system.actions[index] for index in fairness.actions]
    enabled = [any(system.holds(action.guard, step.before) for action in actions) for step in loop]
    return not (all(enabled) if fairness.strength is Strength.WEAK else any(enabled))

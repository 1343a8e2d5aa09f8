"""Where a run comes to that has lost its goal: the nearest states that nothing leads out of any more."""

from __future__ import annotations

from msgspec import Struct

from draincheck.analysis.onward import Onward
from draincheck.exploration.components import components
from draincheck.system import State, TransitionSystem

__all__ = ["DeadEnd", "dead_end"]


class DeadEnd(Struct, frozen=True):
    """States that are left for no others.

    Attributes:
        states: all of them.
        path: a shortest way to the nearest of them: the action of each step, and the state before it.
        taken: the actions taken among them.
    """

    states: tuple[State, ...]
    path: tuple[tuple[State, int], ...]
    taken: frozenset[int]


def dead_end(system: TransitionSystem, state: State) -> DeadEnd | None:
    """The dead end nearest to a state; None if none is found within the limit."""
    seen = Onward(system, state)
    dead = [[number] for number, edges in enumerate(seen.edges) if not edges]
    rounds = components(seen.edges, range(len(seen.edges)))
    closed = (members for members in (*dead, *rounds) if seen.is_closed(members))
    nearest = min(closed, key=min, default=None)  # states are numbered layer by layer
    if nearest is None:
        return None
    states = tuple(seen.states[number] for number in sorted(nearest))
    taken = frozenset(action for number in nearest for action, _ in seen.edges[number])
    return DeadEnd(states, seen.path(min(nearest)), taken)

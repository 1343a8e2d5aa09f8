"""From which states others can be reached: searches against the direction of the steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from draincheck.exploration.explorer import Explorer
from draincheck.exploration.graph import Edge

__all__ = ["Follow", "distances", "predecessors", "unable"]

#: whether to go back over an edge: the state it leaves, its action
Follow = Callable[[int, int], bool]


def predecessors(edges: Sequence[Sequence[Edge]]) -> list[list[Edge]]:
    """For each state of a graph the actions and states that lead there, as (action, state before)."""
    before: list[list[Edge]] = [[] for _ in edges]
    for here, leaving in enumerate(edges):
        for action, target in leaving:
            before[target].append((action, here))
    return before


def distances(
    before: Sequence[Sequence[Edge]], goals: Iterable[int], follow: Follow = lambda here, action: True
) -> dict[int, int]:
    """The states from which a goal can be reached over edges that may be followed, and how many steps it takes.

    Args:
        before: the predecessors of each state.
        goals: where to begin; they take no step.
        follow: which edges may be followed.
    """
    found = dict.fromkeys(sorted(goals), 0)
    queue = list(found)
    for state in queue:
        for action, here in before[state]:
            if here not in found and follow(here, action):
                found[here] = found[state] + 1
                queue.append(here)
    return found


def unable(explorer: Explorer, goal: Callable[[int], object]) -> int | None:
    """The first state of a finished exploration with its targets kept from which no state satisfies the goal; None if all can.

    States are swept against the order of discovery, then along it, and so on: most steps lead to the next layer, so few sweeps do.
    """
    order, ends, targets = list(explorer.order()), explorer.ends, explorer.targets
    able = set(filter(goal, order))
    left = [number for number, state in enumerate(order) if state not in able]
    while left:
        rest: list[int] = []
        for number in reversed(left):
            if able.isdisjoint(targets[ends[number - 1] if number else 0 : ends[number]]):
                rest.append(number)
            else:
                able.add(order[number])
        if len(rest) == len(left):
            return order[min(rest)]
        left = rest
    return None

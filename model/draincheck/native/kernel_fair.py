"""Where runs may stay for ever, and how they wait, over the arrays of a graph: plain functions as those of `kernel`.

What `exploration.components` and `engines.liveness` say in Python's own words. Each function that may take long does so many steps of its work,
and goes on when it is called again.
"""

from __future__ import annotations

from draincheck.native.kernel import Bytes, Shared, Word, Words
from draincheck.native.kernel_graph import Halves
from draincheck.native.parts import (
    ACTIONS,
    BEGINNINGS,
    BEGUN,
    CALLED,
    CALLS,
    DEPTHS,
    ENABLED,
    ENTERED,
    EVERYWHERE,
    FAIR,
    FIRST_FAIR,
    FOLLOWED,
    GRANTS,
    HEAD,
    HOLDING,
    HOME,
    HOMES,
    INDEX,
    INSIDE,
    LEFT,
    LOW,
    NEXT_BEGUN,
    ORIGINS,
    PATH,
    POSITIONS,
    QUEUE,
    REACHED,
    ROOT,
    ROUND,
    SOMEWHERE,
    STARTS,
    STORED,
    STRONG,
    TAIL,
    TAKEN,
    TARGETS,
    WAITED,
    WEAK,
)

__all__ = ["follow", "judge", "tarjan", "weigh"]


# -- strongly connected parts -----------------------------------------------------------------------


def tarjan(shared: Shared, steps: Word) -> Word:
    """Give the states that are INSIDE the numbers of their strongly connected parts, from one: 1 if there is more to do."""
    starts: Words = shared[STARTS]
    calls: Halves = shared[CALLS]
    positions: Words = shared[POSITIONS]
    while steps > 0:
        steps -= 1
        if shared[CALLED] == 0:
            if next_root(shared) == 0:
                return 0
        else:
            last: Word = shared[CALLED] - 1
            node = calls[last]
            if positions[last] < starts[node + 1]:
                positions[last] += 1
                pass_edge(shared, node, positions[last] - 1)
            else:
                leave(shared, node)
    return 1


def next_root(shared: Shared) -> Word:
    """Enter the next state that is inside and was not entered: 0 if there is none."""
    inside: Bytes = shared[INSIDE]
    index: Halves = shared[INDEX]
    while shared[ROOT] < shared[STORED]:
        root = shared[ROOT]
        if inside[root] and index[root] == 0:
            enter(shared, root)
            return 1
        shared[ROOT] += 1
    return 0


def enter(shared: Shared, node: Word) -> Word:
    """Begin with a state."""
    index: Halves = shared[INDEX]
    low: Halves = shared[LOW]
    path: Words = shared[PATH]
    calls: Halves = shared[CALLS]
    positions: Words = shared[POSITIONS]
    starts: Words = shared[STARTS]
    path[shared[ENTERED]] = node
    shared[ENTERED] += 1
    shared[LEFT] += 1
    index[node] = shared[LEFT]
    low[node] = shared[LEFT]
    calls[shared[CALLED]] = node
    positions[shared[CALLED]] = starts[node]
    shared[CALLED] += 1
    return 0


def pass_edge(shared: Shared, node: Word, edge: Word) -> Word:
    """Look where an edge leads."""
    targets: Halves = shared[TARGETS]
    inside: Bytes = shared[INSIDE]
    index: Halves = shared[INDEX]
    home: Halves = shared[HOME]
    low: Halves = shared[LOW]
    target = targets[edge]
    if inside[target]:
        if index[target] == 0:
            enter(shared, target)
        elif home[target] == 0:
            low[node] = min(low[node], index[target])
    return 0


def leave(shared: Shared, node: Word) -> Word:
    """All edges of a state have been passed: go back, and close the part of which it was the first."""
    index: Halves = shared[INDEX]
    low: Halves = shared[LOW]
    calls: Halves = shared[CALLS]
    shared[CALLED] -= 1
    if shared[CALLED]:
        last: Word = shared[CALLED] - 1
        before = calls[last]
        low[before] = min(low[before], low[node])
    if low[node] == index[node]:
        close(shared, node)
    return 0


def close(shared: Shared, node: Word) -> Word:
    """What was entered since a state, and belongs to no other part, is one."""
    path: Words = shared[PATH]
    home: Halves = shared[HOME]
    shared[HOMES] += 1
    while home[node] == 0:
        shared[ENTERED] -= 1
        home[path[shared[ENTERED]]] = shared[HOMES]
    return 0


# -- fair ones --------------------------------------------------------------------------------------


def weigh(shared: Shared, at: Word, until: Word) -> Word:
    """Gather for the parts that some states belong to which assumptions are enabled there, and which are taken."""
    home: Halves = shared[HOME]
    enabled: Words = shared[ENABLED]
    somewhere: Words = shared[SOMEWHERE]
    everywhere: Words = shared[EVERYWHERE]
    while at < until:
        if home[at]:
            somewhere[home[at]] |= enabled[at]
            everywhere[home[at]] &= enabled[at]
            weigh_edges(shared, at, home[at])
        at += 1
    return 0


def weigh_edges(shared: Shared, at: Word, part: Word) -> Word:
    """The same for the edges of a state within its part."""
    starts: Words = shared[STARTS]
    actions: Halves = shared[ACTIONS]
    targets: Halves = shared[TARGETS]
    grants: Words = shared[GRANTS]
    home: Halves = shared[HOME]
    taken: Words = shared[TAKEN]
    rounds: Bytes = shared[ROUND]
    edge = starts[at]
    while edge < starts[at + 1]:
        if home[targets[edge]] == part:
            taken[part] |= grants[actions[edge]]
            rounds[part] = 1
        edge += 1
    return 0


def judge(shared: Shared, at: Word, until: Word) -> Word:
    """Say of some states to which FAIR part they belong, and which of the others are to be looked at again: how many these are."""
    home: Halves = shared[HOME]
    inside: Bytes = shared[INSIDE]
    fair: Halves = shared[FAIR]
    rounds: Bytes = shared[ROUND]
    enabled: Words = shared[ENABLED]
    again = 0
    while at < until:
        part = home[at]
        inside[at] = 0
        if part and rounds[part] and is_starved(shared, part) == 0:
            barred = barred_in(shared, part)
            if barred == 0:
                fair[at] = shared[FIRST_FAIR] + part
            elif (enabled[at] & barred) == 0:
                inside[at] = 1
                again += 1
        at += 1
    return again


def is_starved(shared: Shared, part: Word) -> Word:
    """Whether a run through all of a part breaks an assumption of weak fairness."""
    everywhere: Words = shared[EVERYWHERE]
    taken: Words = shared[TAKEN]
    owed: Word = shared[WEAK] & everywhere[part]
    if owed & taken[part] == owed:
        return 0
    return 1


def barred_in(shared: Shared, part: Word) -> Word:
    """The assumptions of strong fairness that a run through all of a part breaks."""
    somewhere: Words = shared[SOMEWHERE]
    taken: Words = shared[TAKEN]
    owed: Word = shared[STRONG] & somewhere[part]
    return owed - (owed & taken[part])


# -- waiting ----------------------------------------------------------------------------------------


def follow(shared: Shared, steps: Word) -> Word:
    """Go breadth first from several states, each at its own depth, to others where the goal is not met: 1 if there is more to do.

    WAITED says how deep a state is then, and one more; REACHED lists them.
    """
    while steps > 0:
        steps -= 1
        if is_beginning(shared):
            begin(shared)
        elif shared[HEAD] < shared[TAIL]:
            go_on(shared)
        else:
            return 0
    return 1


def is_beginning(shared: Shared) -> Word:
    """Whether the next of the states to begin with comes before those that are known."""
    begun: Halves = shared[BEGUN]
    depths: Halves = shared[DEPTHS]
    waited: Halves = shared[WAITED]
    queue: Halves = shared[QUEUE]
    if shared[NEXT_BEGUN] == shared[BEGINNINGS]:
        return 0
    if shared[HEAD] == shared[TAIL]:
        return 1
    if depths[begun[shared[NEXT_BEGUN]]] + 1 > waited[queue[shared[HEAD]]]:
        return 0
    return 1


def begin(shared: Shared) -> Word:
    """Begin with a state, unless it is known."""
    begun: Halves = shared[BEGUN]
    depths: Halves = shared[DEPTHS]
    waited: Halves = shared[WAITED]
    queue: Halves = shared[QUEUE]
    at: Word = shared[NEXT_BEGUN]
    start = begun[at]
    if waited[start] == 0:
        waited[start] = depths[start] + 1
        shared[HEAD] -= 1
        queue[shared[HEAD]] = start
    shared[NEXT_BEGUN] += 1
    return 0


def go_on(shared: Shared) -> Word:
    """Take the edges of the next state."""
    starts: Words = shared[STARTS]
    targets: Halves = shared[TARGETS]
    waited: Halves = shared[WAITED]
    origins: Words = shared[ORIGINS]
    queue: Halves = shared[QUEUE]
    reached: Halves = shared[REACHED]
    met: Bytes = shared[HOLDING]
    first: Word = shared[HEAD]
    here = queue[first]
    shared[HEAD] += 1
    reached[shared[FOLLOWED]] = here
    shared[FOLLOWED] += 1
    edge = starts[here]
    while edge < starts[here + 1]:
        target = targets[edge]
        if waited[target] == 0 and met[target] == 0:
            waited[target] = waited[here] + 1
            origins[target] = edge + 1
            queue[shared[TAIL]] = target
            shared[TAIL] += 1
        edge += 1
    return 0

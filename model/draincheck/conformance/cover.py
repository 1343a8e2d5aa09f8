"""Long paths that together take every edge of a graph: the core cannot be set back, so each path starts a new machine."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

__all__ = ["Cover"]

#: an edge: the action's index, and the number of the state after it
Edge = tuple[int, int]


class Cover:
    """Chooses edges so that all of them are taken: from where it is to the nearest state with one that has not been, by a shortest way.

    Fewest steps would be the Chinese postman's problem on a directed graph. The graphs here are nearly acyclic and as wide as the
    number of paths this finds, so little is left to gain: planning each path for the most new edges takes more steps, not fewer.
    """

    def __init__(self, edges: Sequence[Sequence[Edge]], root: int = 0) -> None:
        self._edges = edges
        self._root = root
        self._after = [[after for _, after in leaving] for leaving in edges]
        #: for each state the positions of its edges that have not been taken, the one to take next last
        self._open = [list(range(len(leaving)))[::-1] for leaving in edges]

    def paths(self) -> Iterator[Iterator[tuple[int, int]]]:
        """Paths from the root, until nothing is left. A path that is given up early leaves its rest to those after it."""
        while self._way_to_open(self._root) is not None:
            yield self._path()

    def _path(self) -> Iterator[tuple[int, int]]:
        """One path: pairs of a state and the position of an edge that leaves it."""
        here = self._root
        while (way := self._way_to_open(here)) is not None:
            for position in way:
                yield here, position
                here = self._after[here][position]
            position = self._open[here].pop()
            yield here, position
            here = self._after[here][position]

    def _way_to_open(self, start: int) -> list[int] | None:
        """Positions of the edges of a shortest way to a state that has an open one; None if no such state can be reached."""
        opened, all_after = self._open, self._after
        if opened[start]:
            return []
        before = {start: start}
        queue = deque([start])
        while queue:
            here = queue.popleft()
            for after in all_after[here]:
                if after not in before:
                    before[after] = here
                    if opened[after]:
                        return self._back(before, after, start)
                    queue.append(after)
        return None

    def _back(self, before: dict[int, int], state: int, start: int) -> list[int]:
        way: list[int] = []
        while state != start:
            way.append(self._after[before[state]].index(state))
            state = before[state]
        return way[::-1]

"""The edges of a graph in arrays: half a word for the action of each, and half a word for the state after it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import overload

from draincheck.exploration.graph import Edge

__all__ = ["Edges"]


class Edges(Sequence[Sequence[Edge]]):
    """The edges of each state, in arrays: those of state n stand between the places n and n + 1 of `starts`."""

    def __init__(self, starts: memoryview[int], actions: memoryview[int], targets: memoryview[int]) -> None:
        self.starts, self.actions, self.targets = starts, actions, targets

    def __len__(self) -> int:
        return len(self.starts) - 1

    @overload
    def __getitem__(self, number: int) -> Sequence[Edge]: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[Sequence[Edge]]: ...
    def __getitem__(self, number: int | slice) -> Sequence[Edge] | Sequence[Sequence[Edge]]:
        if isinstance(number, slice):
            return [self[each] for each in range(*number.indices(len(self)))]
        if number >= len(self):
            raise IndexError(number)
        here = slice(self.starts[number], self.starts[number + 1])
        return list(zip(self.actions[here].tolist(), self.targets[here].tolist(), strict=True))

    def leading(self, place: int) -> Edge:
        """The edge at a place: its action, and the state before."""
        return self.actions[place], bisect_right(self.starts, place) - 1

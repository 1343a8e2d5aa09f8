"""Who is who, as cheaply as that can be: each row gets a column of its own."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["assigned"]

_ENDLESS = float("inf")


def assigned(costs: Sequence[Sequence[int]]) -> list[int]:
    """For each row of a table, which has as many columns as rows at the least, its column: all different, and the least sum.

    It is the Hungarian method with potentials: rows come in one by one, each by the cheapest way on which those before it move on.
    """
    columns = len(costs[0]) if costs else 0
    table = _Table(costs, [0] * (len(costs) + 1), [0] * (columns + 1), [0] * (columns + 1))
    for row in range(1, len(costs) + 1):
        table.take_in(row)
    owner = {row: column for column, row in enumerate(table.rows) if row and column}
    return [owner[row] - 1 for row in range(1, len(costs) + 1)]


class _Table:
    """Rows and columns count from 1; column 0 stands for the row that comes in.

    Attributes:
        rows: for each column the row that has it, or 0.
    """

    def __init__(self, costs: Sequence[Sequence[int]], rising: list[int], falling: list[int], rows: list[int]) -> None:
        self._costs, self._rising, self._falling, self.rows = costs, rising, falling, rows

    def take_in(self, row: int) -> None:
        """One more row gets a column, and those in its way get others."""
        size = len(self.rows)
        least: list[float] = [_ENDLESS] * size
        before, done = [0] * size, [False] * size
        self.rows[0], column = row, 0
        while self.rows[column]:
            done[column] = True
            column = self._step(column, least, before, done)
        while column:
            self.rows[column] = self.rows[before[column]]
            column = before[column]

    def _step(self, column: int, least: list[float], before: list[int], done: list[bool]) -> int:
        """The nearest column that has not been seen; the potentials are moved so far."""
        row = self.rows[column]
        for other in range(1, len(done)):
            if not done[other]:
                reduced = self._costs[row - 1][other - 1] - self._rising[row] - self._falling[other]
                if reduced < least[other]:
                    least[other], before[other] = reduced, column
        nearest = min((other for other in range(1, len(done)) if not done[other]), key=lambda other: least[other])
        self._move(int(least[nearest]), least, done)
        return nearest

    def _move(self, far: int, least: list[float], done: list[bool]) -> None:
        for other, seen in enumerate(done):
            if seen:
                self._rising[self.rows[other]] += far
                self._falling[other] -= far
            else:
                least[other] -= far

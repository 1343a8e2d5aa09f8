"""Rows and columns, each with one of the others."""

from __future__ import annotations

import itertools
from random import Random

from draincheck.backtrace.assigning import assigned


def test_nothing_cheaper_is_there() -> None:
    """Against all ways, on many small tables."""
    chance = Random(3)
    for _ in range(300):
        rows = chance.randint(0, 4)
        columns = rows + chance.randint(0, 3)
        table = [[chance.randint(-20, 20) for _ in range(columns)] for _ in range(rows)]
        found = assigned(table)
        assert len({*found}) == rows
        best = min(
            sum(row[j] for row, j in zip(table, way, strict=True))
            for way in itertools.permutations(range(columns), rows)
        )
        assert sum(row[j] for row, j in zip(table, found, strict=True)) == best

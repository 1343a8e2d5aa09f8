"""Packed states with gaps between their fields: the same systems, in as many words as anybody likes."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import ClassVar

import pytest

from draincheck.exploration import loop as loops
from draincheck.exploration.layout import Field, Layout
from draincheck.system import Variable

__all__ = ["GAPS", "Spread", "spread_out"]

#: the widest gap between fields: a state has one word, two or three, up to eight; with wider ones some would have more
GAPS = (0, 25, 40)


class Spread(Layout):
    """A layout with random gaps, where it is put in the place of the usual one."""

    #: what the gaps depend on, and how many bits the widest has
    seed: ClassVar[int] = 0
    widest: ClassVar[int] = 0

    def __init__(self, variables: Sequence[Variable]) -> None:
        super().__init__(variables)
        random, more = Random(self.seed), 0
        for variable, field in list(self.fields.items()):
            more += random.randint(0, self.widest)
            self.fields[variable] = Field(field.low, field.high, field.offset + more, field.mask << more)
        self.width += more + random.randint(0, self.widest)
        self.everything = (1 << self.width) - 1
        ordered = [self.fields[variable] for variable in self.variables]
        self._places = [(field.mask >> field.offset, field.offset, field.low) for field in ordered]


def spread_out(patch: pytest.MonkeyPatch, widest: int) -> None:
    """From here on states have gaps between their fields, up to this wide."""
    patch.setattr(Spread, "widest", widest)
    patch.setattr(loops, "Layout", Spread)

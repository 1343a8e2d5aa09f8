"""How a state is packed into one integer: a bit field for each variable, holding its stored value minus the lowest.

The first variable has the highest bits, so packed states have the order of the states. Program counters, which a compiler adds
last, have the lowest, where masking is cheapest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from draincheck.expr import Expr
from draincheck.system import State, Variable

__all__ = ["Field", "Layout"]


class Field(Struct, frozen=True):
    """The bits of one variable: `mask` covers them where they stand, `low` is the value that is stored as zero."""

    low: int
    high: int
    offset: int
    mask: int

    def bits(self, value: int) -> int:
        """A value of the variable, where it stands in a packed state."""
        return (value - self.low) << self.offset


class Layout:
    """The fields of a list of variables."""

    def __init__(self, variables: Sequence[Variable]) -> None:
        self.variables = tuple(variables)
        self.fields: dict[Expr, Field] = {}
        offset = 0
        for variable in reversed(self.variables):
            width = (variable.sort.size - 1).bit_length()
            mask = ((1 << width) - 1) << offset
            self.fields[variable] = Field(variable.sort.low, variable.sort.high, offset, mask)
            offset += width
        #: how many bits a state takes
        self.width = offset
        self.everything = (1 << offset) - 1
        ordered = [self.fields[variable] for variable in self.variables]
        self._places = [(field.mask >> field.offset, field.offset, field.low) for field in ordered]

    def mask(self, variables: Iterable[Expr]) -> int:
        """The bits of some variables."""
        return sum(self.fields[variable].mask for variable in variables)

    def pattern(self, fixed: Mapping[Expr, int]) -> tuple[int, int]:
        """The bits of some variables, and what they are where the variables have these values."""
        mask = value = 0
        for variable, stored in fixed.items():
            field = self.fields[variable]
            mask |= field.mask
            value |= field.bits(stored)
        return mask, value

    def pack(self, state: State) -> int:
        """The integer that stands for a state."""
        return sum((value - low) << offset for value, (_, offset, low) in zip(state, self._places, strict=True))

    def unpack(self, packed: int) -> State:
        """The state that an integer stands for."""
        return tuple([(packed >> offset & ones) + low for ones, offset, low in self._places])

"""Sorts: the finite sets of values that a variable can have.

Values are stored as small integers (Bool 0/1, Enum the position of its name, Int itself); `Sort.decode` turns them back.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from draincheck.errors import ModelError
from draincheck.location import slip

__all__ = ["BOOL", "BoolSort", "EnumSort", "IntSort", "Sort", "Value"]

Value = bool | int | str


class Sort(Struct, frozen=True):
    """A finite set of values, stored as the integers `low..high`."""

    low: int
    high: int

    @property
    def size(self) -> int:
        """How many values there are."""
        return self.high - self.low + 1

    def decode(self, stored: int) -> Value:
        """The value a stored integer stands for."""
        return stored

    def encode(self, value: Value) -> int:
        """The stored integer of a value; raises ModelError if the value is not of this sort."""
        if isinstance(value, bool) or not isinstance(value, int) or not self.low <= value <= self.high:
            raise ModelError(f"{value!r} is not {self}")
        return int(value)

    def __str__(self) -> str:
        return f"an integer from {self.low} to {self.high}"


IntSort = Sort


class BoolSort(Sort, frozen=True):
    """The two truth values, stored as 0 and 1."""

    def decode(self, stored: int) -> Value:
        """False for 0, True for 1."""
        return bool(stored)

    def encode(self, value: Value) -> int:
        """0 or 1; raises ModelError for anything but a bool."""
        if not isinstance(value, bool):
            raise ModelError(f"{value!r} is not {self}")
        return int(value)

    def __str__(self) -> str:
        return "a truth value"

    def __reduce__(self) -> str:
        """There is one: copies, in other processes too, are this one."""
        return "BOOL"


BOOL = BoolSort(0, 1)


class EnumSort(Sort, frozen=True):
    """Named values, stored as their position in `names`."""

    names: tuple[str, ...]

    @classmethod
    def of(cls, names: Sequence[str]) -> EnumSort:
        """The sort with these names, in this order; raises ModelError for none or for a name twice."""
        if not names or len(set(names)) != len(names):
            raise slip(f"an enum needs distinct names, at least one: {', '.join(names) or 'none given'}")
        return cls(0, len(names) - 1, tuple(names))

    def decode(self, stored: int) -> Value:
        """The name at this position."""
        return self.names[stored]

    def encode(self, value: Value) -> int:
        """The position of a name; raises ModelError for a name that is not in the enum."""
        if value not in self.names:
            raise ModelError(f"{value!r} is not {self}")
        return self.names.index(value)

    def __str__(self) -> str:
        return f"one of {', '.join(self.names)}"

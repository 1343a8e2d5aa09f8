"""Where a system starts: states that nobody lists before they are looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import prod
from operator import contains
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from draincheck.system import State

__all__ = ["InitialStates"]


class InitialStates:
    """Every combination of the values that variables may start with, in ascending order, each made when it is looked at."""

    def __init__(self, values: Iterable[Sequence[int]]) -> None:
        self._values = [v if isinstance(v, range) else sorted(set(v)) for v in values]

    @property
    def number(self) -> int:
        """How many there are."""
        return prod(map(len, self._values))

    def __iter__(self) -> Iterator[State]:
        return map(self.__getitem__, range(self.number))

    def __contains__(self, state: State) -> bool:
        return len(state) == len(self._values) and all(map(contains, self._values, state))

    def __getitem__(self, number: int) -> State:
        """The state with a number. Raises IndexError."""
        if not 0 <= number < self.number:
            raise IndexError(f"there are {self.number} initial states")
        state: list[int] = []
        for values in reversed(self._values):
            number, place = divmod(number, len(values))
            state.append(values[place])
        return tuple(reversed(state))

"""What of a system is made when somebody looks at it: the states in which it starts, and what few who read it ask about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from math import prod
from operator import contains
from typing import TYPE_CHECKING, TypeVar, overload

if TYPE_CHECKING:
    from draincheck.system import State

__all__ = ["InitialStates", "Late"]

T_co = TypeVar("T_co", covariant=True)


class Late(Sequence[T_co]):
    """A sequence that is made, once, when somebody looks at it."""

    def __init__(self, make: Callable[[], Iterable[T_co]]) -> None:
        self._make = make

    @cached_property
    def _made(self) -> tuple[T_co, ...]:
        made = tuple(self._make())
        del self._make  # and with it what it is made of
        return made

    def __len__(self) -> int:
        return len(self._made)

    def __iter__(self) -> Iterator[T_co]:
        return iter(self._made)

    def __repr__(self) -> str:
        return repr(self._made)

    def __reduce__(self) -> tuple[type[tuple[T_co, ...]], tuple[tuple[T_co, ...]]]:
        """Another process gets what is in it."""
        return tuple, (self._made,)

    @overload
    def __getitem__(self, index: int) -> T_co: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[T_co]: ...

    def __getitem__(self, index: int | slice) -> T_co | Sequence[T_co]:
        return self._made[index]


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

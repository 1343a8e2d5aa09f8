"""Where runs may stay for ever, by machine code: what `exploration.components` says of a small graph in Python."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Final

from draincheck.budget import look
from draincheck.native import parts
from draincheck.native.code import Code
from draincheck.native.memory import Pages
from draincheck.native.states import States
from draincheck.native.width import BYTES, HALF

__all__ = ["Homes", "Staying"]

#: states or edges that are looked at between two looks at the budget
PIECE: Final = 1 << 17


class Staying:
    """A search for strongly connected parts that are fair."""

    def __init__(self, states: States, kernel: Code) -> None:
        self._states, self._kernel = states, kernel

    def fair(self, inside: Iterable[int]) -> memoryview[int]:
        """For each state the number of the fair part of some states that it belongs to, from one; 0 if to none. Raises OutOfBudget."""
        states, room = self._states, len(self._states) + 1
        look(room * (6 * HALF + 2 * BYTES))
        among, fair = Pages(room), Pages(room * HALF)
        with among.view as view:
            for number in inside:
                view[number] = 1
        states.share(parts.INSIDE, among)
        states.share(parts.FAIR, fair)
        states[parts.FIRST_FAIR] = 0
        while self._is_to_be_looked_at_again():
            states[parts.FIRST_FAIR] += states[parts.HOMES]
        return fair.view.cast("I")

    def _is_to_be_looked_at_again(self) -> bool:
        """Find the parts of what is inside, and leave inside what belongs to a part without what keeps that from being fair."""
        self._connect()
        homes = self._states[parts.HOMES] + 1
        everywhere = Pages(homes * BYTES)
        with everywhere.view as view:
            view[:] = b"\xff" * (homes * BYTES)
        self._states.share(parts.EVERYWHERE, everywhere)
        self._states.share(parts.SOMEWHERE, Pages(homes * BYTES))
        self._states.share(parts.TAKEN, Pages(homes * BYTES))
        self._states.share(parts.ROUND, Pages(homes))
        self._of_all("weigh")
        return self._of_all("judge") > 0

    def _connect(self) -> None:
        """Number the strongly connected parts of what is inside."""
        states, room = self._states, len(self._states) + 1
        for name in (parts.INDEX, parts.LOW, parts.HOME, parts.CALLS):
            states.share(name, Pages(room * HALF))
        for name in (parts.PATH, parts.POSITIONS):
            states.share(name, Pages(room * BYTES))
        for name in (parts.ROOT, parts.CALLED, parts.ENTERED, parts.LEFT, parts.HOMES):
            states[name] = 0
        while self._kernel.call("tarjan", states.address, PIECE):
            look()

    def _of_all(self, name: str) -> int:
        """Call a function of the kernel about all states, piece by piece; the sum of what it says."""
        total, states = 0, self._states
        for start in range(0, len(states), PIECE):
            look()
            total += self._kernel.call(name, states.address, start, min(start + PIECE, len(states)))
        return total


class Homes(Mapping[int, Container[int]]):
    """The fair part that a state belongs to, if it does to one."""

    def __init__(self, parts_of: memoryview[int]) -> None:
        self._parts = parts_of

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and bool(self._parts[number])

    def __getitem__(self, number: int) -> Container[int]:
        if not self._parts[number]:
            raise KeyError(number)
        return _Members(self._parts, self._parts[number])

    def __iter__(self) -> Iterator[int]:
        return (number for number, part in enumerate(self._parts) if part)

    def __len__(self) -> int:
        return len(self._parts) - self._parts.tolist().count(0)


class _Members(Container[int]):
    """The states of one part."""

    def __init__(self, parts_of: memoryview[int], part: int) -> None:
        self._parts, self._part = parts_of, part

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and self._parts[number] == self._part

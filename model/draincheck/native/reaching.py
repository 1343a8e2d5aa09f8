"""From which states goals can be reached, without a list of steps: walks go forward, and what has led to a goal is known for all that pass it later.

It is what `exploration.backward.able` does with a list of them. One round of walks is nearly always enough; a walk that ends elsewhere is tried
again when more is known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from draincheck.budget import look
from draincheck.native import parts
from draincheck.native.memory import Pages
from draincheck.native.states import States
from draincheck.native.width import BYTES

__all__ = ["MARKS", "Reaching"]

#: goals that are looked for together: the bits of a mark, but for one
MARKS = 7

#: slots between two looks at the budget
PIECE = 1 << 17


class Reaching:
    """Some goals, and from which of the states that were found they can be reached; what was not expanded may reach anything.

    Making this raises OutOfBudget.
    """

    def __init__(
        self,
        states: States,
        expanded: int,
        goals: Sequence[int],
        looked_at: Callable[[int], None] = lambda states: None,
    ) -> None:
        """Look from everywhere.

        Args:
            states: what was found.
            expanded: how many of these had their actions taken.
            goals: the functions that say where each goal is met.
            looked_at: told now and then how many states have been looked at, of all in one pass.
        """
        self._states, self._goals, self._marks = states, len(goals), Pages(states.slots, scattered=True)
        self._looked_at = looked_at
        self._choose()
        for number, holds in enumerate(goals):
            self._of_all("mark", holds, 1 << number)
        states.call("mark_all", expanded, len(states), self._all)
        for number in range(len(goals)):
            while self._round(1 << number):
                pass

    @property
    def _all(self) -> int:
        """The bits of all goals."""
        return (1 << self._goals) - 1

    def _choose(self) -> None:
        """Have the kernel work with these marks."""
        self._states.share(parts.MARKS, self._marks)

    def _of_all(self, name: str, *more: int) -> int:
        """Call a function of the kernel about all slots, piece by piece; the sum of what it says."""
        total, slots = 0, self._states.slots
        for start in range(0, slots, PIECE):
            look()
            if start:
                self._looked_at(len(self._states) * start // slots)
            total += self._states.call(name, start, min(start + PIECE, slots), *more)
        return total

    def _round(self, bit: int) -> bool:
        """Walk from every state that is not known to reach a goal; True if that was of use, and there are still such."""
        before = self._of_all("lacking", bit)
        if before:
            self._states.share(parts.PATH, Pages((len(self._states) + 1) * BYTES))
            self._of_all("forget_walks")
            self._of_all("walks", bit)
        return 0 < self._of_all("lacking", bit) < before

    def is_everywhere(self) -> bool:
        """Whether all goals can be reached from all states."""
        self._choose()
        return not self._of_all("lacking", self._all)

    def unable(self, first: int, end: int) -> int:
        """The least of some states from which not all goals can be reached: its number, counted from one; 0 if there is none."""
        self._choose()
        return self._states.call("first_lacking", first, end, self._all)

    def able(self, state: int) -> Sequence[bool]:
        """For each goal whether it can be reached from a state."""
        with self._marks.view as view:
            marks = view[self._states.slot(state) - 1]
        return [bool(marks >> number & 1) for number in range(self._goals)]

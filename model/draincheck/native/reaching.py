"""From which states goals can be reached, without a list of steps: states are expanded again, the last first, until no mark is new."""

from __future__ import annotations

from collections.abc import Sequence

from draincheck.budget import look
from draincheck.native import parts
from draincheck.native.memory import Block
from draincheck.native.states import States

__all__ = ["MARKS", "Reaching"]

#: goals that are looked for at once: the bits of a mark
MARKS = 8

#: states between two looks at the budget
PIECE = 1 << 16


class Reaching:
    """Some goals, and from which of the states that were found they can be reached; what was not expanded may reach anything.

    Marks stand beside the table, one for each slot. Most steps lead to states that were found later, so that one sweep from the last to the first
    says nearly all; sweeps are made until one changes nothing. Making this raises OutOfBudget.
    """

    def __init__(self, states: States, expanded: int, goals: Sequence[int]) -> None:
        """Look from everywhere.

        Args:
            states: what was found.
            expanded: how many of these had their actions taken.
            goals: the functions that say where each goal is met.
        """
        self._states, self._goals, self._marks = states, len(goals), Block(states.slots)
        self._choose()
        for number, holds in enumerate(goals):
            states.call("mark", 0, len(states), holds, 1 << number)
        states.call("mark_all", expanded, len(states))
        while self._sweep(expanded):
            pass

    def _choose(self) -> None:
        """Have the kernel work with these marks."""
        self._states.share(parts.MARKS, self._marks)
        self._states[parts.BITS] = (1 << self._goals) - 1

    def _sweep(self, expanded: int) -> bool:
        """Look once at what each state leads to; whether that was of use."""
        changed = 0
        for start in range(expanded // PIECE * PIECE, -1, -PIECE):
            look()
            changed += self._states.call("sweep", start, min(start + PIECE, expanded))
        return changed > 0

    def unable(self, first: int, end: int) -> int:
        """The least of some states from which not all goals can be reached: its number, counted from one; 0 if there is none."""
        self._choose()
        return self._states.call("unmarked", first, end)

    def able(self, state: int) -> Sequence[bool]:
        """For each goal whether it can be reached from a state."""
        with self._marks.view as view:
            marks = view[self._states.slot(state) - 1]
        return [bool(marks >> number & 1) for number in range(self._goals)]

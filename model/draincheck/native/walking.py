"""Random walks by machine code: the same as those of `engines.simulation`, which walks again where something was come upon."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from draincheck.chance import CHOICES
from draincheck.errors import ModelError
from draincheck.exploration.loop import Loop, StepNote
from draincheck.expr import BoolExpr
from draincheck.native import parts
from draincheck.native.memory import Pages
from draincheck.native.states import Hand, numbers, truths, write
from draincheck.native.system import NativeLoop
from draincheck.native.width import BYTES
from draincheck.words import counted

__all__ = ["NativeWalks"]

#: steps between two looks at the clock: some milliseconds
PIECE = 1 << 16

#: what the kernel says when it comes back
ENDED, CAME_UPON, PAUSED = range(3)


class NativeWalks:
    """Walks through one system by machine code."""

    def __init__(self, loop: Loop, announced: Sequence[BoolExpr], actions: int, depth: int, walks: int) -> None:
        """Prepare for so many walks at a time, through a system of some actions, whose loop has these announced conditions.

        Raises ModelError for one that is refused, ImportError without llvmlite.
        """
        if actions >= CHOICES:
            raise ModelError(f"{counted(actions, 'action')} are too many for walks by machine code")
        self._loop, self._code = loop, NativeLoop(loop, announced, "walks")
        self._hand = hand = Hand(self._code.words, actions, 0, actions + 1)
        hand[parts.LISTED], hand[parts.DEPTH] = self._code.listed, depth
        self._starts, self._chances = Pages(walks * hand.width), Pages(walks * BYTES)
        self._conditions, self._wanted = Pages((2 * len(announced) + 1) * BYTES), Pages(len(loop.notes) + 1)
        hand.share(parts.ORDER, self._starts)
        hand.share(parts.CHANCES, self._chances)
        hand.share(parts.LENGTHS, Pages(walks * BYTES))
        hand.share(parts.ACTS, Pages((actions + 1) * BYTES))
        hand.share(parts.MET, Pages((len(loop.notes) + 1) * BYTES))
        hand.share(parts.CONDITIONS, self._conditions)
        hand.share(parts.WANTED, self._wanted)
        hand.share(parts.FAULTY, truths([note.fault is not None for note in loop.notes]))
        hand.share(parts.ACTION_OF, numbers([note.action.index for note in loop.notes]))

    @property
    def fired(self) -> set[int]:
        """The actions that some walk has taken."""
        return self._hand.fired

    @property
    def longest(self) -> int:
        """The actions of the longest walk that came upon nothing."""
        return self._hand[parts.LONGEST]

    @property
    def steps(self) -> int:
        """The actions of all walks that came upon nothing."""
        return self._hand[parts.STEPS]

    def look_for(
        self, in_states: Iterable[BoolExpr], at_ends: Iterable[BoolExpr], wanted: Callable[[StepNote], bool]
    ) -> None:
        """Say what is to be come upon: conditions in any state, others where nothing moves, and notes on actions."""
        first, second = (list(dict.fromkeys(conditions)) for conditions in (in_states, at_ends))
        write(self._conditions, 0, map(self._code.holds, (*first, *second)), 1)
        self._hand[parts.IN_STATES], self._hand[parts.IN_ALL] = len(first), len(first) + len(second)
        with self._wanted.view as view:
            view[: len(self._loop.notes)] = bytes(map(wanted, self._loop.notes))

    def walk(self, starts: Sequence[int], chances: Sequence[int], goes_on: Callable[[], bool]) -> tuple[int, bool]:
        """Walk from some states, as long as somebody wants to go on: how many walks came upon nothing, and whether the next one did come upon something.

        Args:
            starts: where each begins, packed.
            chances: what the generator of each has come to.
            goes_on: asked now and then.
        """
        hand = self._hand
        write(self._starts, 0, starts, self._code.words)
        write(self._chances, 0, chances, 1)
        hand.share(parts.LENGTHS, Pages(max(1, len(starts)) * BYTES))
        hand[parts.AT], hand[parts.UNTIL] = 0, len(starts)
        told = PAUSED
        while told == PAUSED and goes_on():
            told = self._code.kernel.call("going_on", hand.address, PIECE)
        return hand[parts.AT], told == CAME_UPON

"""The states that a native search has found: in the order of their discovery, and in the table that says which are known."""

from __future__ import annotations

import ctypes
import sys
from array import array
from collections.abc import Iterable, Sequence

from draincheck.native import parts
from draincheck.native.memory import Pages
from draincheck.native.system import NativeLoop
from draincheck.native.width import BYTES

__all__ = ["AT_ONCE", "Hand", "States", "halves", "numbers", "read", "truths", "write"]

#: states that are stored at once, at most, if nobody has found them
AT_ONCE = 2048

#: slots of the first table
FIRST = 1 << 16

#: of the slots so many hundredths are filled before the table grows, and so many hundredths it has then
FULL, LARGER = 80, 150


class Hand:
    """What a thread works with: arrays of its own, and the block that says where they are.

    Attributes:
        words: those of a state.
        most: how many states may have to be collected at once.
    """

    def __init__(self, words: int, actions: int, notes: int, most: int) -> None:
        """Begin without anything; for a system of some actions, whose search loop makes some notes."""
        self.words, self.most, self._actions, self._notes = words, most, actions, notes
        self._numbers = (ctypes.c_uint64 * parts.SHARED)()
        self._blocks: dict[int, Pages] = {}
        self.share(parts.OUT, Pages(2 * most * self.width))  # each may be postponed
        self.share(parts.PLACES, Pages(2 * most * BYTES))
        self.share(parts.FIRED, Pages(actions + 1))
        self.share(parts.NOTED, Pages((notes + 1) * self.width))
        with self._blocks[parts.NOTED].view as noted:
            noted[:] = b"\xff" * len(noted)

    def another(self) -> Hand:
        """What another thread works with, for the same system."""
        return Hand(self.words, self._actions, self._notes, self.most)

    def share(self, name: int, block: Pages) -> None:
        """Tell the kernel where an array is."""
        self._blocks[name] = block
        self[name] = block.address

    def __getitem__(self, name: int) -> int:
        """A number of the block."""
        return self._numbers[name]

    def __setitem__(self, name: int, value: int) -> None:
        self._numbers[name] = value

    @property
    def address(self) -> int:
        """Where the block is."""
        return ctypes.addressof(self._numbers)

    @property
    def width(self) -> int:
        """The bytes of a state."""
        return self.words * BYTES

    @property
    def fired(self) -> set[int]:
        """The actions that were taken."""
        with self._blocks[parts.FIRED].view as fired:
            return {index for index in range(self._actions) if fired[index]}

    @property
    def noted(self) -> Sequence[int]:
        """For each note the least state in which it was made; where that was nowhere, a number that is greater than every state."""
        return read(self._blocks[parts.NOTED], 0, self._notes, self.words)


class States(Hand):
    """States as words in memory, and the block that is shared with the kernel."""

    def __init__(self, code: NativeLoop, actions: int, notes: int) -> None:
        """Begin without states, for the code of a system of some actions, whose search loop makes some notes."""
        super().__init__(code.words, actions, notes, max(AT_ONCE, parts.BATCH * actions))
        self._kernel, self._bucket = code.kernel, parts.slots(code.words)
        self.share(parts.ORDER, Pages(BYTES))
        self.share(parts.TABLE, Pages(BYTES, scattered=True))
        self.share(parts.SOUGHT, Pages(self.width))
        self.share(parts.NO_FIRED, Pages(actions + 1))
        self.share(parts.NO_NOTED, Pages((notes + 1) * self.width))
        self[parts.EXPAND] = code.expand
        self._set_table(FIRST)

    def __len__(self) -> int:
        return self[parts.STORED]

    @property
    def slots(self) -> int:
        """The slots of the table."""
        return self[parts.BUCKETS] * self._bucket

    @property
    def bytes(self) -> int:
        """What the states take."""
        return (self.slots + len(self)) * self.width

    def call(self, name: str, *words: int) -> int:
        """Call a function of the kernel."""
        return self._kernel.call(name, self.address, *words)

    def seek(self, state: int) -> None:
        """Say which state is sought."""
        write(self._blocks[parts.SOUGHT], 0, [state], self.words)

    def slot(self, state: int) -> int:
        """Where a state is in the table, counted from one; 0 if it is not stored."""
        self.seek(state)
        return self.call("slot_of")

    def put(self, states: Sequence[int]) -> None:
        """Store those of some states that are new. Raises MemoryError where the system has no room for them."""
        while self[parts.STORED] + len(states) > self[parts.ROOM]:
            self.grow()
        write(self._blocks[parts.OUT], 0, states, self.words)
        self.call("store", len(states))

    def read(self, first: int, end: int) -> Sequence[int]:
        """Some of the states, in the order of their discovery."""
        return read(self._blocks[parts.ORDER], first, end, self.words)

    def sort(self, first: int, end: int) -> None:
        """Bring some of the states into ascending order."""
        write(self._blocks[parts.ORDER], first, sorted(self.read(first, end)), self.words)

    def forget_table(self) -> None:
        """Keep the states alone: nothing is stored any more, and none is looked for in the table."""
        for name in (parts.TABLE, parts.NUMBERS, parts.BUFFER):
            self.share(name, Pages(BYTES))

    @property
    def growth(self) -> int:
        """The bytes that are taken more when the table grows."""
        return (self._larger - self.slots) * self.width * (100 + FULL) // 100

    def grow(self) -> None:
        """Make room for more, in place. Raises MemoryError where the system has none."""
        filled = self[parts.BUCKETS]
        self._set_table(self._larger)
        if self.call("spread", filled, self.most):
            self._store_again()

    def _store_again(self) -> None:
        """Fill the table anew, whose states cannot be brought to their places as they stand."""
        with self._blocks[parts.TABLE].view as table:
            table[:] = bytes(len(table))
        self.call("store_again")

    @property
    def _larger(self) -> int:
        return self.slots * LARGER // 100 // self._bucket * self._bucket

    def _set_table(self, slots: int) -> None:
        """Have a table of so many slots, the new ones empty, and as many places in the order as it may take states."""
        room = slots * FULL // 100
        for name, size in ((parts.ORDER, room), (parts.TABLE, slots)):
            block = self._blocks[name]
            block.grow(size * self.width)
            self.share(name, block)
        self[parts.BUCKETS], self[parts.ROOM] = slots // self._bucket, room


def read(block: Pages, first: int, end: int, words: int) -> Sequence[int]:
    """Numbers of so many words that stand in memory."""
    size = words * BYTES
    with block.view as view:
        if words == 1:
            return array("Q", bytes(view[first * size : end * size]))
        return [int.from_bytes(view[at : at + size], sys.byteorder) for at in range(first * size, end * size, size)]


def write(block: Pages, first: int, numbers: Iterable[int], words: int) -> None:
    """Put numbers of so many words into memory."""
    size = words * BYTES
    content = (
        array("Q", numbers).tobytes() if words == 1 else b"".join(n.to_bytes(size, sys.byteorder) for n in numbers)
    )
    with block.view as view:
        view[first * size : first * size + len(content)] = content


def numbers(values: Iterable[int]) -> Pages:
    """Numbers of a word each."""
    return _filled(array("Q", values).tobytes())


def halves(values: Iterable[int]) -> Pages:
    """Numbers of half a word each."""
    return _filled(array("I", values).tobytes())


def truths(values: Iterable[bool | int]) -> Pages:
    """A byte for each truth."""
    return _filled(bytes(values))


def _filled(content: bytes) -> Pages:
    pages = Pages(len(content) + BYTES)
    with pages.view as view:
        view[: len(content)] = content
    return pages

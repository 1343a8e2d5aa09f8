"""The states that a native search has found: in the order of their discovery, and in the table that says which are known."""

from __future__ import annotations

import ctypes
import sys
from array import array
from collections.abc import Iterable, Sequence

from draincheck.native import parts
from draincheck.native.memory import Block
from draincheck.native.system import NativeLoop
from draincheck.native.width import BYTES

__all__ = ["States"]

#: slots of the first table
FIRST = 1 << 16

#: of the slots so many hundredths are filled before the table grows, and so many hundredths it has then
FULL, LARGER = 80, 150


class States:
    """States as words in memory, and the block that is shared with the kernel.

    Attributes:
        words: those of a state.
    """

    def __init__(self, code: NativeLoop, actions: int, notes: int, batch: int) -> None:
        """Begin without states.

        Args:
            code: the code of a system.
            actions: how many actions it has.
            notes: how many notes its search loop makes.
            batch: how many states are stored at once, at most, that nobody has found.
        """
        self._kernel, self.words = code.kernel, code.words
        self._bucket = parts.slots(self.words)
        self._shared = (ctypes.c_uint64 * parts.SHARED)()
        self._blocks: dict[int, Block] = {}
        most = max(batch, parts.BATCH * actions)
        arrays = {
            parts.ORDER: BYTES,
            parts.OUT: most * self.width,
            parts.PLACES: most * BYTES,
            parts.SOUGHT: self.width,
            **dict.fromkeys((parts.FIRED, parts.NO_FIRED), actions + 1),
            **dict.fromkeys((parts.NOTED, parts.NO_NOTED), (notes + 1) * self.width),
        }
        for name, size in arrays.items():
            self.share(name, Block(size))
        self[parts.EXPAND] = code.expand
        self._set_table(FIRST)

    def share(self, name: int, block: Block) -> None:
        """Tell the kernel where an array is."""
        self._blocks[name] = block
        self[name] = block.address

    def block(self, name: int) -> Block:
        """One of the arrays."""
        return self._blocks[name]

    def __len__(self) -> int:
        return self[parts.STORED]

    def __getitem__(self, name: int) -> int:
        """A number that is shared."""
        return self._shared[name]

    def __setitem__(self, name: int, value: int) -> None:
        self._shared[name] = value

    @property
    def width(self) -> int:
        """The bytes of a state."""
        return self.words * BYTES

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
        return self._kernel.call(name, ctypes.addressof(self._shared), *words)

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

    @property
    def growth(self) -> int:
        """The bytes that are taken more while the table grows."""
        return self._larger * self.width

    def grow(self) -> None:
        """Make room for more. Raises MemoryError where the system has none."""
        old, slots = self._blocks[parts.TABLE], self.slots
        self._set_table(self._larger)
        self.call("move", old.address, slots)

    @property
    def _larger(self) -> int:
        return self.slots * LARGER // 100 // self._bucket * self._bucket

    def _set_table(self, slots: int) -> None:
        """Have an empty table of so many slots, and as many places in the order as it may take states."""
        room = slots * FULL // 100
        table, order = Block(slots * self.width), self._blocks[parts.ORDER]
        order.grow(room * self.width)
        self.share(parts.ORDER, order)
        self.share(parts.TABLE, table)
        self[parts.BUCKETS], self[parts.ROOM] = slots // self._bucket, room


def read(block: Block, first: int, end: int, words: int) -> Sequence[int]:
    """Numbers of so many words that stand in memory."""
    size = words * BYTES
    with block.view as view:
        if words == 1:
            return array("Q", bytes(view[first * size : end * size]))
        return [int.from_bytes(view[at : at + size], sys.byteorder) for at in range(first * size, end * size, size)]


def write(block: Block, first: int, numbers: Iterable[int], words: int) -> None:
    """Put numbers of so many words into memory."""
    size = words * BYTES
    content = (
        array("Q", numbers).tobytes() if words == 1 else b"".join(n.to_bytes(size, sys.byteorder) for n in numbers)
    )
    with block.view as view:
        view[first * size : first * size + len(content)] = content

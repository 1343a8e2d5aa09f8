"""A split virtqueue in guest memory, as virtio 1.x lays it out (sections 2.7 and 5.2.6); little-endian throughout.

    descriptor table   size * 16 bytes: le64 addr, le32 len, le16 flags, le16 next
    available ring     le16 flags, le16 idx, le16 ring[size], le16 used_event
    used ring          le16 flags, le16 idx, {le32 id, le32 len}[size], le16 avail_event

The driver (the guest) writes descriptors and the available ring, the device writes the used ring. Both indices run freely, modulo 2^16.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

__all__ = ["DESC_F_NEXT", "DESC_F_WRITE", "Descriptor", "RingLayout", "VirtQueue"]

DESC_F_NEXT: Final = 1
DESC_F_WRITE: Final = 2

_DESC: Final = struct.Struct("<QIHH")
_U16: Final = struct.Struct("<H")
_USED: Final = struct.Struct("<II")


class Descriptor(NamedTuple):
    """One buffer: where it is in guest memory, its length, DESC_F_* flags, and the next one of its chain."""

    addr: int
    length: int
    flags: int
    next: int


class RingLayout(NamedTuple):
    """Where a queue of `size` entries lies: byte offsets in guest memory."""

    size: int
    desc: int
    avail: int
    used: int
    end: int

    @classmethod
    def at(cls, start: int, size: int) -> RingLayout:
        """The three parts one after the other, with the alignments of the specification (16, 2, 4)."""
        desc = -(-start // 16) * 16
        avail = desc + 16 * size
        used = -(-(avail + 6 + 2 * size) // 4) * 4
        return cls(size, desc, avail, used, used + 6 + 8 * size)

    # -- descriptor table, both sides -----------------------------------------------------------------------------------------

    def write_desc(self, memory: bytearray, index: int, descriptor: Descriptor) -> None:
        """The driver fills a descriptor."""
        _DESC.pack_into(memory, self.desc + 16 * index, *descriptor)

    def chain(self, memory: bytearray, head: int) -> list[Descriptor]:
        """The descriptors of a chain, in order."""
        found = [self._read_desc(memory, head)]
        while found[-1].flags & DESC_F_NEXT:
            found.append(self._read_desc(memory, found[-1].next))
        return found

    def _read_desc(self, memory: bytearray, index: int) -> Descriptor:
        return Descriptor._make(_DESC.unpack_from(memory, self.desc + 16 * index))

    # -- available ring -------------------------------------------------------------------------------------------------------

    def avail_idx(self, memory: bytearray) -> int:
        """How many chains the driver has made available so far."""
        return int(_U16.unpack_from(memory, self.avail + 2)[0])

    def make_available(self, memory: bytearray, head: int) -> None:
        """The driver offers a chain: the entry first, then the index."""
        idx = self.avail_idx(memory)
        _U16.pack_into(memory, self.avail + 4 + 2 * (idx % self.size), head)
        _U16.pack_into(memory, self.avail + 2, (idx + 1) & 0xFFFF)

    def available(self, memory: bytearray, idx: int) -> int:
        """The head of the idx-th chain."""
        return int(_U16.unpack_from(memory, self.avail + 4 + 2 * (idx % self.size))[0])

    # -- used ring ------------------------------------------------------------------------------------------------------------

    def used_idx(self, memory: bytearray) -> int:
        """How many chains the device has given back so far."""
        return int(_U16.unpack_from(memory, self.used + 2)[0])

    def push_used(self, memory: bytearray, head: int, length: int) -> None:
        """The device gives a chain back, having written `length` bytes into it: the element first, then the index."""
        idx = self.used_idx(memory)
        _USED.pack_into(memory, self.used + 4 + 8 * (idx % self.size), head, length)
        _U16.pack_into(memory, self.used + 2, (idx + 1) & 0xFFFF)

    def used_element(self, memory: bytearray, idx: int) -> tuple[int, int]:
        """(head, length) of the idx-th chain given back."""
        head, length = _USED.unpack_from(memory, self.used + 4 + 8 * (idx % self.size))
        return head, length


class VirtQueue:
    """The device's side of a queue. `last_avail_idx`: how many chains it has popped."""

    def __init__(self, memory: bytearray, layout: RingLayout) -> None:
        self.memory = memory
        self.layout = layout
        self.last_avail_idx = 0

    def virtio_queue_empty(self) -> bool:
        """The driver has made nothing available that has not been popped."""
        return self.layout.avail_idx(self.memory) == self.last_avail_idx

    def virtqueue_pop(self) -> tuple[int, list[Descriptor]] | None:
        """The next chain's head and descriptors, or None."""
        if self.virtio_queue_empty():
            return None
        head = self.layout.available(self.memory, self.last_avail_idx)
        self.last_avail_idx = (self.last_avail_idx + 1) & 0xFFFF
        return head, self.layout.chain(self.memory, head)

    def virtqueue_push(self, head: int, length: int) -> None:
        """Give a chain back."""
        self.layout.push_used(self.memory, head, length)

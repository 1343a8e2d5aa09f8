"""The guest: a driver that lays requests out in its memory, offers them to the device and kicks it."""

from __future__ import annotations

from typing import Final

from draincheck.core.image import SECTOR
from draincheck.core.virtio_blk import FIRST_SECTOR, OUTHDR, VIRTIO_BLK_T_FLUSH, VIRTIO_BLK_T_IN, VIRTIO_BLK_T_OUT
from draincheck.core.virtqueue import DESC_F_NEXT, DESC_F_WRITE, Descriptor, RingLayout

__all__ = ["GuestDriver", "GuestRequest"]

#: bytes of guest memory for a request's header, data and status byte
_SLOT: Final = 1024
_TYPE: Final = {"write": VIRTIO_BLK_T_OUT, "read": VIRTIO_BLK_T_IN, "flush": VIRTIO_BLK_T_FLUSH}
#: what a status byte holds before the device has written it
_NO_STATUS: Final = 0xFF


class GuestRequest:
    """A request of the guest. `head` is its first descriptor once it is in the ring, `status` the status byte once it is answered."""

    __slots__ = ("data", "head", "kind", "name", "sector", "status")

    def __init__(self, name: str, sector: int, data: bytes = b"") -> None:
        self.name, self.sector = name, sector
        #: `write`, `read` or `flush`
        self.kind = name.partition("[")[0]
        #: what a write writes; what a read has read, once it is answered
        self.data = data
        self.head: int | None = None
        self.status: int | None = None

    @property
    def is_write(self) -> bool:
        """It writes `data`."""
        return self.kind == "write"

    @property
    def answered(self) -> bool:
        """The guest has seen its used element."""
        return self.status is not None


class GuestDriver:
    """The driver of one virtio disk.

    Attributes:
        memory: the guest's memory.
        requests: all requests it has or will make, in order: writes, reads, flushes.
        first: for each kind the place of its first one.
        made: how many of them are in the ring or beyond.
        void: names of those that a reset device has left in the ring.
    """

    def __init__(self, index: int, writes: int, reads: int, flushes: int = 0) -> None:
        self.index = index
        self.first = {"write": 0, "read": writes, "flush": writes + reads}
        self.requests = [self._write(i) for i in range(writes)] + [self._read(i) for i in range(reads)]
        self.requests += [GuestRequest(f"flush[{index}.{i}]", 0) for i in range(flushes)]
        self.made = 0
        self.void: set[str] = set()
        size = max(4, 1 << (3 * len(self.requests)).bit_length())  # a power of two, as virtio demands
        self.layout = RingLayout.at(0, size)
        self._buffers = -(-self.layout.end // _SLOT) * _SLOT
        self.memory = bytearray(self._buffers + _SLOT * (size // 3))
        self._last_used_idx = 0
        self._in_slot: dict[int, GuestRequest] = {}

    def _write(self, number: int) -> GuestRequest:
        data = bytes([0xAB + number]) * SECTOR
        return GuestRequest(f"write[{self.index}.{number}]", FIRST_SECTOR + number, data)

    def _read(self, number: int) -> GuestRequest:
        return GuestRequest(f"read[{self.index}.{number}]", FIRST_SECTOR + number)

    def append_read(self, sector: int) -> GuestRequest:
        """Have the guest make one more request, after all others: a read of a sector."""
        request = self._read(sector - FIRST_SECTOR)
        self.requests.append(request)
        return request

    def all_answered(self) -> bool:
        """The device has answered everything that is still in the ring."""
        return all(request.status is not None for request in self.requests if request.name not in self.void)

    def device_was_reset(self, taken: int) -> None:
        """The device has taken so many chains from the ring; nobody waits for the others any more."""
        self.void = {request.name for request in self.requests[taken : self.made]}

    def add_request(self) -> GuestRequest:
        """virtqueue_add: lay the next request out in memory and make its chain available."""
        request = self.requests[self.made]
        self.made += 1
        slot = next(slot for slot in range(self.layout.size // 3) if slot not in self._in_slot)
        self._in_slot[slot] = request
        self._fill(request, slot)
        self.layout.make_available(self.memory, 3 * slot)
        request.head = 3 * slot
        return request

    def _fill(self, request: GuestRequest, slot: int) -> None:
        """Header, data, status byte: three descriptors, the last of them and a read's data for the device to write. A flush has no data."""
        memory, base, head = self.memory, self._buffers + _SLOT * slot, 3 * slot
        OUTHDR.pack_into(memory, base, _TYPE[request.kind], 0, request.sector)
        data, status = base + OUTHDR.size, base + OUTHDR.size + SECTOR
        memory[data:status] = request.data or bytes(SECTOR)
        memory[status] = _NO_STATUS
        flags = DESC_F_NEXT if request.is_write else DESC_F_NEXT | DESC_F_WRITE
        after_header = head + 2 if request.kind == "flush" else head + 1
        self.layout.write_desc(memory, head, Descriptor(base, OUTHDR.size, DESC_F_NEXT, after_header))
        self.layout.write_desc(memory, head + 1, Descriptor(data, SECTOR, flags, head + 2))
        self.layout.write_desc(memory, head + 2, Descriptor(status, 1, DESC_F_WRITE, 0))

    def interrupt(self) -> None:
        """The device has raised its interrupt: take what it has pushed and read the status bytes."""
        while self._last_used_idx != self.layout.used_idx(self.memory):
            head, _length = self.layout.used_element(self.memory, self._last_used_idx)
            self._last_used_idx = (self._last_used_idx + 1) & 0xFFFF
            self._answered(self._in_slot.pop(head // 3), self.layout.chain(self.memory, head))

    def _answered(self, request: GuestRequest, chain: list[Descriptor]) -> None:
        """A request's chain has come back: read its data if it asked for some, and its status byte."""
        if request.kind == "read":
            request.data = bytes(self.memory[chain[1].addr : chain[1].addr + SECTOR])
        request.status = self.memory[chain[-1].addr]

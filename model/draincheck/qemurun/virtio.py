"""A legacy virtio-blk-pci disk from the guest's side: its registers by port I/O, its ring in shared memory (virtio 0.9.5)."""

from __future__ import annotations

from collections.abc import Iterable
from ctypes import c_uint16, c_uint32
from struct import pack_into

from msgspec import Struct

from draincheck.qemurun.process import QemuProcess

__all__ = ["BLOCK", "DEPTH", "VirtioDisk"]

#: bytes of a request, and sectors
BLOCK, SECTORS = 4096, 8
#: requests that may be out at once: each has three descriptors
DEPTH = 32
PAGE = 4096

#: registers of the legacy interface, behind the first I/O BAR
_FEATURES, _PFN, _SIZE, _SELECT, _NOTIFY, _STATUS = 4, 8, 12, 14, 16, 18
_READ, _WRITE = 0, 1
_NEXT, _DEVICE_WRITES = 1, 2


class RingRequest(Struct):
    """What is out in a slot."""

    write: bool
    block: int
    sequence: int


class VirtioDisk:
    """One disk.

    Args:
        qemu: the process.
        slot: its PCI device number; port: where its registers go; base: where its ring and buffers go in guest memory.
    """

    def __init__(self, qemu: QemuProcess, slot: int, port: int, base: int) -> None:
        self.qemu, self.port, self.base = qemu, port, base
        self.out: dict[int, RingRequest] = {}
        self._free = list(range(DEPTH))
        self._configure(slot)
        self._set_up()

    def _configure(self, slot: int) -> None:
        """Give it a place in the I/O space, and let it use memory."""
        for register, value in ((0x10, self.port | 1), (0x04, 0x0005)):
            self.qemu.port_io(f"outl 0xcf8 {0x80000000 | slot << 11 | register:#x}")
            self.qemu.port_io(f"{'outl' if register == 0x10 else 'outw'} 0xcfc {value:#x}")

    def _set_up(self) -> None:
        write = self.qemu.port_io
        for status in (0, 1, 3):
            write(f"outb {self.port + _STATUS:#x} {status:#x}")
        write(f"outl {self.port + _FEATURES:#x} 0x0")
        write(f"outw {self.port + _SELECT:#x} 0x0")
        self.size = write(f"inw {self.port + _SIZE:#x}")
        write(f"outl {self.port + _PFN:#x} {self.base // PAGE:#x}")
        write(f"outb {self.port + _STATUS:#x} 0x7")
        self.avail = self.base + 16 * self.size
        self.used = -(-(self.avail + 6 + 2 * self.size) // PAGE) * PAGE
        self.buffers = -(-(self.used + 6 + 8 * self.size) // PAGE) * PAGE
        memory = self.qemu.memory
        self._avail_index = c_uint16.from_buffer(memory, self.avail + 2)
        self._used_index = c_uint16.from_buffer(memory, self.used + 2)
        self._seen = 0

    @property
    def idle(self) -> bool:
        """Whether nothing is out."""
        return not self.out

    @property
    def room(self) -> int:
        """How many requests more may be sent."""
        return len(self._free)

    def send(self, requests: Iterable[tuple[bool, int, int, bytes]]) -> None:
        """Put requests (write?, block, sequence, data) into the ring, and kick once."""
        for write, block, sequence, data in requests:
            self._put(self._free.pop(), RingRequest(write, block, sequence), data)
        self.qemu.kick(self.port + _NOTIFY)

    def _put(self, slot: int, request: RingRequest, data: bytes) -> None:
        memory, head = self.qemu.memory, 3 * slot
        header = self.buffers + slot * 2 * PAGE
        content = header + PAGE
        status = header + 64
        pack_into("<IIQ", memory, header, _WRITE if request.write else _READ, 0, request.block * SECTORS)
        if request.write:
            memory[content : content + BLOCK] = data
        memory[status] = 0xFF
        direction = 0 if request.write else _DEVICE_WRITES
        for i, (address, length, flags) in enumerate(
            ((header, 16, _NEXT), (content, BLOCK, _NEXT | direction), (status, 1, _DEVICE_WRITES))
        ):
            pack_into("<QIHH", memory, self.base + 16 * (head + i), address, length, flags, head + i + 1)
        index = self._avail_index.value
        c_uint16.from_buffer(memory, self.avail + 4 + 2 * (index % self.size)).value = head
        self._avail_index.value = (index + 1) & 0xFFFF
        self.out[slot] = request

    def answers(self) -> list[tuple[RingRequest, int, bytes]]:
        """Requests that are done: each with its status, and what was read."""
        found: list[tuple[RingRequest, int, bytes]] = []
        memory = self.qemu.memory
        while self._seen != self._used_index.value:
            entry = self.used + 4 + 8 * (self._seen % self.size)
            slot = c_uint32.from_buffer(memory, entry).value // 3
            self._seen = (self._seen + 1) & 0xFFFF
            header = self.buffers + slot * 2 * PAGE
            request = self.out.pop(slot)
            data = b"" if request.write else bytes(memory[header + PAGE : header + 2 * PAGE])
            found.append((request, memory[header + 64], data))
            self._free.append(slot)
        return found

    def release(self) -> None:
        """Let go of the memory."""
        del self._avail_index, self._used_index

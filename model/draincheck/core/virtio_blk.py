"""The virtio block device: its host notifier's handler, the queue handler, and the completion (hw/block/virtio-blk.c)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final

from draincheck.core.block import BlockBackend
from draincheck.core.host import Host
from draincheck.core.image import SECTOR
from draincheck.core.notifier import EventNotifier
from draincheck.core.virtqueue import VirtQueue

__all__ = [
    "FIRST_SECTOR",
    "OUTHDR",
    "VIRTIO_BLK_S_IOERR",
    "VIRTIO_BLK_S_OK",
    "VIRTIO_BLK_T_FLUSH",
    "VIRTIO_BLK_T_IN",
    "VIRTIO_BLK_T_OUT",
    "VirtIOBlock",
]

#: struct virtio_blk_outhdr: le32 type, le32 ioprio, le64 sector
OUTHDR: Final = struct.Struct("<IIQ")

VIRTIO_BLK_T_IN: Final = 0
VIRTIO_BLK_T_OUT: Final = 1
VIRTIO_BLK_T_FLUSH: Final = 4
VIRTIO_BLK_S_OK: Final = 0
VIRTIO_BLK_S_IOERR: Final = 1

#: the sector of a guest's first request
FIRST_SECTOR: Final = 64


@dataclass(slots=True)
class VirtIOBlockReq:
    """A popped request: the chain's head, where its data and its status byte lie in guest memory, and what it asks for."""

    name: str
    head: int
    sector: int
    addr: int
    status_addr: int
    #: what a write writes, what a read reads into, None for a flush
    buffer: bytes | bytearray | None


class VirtIOBlock:
    """A virtio disk.

    Attributes:
        conf: its BlockBackend.
        host_notifier: the queue's ioeventfd.
        irq: the guest's interrupt handler.
    """

    def __init__(self, host: Host, index: int, conf: BlockBackend, vq: VirtQueue, irq: Callable[[], None]) -> None:
        self.host = host
        self.index = index
        self.conf = conf
        self.vq = vq
        self.irq = irq
        self.host_notifier = EventNotifier()

    def virtio_queue_host_notifier_read(self) -> None:
        """The ioeventfd's handler: test and clear it; if it was set, run the queue handler."""
        if self.host_notifier.event_notifier_test_and_clear():
            self.host.event("event_notifier_test_and_clear")
            self.virtio_queue_notify()

    def virtio_queue_has_entries(self) -> bool:
        """What io_poll looks at: the ring, not the eventfd."""
        return not self.vq.virtio_queue_empty()

    def virtio_queue_host_notifier_aio_poll(self) -> None:
        """Busy polling has found the ring filled: run the queue handler though nothing was notified. A kick will be a spurious wakeup."""
        self.virtio_queue_notify()

    def virtio_queue_notify(self) -> None:
        """Run the queue handler."""
        self.virtio_blk_handle_output()

    def virtio_blk_handle_output(self) -> None:
        """Pop until the ring is empty, then submit the reads and writes that were in it; a flush is submitted when it is popped."""
        batch: list[VirtIOBlockReq] = []
        while (request := self.virtio_blk_get_request()) is not None:
            if request.buffer is None:
                self.virtio_blk_handle_flush(request, batch)
            else:
                batch.append(request)
        self._submit_batch(batch)

    def virtio_blk_handle_flush(self, request: VirtIOBlockReq, batch: list[VirtIOBlockReq]) -> None:
        """Writes that were popped before it go first."""
        if any(isinstance(popped.buffer, bytes) for popped in batch):
            self._submit_batch(batch)
            batch.clear()
        self.conf.blk_aio_flush(request.name, partial(self.virtio_blk_flush_complete, request))

    def _submit_batch(self, batch: Iterable[VirtIOBlockReq]) -> None:
        if self.host.knobs.submit == "blk_aio_multiwrite":
            self.virtio_submit_multiwrite(batch)
        else:
            self.virtio_blk_submit_multireq(batch)

    def virtio_blk_get_request(self) -> VirtIOBlockReq | None:
        """Pop one chain and read its header: out header, data (none for a flush), status byte."""
        popped = self.vq.virtqueue_pop()
        if popped is None:
            return None
        head, (header, *rest, status) = popped
        kind, _ioprio, sector = OUTHDR.unpack_from(self.vq.memory, header.addr)
        if kind == VIRTIO_BLK_T_FLUSH:
            return VirtIOBlockReq(f"flush[{self.index}.0]", head, sector, 0, status.addr, None)
        (data,) = rest
        is_write = kind == VIRTIO_BLK_T_OUT
        buffer = bytes(self.vq.memory[data.addr : data.addr + SECTOR]) if is_write else bytearray(SECTOR)
        name = f"{'write' if is_write else 'read'}[{self.index}.{sector - FIRST_SECTOR}]"
        return VirtIOBlockReq(name, head, sector, data.addr, status.addr, buffer)

    def virtio_submit_multiwrite(self, batch: Iterable[VirtIOBlockReq]) -> None:
        """Before 95f7142abc: writes in one bdrv_aio_multiwrite."""
        for request in batch:
            self._submit(request)

    def virtio_blk_submit_multireq(self, batch: Iterable[VirtIOBlockReq]) -> None:
        """From 95f7142abc on."""
        for request in batch:
            self._submit(request)

    def _submit(self, request: VirtIOBlockReq) -> None:
        complete = partial(self.virtio_blk_rw_complete, request)
        if isinstance(request.buffer, bytes):
            self.conf.blk_aio_pwritev(request.name, request.sector, request.buffer, complete)
        elif request.buffer is not None:
            self.conf.blk_aio_preadv(request.name, request.sector, request.buffer, complete)

    def virtio_blk_rw_complete(self, request: VirtIOBlockReq, ret: int) -> None:
        """A read or write is done: hand a read's data over."""
        if isinstance(request.buffer, bytearray):
            self.vq.memory[request.addr : request.addr + SECTOR] = request.buffer
        self.virtio_blk_req_complete(request, ret)

    def virtio_blk_flush_complete(self, request: VirtIOBlockReq, ret: int) -> None:
        """A flush is done."""
        self.virtio_blk_req_complete(request, ret)

    def virtio_blk_req_complete(self, request: VirtIOBlockReq, ret: int) -> None:
        """Write the status byte, push the used element and interrupt the guest: the ack."""
        self.vq.memory[request.status_addr] = VIRTIO_BLK_S_IOERR if ret else VIRTIO_BLK_S_OK
        self.vq.virtqueue_push(request.head, SECTOR + 1 if isinstance(request.buffer, bytearray) else 1)
        self.host.event("%s completes, the guest is told", request.name)
        self.irq()

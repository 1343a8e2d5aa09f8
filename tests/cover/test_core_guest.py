"""The core's guest driver: requests as virtio lays them out, slots that are used again, answers that are read back from memory."""

from __future__ import annotations

from itertools import pairwise

import pytest

from draincheck.core.guest import GuestDriver
from draincheck.core.image import SECTOR
from draincheck.core.virtio_blk import OUTHDR, VIRTIO_BLK_S_IOERR, VIRTIO_BLK_S_OK
from draincheck.core.virtqueue import DESC_F_WRITE, VirtQueue

WRITE, READ, FLUSH = 1, 0, 4


@pytest.mark.parametrize(("requests", "size"), [(0, 4), (1, 4), (2, 8), (3, 16), (5, 16), (6, 32), (10, 32), (11, 64)])
def test_a_queue_has_room_for_every_chain_and_no_more_than_it_must(requests: int, size: int) -> None:
    """The smallest power of two with three descriptors for each request, and at least 4."""
    assert GuestDriver(0, requests, 0).layout.size == size


def test_requests_are_named_and_laid_out_one_kind_after_the_other() -> None:
    """Writes, reads, flushes; each write its own sector and bytes, and reads the sectors of the writes."""
    driver = GuestDriver(1, 2, 2, 1)
    found = [(request.name, request.kind, request.sector) for request in driver.requests]
    assert found == [
        ("write[1.0]", "write", 64),
        ("write[1.1]", "write", 65),
        ("read[1.0]", "read", 64),
        ("read[1.1]", "read", 65),
        ("flush[1.0]", "flush", 0),
    ]
    assert driver.first == {"write": 0, "read": 2, "flush": 4} and driver.made == 0
    assert [request.data for request in driver.requests[:3]] == [b"\xab" * SECTOR, b"\xac" * SECTOR, b""]


def test_the_device_finds_header_data_and_status() -> None:
    """A write's data is for the device to read, a read's to write; a flush has none; the status byte is the device's."""
    driver = GuestDriver(0, 1, 1, 1)
    queue = VirtQueue(driver.memory, driver.layout)
    kinds = []
    for request in driver.requests:
        assert driver.add_request() is request
        popped = queue.virtqueue_pop()
        assert popped is not None
        head, (header, *data, status) = popped
        assert head == request.head
        kind, _, sector = OUTHDR.unpack_from(driver.memory, header.addr)
        kinds.append((kind, sector, [bool(buffer.flags & DESC_F_WRITE) for buffer in data]))
        assert (header.length, status.length) == (OUTHDR.size, 1)
        assert not header.flags & DESC_F_WRITE and status.flags == DESC_F_WRITE
        assert driver.memory[status.addr] not in (VIRTIO_BLK_S_OK, VIRTIO_BLK_S_IOERR)
        for buffer in data:
            assert driver.memory[buffer.addr : buffer.addr + buffer.length] == request.data.ljust(SECTOR, b"\0")
    assert kinds == [(WRITE, 64, [False]), (READ, 64, [True]), (FLUSH, 0, [])]


def test_buffers_of_requests_under_way_do_not_overlap() -> None:
    """Nor do they touch the rings."""
    driver = GuestDriver(0, 5, 5, 1)
    spans = [(0, driver.layout.end)]
    for _ in driver.requests:
        head = driver.add_request().head
        assert head is not None
        spans += [(buffer.addr, buffer.addr + buffer.length) for buffer in driver.layout.chain(driver.memory, head)]
    spans.sort()
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    assert spans[-1][1] <= len(driver.memory)


def test_an_interrupt_reads_every_answer_that_has_come() -> None:
    """In the order of the used ring; each request gets its own status, a read its data, and its slot is free again."""
    driver = GuestDriver(0, 2, 1)
    queue = VirtQueue(driver.memory, driver.layout)
    for _ in driver.requests:
        driver.add_request()
    chains = []
    while (popped := queue.virtqueue_pop()) is not None:
        chains.append(popped)
    statuses = [VIRTIO_BLK_S_OK, VIRTIO_BLK_S_IOERR, VIRTIO_BLK_S_OK]
    for (head, chain), status in reversed(list(zip(chains, statuses, strict=True))):
        driver.memory[chain[1].addr] = 0x5A
        driver.memory[chain[-1].addr] = status
        queue.virtqueue_push(head, 1)
    assert not any(request.answered for request in driver.requests) and not driver.all_answered()
    driver.interrupt()
    assert [request.status for request in driver.requests] == statuses and driver.all_answered()
    assert [request.data[:2] for request in driver.requests] == [b"\xab\xab", b"\xac\xac", b"\x5a\x00"]
    again = driver.append_read(65)
    assert driver.add_request() is again and again.head == 0
    assert not driver.all_answered()


def test_nobody_waits_for_what_a_reset_device_has_not_taken() -> None:
    """Those that were taken still count, and so do those that are still to be made."""
    driver = GuestDriver(0, 3, 0)
    driver.add_request()
    driver.add_request()
    driver.device_was_reset(1)
    assert driver.void == {"write[0.1]"}
    driver.requests[0].status = VIRTIO_BLK_S_OK
    assert not driver.all_answered()
    driver.requests[2].status = VIRTIO_BLK_S_OK
    assert driver.all_answered()

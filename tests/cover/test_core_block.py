"""The core's block layer alone: tracked requests, drained sections, requests that queue, and the two ways to put a node in another's place."""

from __future__ import annotations

import pytest

from draincheck.core.aio import AioContext
from draincheck.core.block import BdrvTrackedRequest, BlockBackend, BlockDriverState, bdrv_set_aio_context, bdrv_swap
from draincheck.core.child import bdrv_replace_node_noperm
from draincheck.core.drain import Drainer
from draincheck.core.host import Host, Thread
from draincheck.core.image import SECTOR, Image
from draincheck.core.threadpool import aio_get_thread_pool
from draincheck.knobs import Setting
from draincheck.revisions import find_revision, with_settings

DATA = b"\x17" * SECTOR


class Layer:
    """A source with a BlockBackend on it, and a target, in one context in whose thread nothing else acts."""

    def __init__(self, revision: str = "7f16476fab", **settings: Setting) -> None:
        self.host = Host(with_settings(find_revision(revision), settings).knobs, None, lambda choices: 0)
        self.host.running = Thread("main thread")
        self.host.running.atomic = 1
        self.ctx = AioContext(self.host, "qemu_aio_context")
        self.source = BlockDriverState(self.host, Image("source"), None, self.ctx)
        self.target = BlockDriverState(self.host, Image("target"), None, self.ctx)
        self.blk = BlockBackend(self.host, self.source)
        self.drainer = Drainer(self.host, "mirror_run")
        self.told: list[tuple[str, int]] = []

    def write(self, name: str, sector: int = 5) -> None:
        """The device submits a write."""
        self.blk.blk_aio_pwritev(name, sector, DATA, lambda ret: self.told.append((name, ret)))

    def flush(self, name: str) -> None:
        """The device submits a flush."""
        self.blk.blk_aio_flush(name, lambda ret: self.told.append((name, ret)))

    def finish(self, ret: int = 0) -> None:
        """The host finishes all I/O, and the completions run."""
        pool = aio_get_thread_pool(self.ctx)
        for element in tuple(pool.elements):
            pool.worker_thread(element, ret)
        self.ctx.aio_bh_poll()


def test_a_write_is_tracked_until_it_is_done_and_marks_its_sector_then() -> None:
    """It counts from the submission to the callback; every bitmap that listens hears of it, a released one does not."""
    layer = Layer()
    heard, released = layer.source.bdrv_create_dirty_bitmap(), layer.source.bdrv_create_dirty_bitmap()
    layer.source.bdrv_release_dirty_bitmap(released)
    layer.write("write")
    assert layer.source.bdrv_requests_pending() and layer.blk.in_flight == 1 and layer.told == []
    assert [request.name for request in layer.source.tracked_requests] == ["write"]
    assert heard.bdrv_get_dirty_count() == 0
    layer.finish()
    assert layer.told == [("write", 0)] and layer.blk.in_flight == 0 and not layer.source.bdrv_requests_pending()
    assert (heard.bits, released.bits) == ({5}, set())
    assert layer.source.image.pread(5) == DATA and layer.source.image.writer == {5: "write"}


def test_a_write_that_fails_leaves_no_mark() -> None:
    """The device is told, the image stays as it was."""
    layer = Layer()
    bitmap = layer.source.bdrv_create_dirty_bitmap()
    layer.write("write")
    layer.finish(-5)
    assert layer.told == [("write", -5)] and bitmap.bits == set() and layer.source.image.writer == {}


def test_a_read_gets_what_the_node_holds() -> None:
    """It is tracked, too."""
    layer, buffer = Layer(), bytearray(SECTOR)
    layer.source.image.pwrite(5, DATA)
    layer.blk.blk_aio_preadv("read", 5, buffer, lambda ret: layer.told.append(("read", ret)))
    assert layer.source.bdrv_requests_pending()
    layer.finish()
    assert buffer == DATA and layer.told == [("read", 0)] and not layer.source.bdrv_requests_pending()


@pytest.mark.parametrize("tracked", [False, True])
def test_a_flush_is_tracked_from_cdb5e3155e_on(tracked: bool) -> None:
    """Before, no drain waits for it."""
    layer = Layer(flush_tracked=tracked)
    layer.flush("flush")
    assert layer.source.bdrv_requests_pending() == tracked and layer.blk.in_flight == 1
    layer.finish()
    assert layer.told == [("flush", 0)] and not layer.source.bdrv_requests_pending()


def test_a_section_disables_external_events_once_and_tells_the_backends() -> None:
    """Nested sections count; the last end enables them again."""
    layer = Layer()
    for depth in (1, 2):
        layer.source.bdrv_do_drained_begin_quiesce()
        assert (layer.source.quiesce_counter, layer.ctx.external_disable_cnt) == (depth, 1)
        assert layer.blk.quiesce_counter == depth
    for depth in (1, 0):
        layer.drainer.bdrv_drained_end(layer.source)
        assert (layer.source.quiesce_counter, layer.ctx.external_disable_cnt) == (depth, min(depth, 1))
        assert layer.blk.quiesce_counter == depth


# -- requests that queue --------------------------------------------------------------------------------------------------------------


def in_section(revision: str = "7f16476fab", **settings: Setting) -> Layer:
    """A layer whose source is in a drained section."""
    layer = Layer(revision, **settings)
    layer.source.bdrv_do_drained_begin_quiesce()
    return layer


def test_requests_queue_in_a_section_and_go_on_in_their_order_after_it() -> None:
    """From cf3129323f on; they are not counted meanwhile, so that no drain waits for them."""
    layer = in_section()
    layer.write("first", 5)
    layer.write("second", 6)
    layer.flush("third")
    assert layer.blk.parked == {"first", "second", "third"} and layer.blk.in_flight == 0
    assert not layer.source.bdrv_drain_poll_top_level() and layer.blk.entered == {}
    layer.drainer.bdrv_drained_end(layer.source)
    assert list(layer.blk.entered) == ["first", "second", "third"]
    assert layer.blk.parked == set() and layer.blk.in_flight == 3 and layer.source.bdrv_drain_poll_top_level()


def test_a_queued_flush_was_counted_at_first() -> None:
    """From cf3129323f to 7f16476fab~1 a drain waits for it, which waits for the drain; a write was not counted then either."""
    layer = in_section(parked_counts=True)
    layer.write("write")
    assert layer.blk.parked == {"write"} and layer.blk.in_flight == 0
    layer.flush("flush")
    assert layer.blk.parked == {"write", "flush"} and layer.blk.in_flight == 1
    assert layer.source.bdrv_drain_poll_top_level()
    layer.drainer.bdrv_drained_end(layer.source)
    assert layer.blk.in_flight == 2


def test_before_cf3129323f_no_request_queues() -> None:
    """It enters the drained node at once; and a drain looks at tracked requests alone."""
    layer = in_section(park_requests=False, flush_tracked=False)
    layer.write("write")
    assert list(layer.blk.entered) == ["write"] and layer.blk.parked == set()
    layer.finish()
    layer.flush("flush")
    assert layer.blk.in_flight == 1 and not layer.source.bdrv_drain_poll_top_level()


# -- another node in a node's place ---------------------------------------------------------------------------------------------------


def test_a_replacement_moves_the_parents_and_makes_up_for_open_sections() -> None:
    """What queued goes to the new node if that is not drained; contents stay where they are."""
    layer = in_section()
    layer.write("queued")
    bdrv_replace_node_noperm(layer.source, layer.target)
    assert layer.blk.root is layer.target and layer.target.parents == [layer.blk.child] and layer.source.parents == []
    assert layer.blk.quiesce_counter == 0 and layer.blk.entered["queued"] is layer.target.image
    assert layer.source.image.name == "source"


def test_a_replacement_by_a_drained_node_drains_the_parents() -> None:
    """As often as the new node is."""
    layer = Layer()
    for _ in range(2):
        layer.target.bdrv_do_drained_begin_quiesce()
    bdrv_replace_node_noperm(layer.source, layer.target)
    assert layer.blk.quiesce_counter == 2
    layer.write("queues")
    assert layer.blk.parked == {"queues"}


def test_bdrv_swap_exchanges_contents_and_no_pointers() -> None:
    """Until 3f09bfbc7b; a write in flight keeps working on the image that it began with."""
    layer = Layer("5a7e7a0bad")
    old, new = layer.source.image, layer.target.image
    backing = layer.source.backing = Image("backing")
    layer.write("in flight")
    bdrv_swap(layer.target, layer.source)
    assert layer.blk.root is layer.source and (layer.source.image, layer.target.image) == (new, old)
    assert [layer.source.backing, layer.target.backing] == [None, backing]
    layer.finish()
    assert old.pread(5) == DATA and new.pread(5) is None


@pytest.mark.parametrize("carries", [False, True])
def test_a_context_switch_takes_the_disable_count_along_or_not(carries: bool) -> None:
    """From e64f25f30b on, if the node is in a section; without one there is nothing to take."""
    layer = Layer(switch_carries_count=carries)
    other = AioContext(layer.host, "iothread")
    bdrv_set_aio_context(layer.target, other)
    assert layer.target.aio_context is other and other.external_disable_cnt == 0
    layer.source.bdrv_do_drained_begin_quiesce()
    bdrv_set_aio_context(layer.source, other)
    assert layer.source.aio_context is other
    assert (layer.ctx.external_disable_cnt, other.external_disable_cnt) == ((0, 1) if carries else (1, 0))


def test_requests_are_told_apart_by_name_and_owner() -> None:
    """The one that ends is taken off, others stay."""
    node = Layer().source
    requests = [BdrvTrackedRequest(name, "guest", 5) for name in ("one", "other")]
    for request in requests:
        node.tracked_request_begin(request)
    node.tracked_request_end(requests[0])
    assert node.tracked_requests == requests[1:]

"""The core's edges and mirror's filter node alone: how far a section reaches, who may write, what a replacement does to both."""

from __future__ import annotations

import pytest

from draincheck.core.aio import AioContext
from draincheck.core.block import BlockBackend, BlockDriverState, bdrv_set_aio_context
from draincheck.core.child import FILE, BdrvChild, bdrv_replace_node_noperm
from draincheck.core.errors import QemuAbort
from draincheck.core.host import Host, Thread
from draincheck.core.image import SECTOR, Image
from draincheck.core.mirror_top import MirrorTop
from draincheck.revisions import find_revision


class Graph:
    """BlockBackend, filter, source; and a target that the job has a BlockBackend of its own on."""

    def __init__(self, target_format: str = "raw") -> None:
        self.host = Host(find_revision("3bb0e2980a").knobs, None, lambda choices: 0)
        self.host.running = Thread("main thread")
        self.ctx = AioContext(self.host, "qemu_aio_context")
        self.source = BlockDriverState(self.host, Image("source"), None, self.ctx)
        self.target = BlockDriverState(self.host, Image("target", target_format), None, self.ctx)
        self.top = MirrorTop(self.source)
        self.blk = BlockBackend(self.host, self.top)
        self.job = BdrvChild(FILE, self.target, writes=True)

    def counts(self) -> tuple[int, ...]:
        """Sections as source, filter, target and BlockBackend have them."""
        return tuple(item.quiesce_counter for item in (self.source, self.top, self.target, self.blk))

    def let_go(self) -> None:
        """The job lets go of the target."""
        self.target.parents.remove(self.job)
        self.target.bdrv_refresh_perms()


def test_a_section_reaches_up_along_the_edges() -> None:
    """From the source to the filter and the BlockBackend, and masks external events once a node."""
    graph = Graph()
    graph.source.bdrv_do_drained_begin_quiesce()
    assert graph.counts() == (1, 1, 0, 1) and graph.ctx.external_disable_cnt == 2
    graph.top.bdrv_do_drained_begin_quiesce()
    assert graph.counts() == (1, 2, 0, 2) and graph.ctx.external_disable_cnt == 2
    graph.source.bdrv_do_drained_end()
    graph.top.bdrv_do_drained_end()
    assert graph.counts() == (0, 0, 0, 0) and graph.ctx.external_disable_cnt == 0


def test_a_filter_that_is_put_on_another_node_keeps_its_own_sections_alone() -> None:
    """What reached it from the old node ends, also for who is above."""
    graph = Graph()
    graph.source.bdrv_do_drained_begin_quiesce()
    graph.top.bdrv_do_drained_begin_quiesce()
    bdrv_replace_node_noperm(graph.source, graph.target)
    assert graph.counts() == (1, 1, 0, 1) and graph.top.bdrv_skip_filters() is graph.target


def test_a_write_is_tracked_by_the_filter_and_below() -> None:
    """And goes to the image below."""
    graph = Graph()
    graph.blk.blk_aio_pwritev("w", 5, bytes(SECTOR), lambda ret: None)
    assert graph.top.bdrv_requests_pending() and graph.source.bdrv_requests_pending()
    assert graph.blk.entered["w"] is graph.source.image


@pytest.mark.parametrize(("target_format", "may"), [("raw", False), ("qcow2", True)])
def test_a_node_that_nobody_writes_to_gives_its_permission_back(target_format: str, may: bool) -> None:
    """Unless its format has metadata to write."""
    graph = Graph(target_format)
    assert graph.target.file.writes
    graph.let_go()
    assert graph.target.file.writes is may


def test_a_write_without_permission_ends_qemu() -> None:
    """The BlockBackend is on the target, the permissions are those of before."""
    graph = Graph()
    graph.let_go()
    bdrv_replace_node_noperm(graph.top, graph.target)
    with pytest.raises(QemuAbort, match="BLK_PERM_WRITE"):
        graph.blk.blk_aio_pwritev("w", 5, bytes(SECTOR), lambda ret: None)


def test_a_refresh_gives_the_permission_to_write() -> None:
    """Negative control: the same write, after it."""
    graph = Graph()
    graph.let_go()
    bdrv_replace_node_noperm(graph.top, graph.target)
    graph.target.bdrv_refresh_perms()
    graph.blk.blk_aio_pwritev("w", 5, bytes(SECTOR), lambda ret: None)
    assert graph.target.bdrv_requests_pending()


def test_a_stopped_filter_wants_no_permission_below() -> None:
    """bs_opaque->stop: the source's file is no longer written to, whatever the BlockBackend above may do."""
    graph = Graph()
    graph.top.bdrv_refresh_perms()
    assert graph.source.file.writes
    graph.top.stop = True
    graph.top.bdrv_refresh_perms()
    assert not graph.source.file.writes


def test_a_context_switch_moves_the_filter_and_what_it_stands_on() -> None:
    """With the counts of their open sections."""
    graph = Graph()
    other = AioContext(graph.host, "iothread")
    graph.source.bdrv_do_drained_begin_quiesce()
    bdrv_set_aio_context(graph.top, other)
    assert graph.top.aio_context is graph.source.aio_context is other
    assert (graph.ctx.external_disable_cnt, other.external_disable_cnt) == (0, 2)


def test_what_an_iothread_is_handed_waits_for_the_lock() -> None:
    """Its queued requests do not go on in the thread that ends the section."""
    graph = Graph()
    graph.blk.home = "iothread"
    graph.source.bdrv_do_drained_begin_quiesce()
    graph.blk.blk_aio_pwritev("w", 5, bytes(SECTOR), lambda ret: None)
    graph.source.bdrv_do_drained_end()
    assert graph.blk.entered == {}
    graph.host.locks_are_free()
    assert graph.blk.entered["w"] is graph.source.image

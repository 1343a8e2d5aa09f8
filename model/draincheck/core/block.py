"""The block layer: nodes, tracked requests, BlockBackends, and bdrv_swap (block.c, block-backend.c)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from draincheck.core.aio import AioContext
from draincheck.core.bitmap import BdrvDirtyBitmap
from draincheck.core.child import FILE, BdrvChild, BdrvChildClass
from draincheck.core.coroutine import CoQueue, Coroutine, qemu_coroutine_enter
from draincheck.core.host import Host
from draincheck.core.image import Image, read_chain
from draincheck.core.threadpool import aio_get_thread_pool

__all__ = ["BdrvTrackedRequest", "BlockBackend", "BlockDriverState", "bdrv_set_aio_context", "bdrv_swap"]

#: told what has become of a request: 0 or a negative errno
Completion = Callable[[int], None]

#: whose the requests of a BlockBackend are
GUEST = "guest requests"


class BdrvTrackedRequest:
    """A request for one sector: its name, and whose it is (the guest's or the job's)."""

    __slots__ = ("name", "owner", "sector")

    def __init__(self, name: str, owner: str, sector: int) -> None:
        self.name, self.owner, self.sector = name, owner, sector


class BlockDriverState:
    """A node.

    Attributes:
        image: its driver's state: the image it works on.
        backing: the image below (qcow2), or None.
        file: its edge to the protocol node below.
        quiesce_counter: how many drained sections of it are open, those of a node below that reach up to it included.
        parents: the edges of those who use it.
    """

    def __init__(self, host: Host, image: Image, backing: Image | None, ctx: AioContext) -> None:
        self.host = host
        self.image = image
        self.backing = backing
        self.aio_context = ctx
        self.tracked_requests: list[BdrvTrackedRequest] = []
        self.dirty_bitmaps: list[BdrvDirtyBitmap] = []
        self.quiesce_counter = 0
        self.file = BdrvChild(FILE, None, writes=True)
        self.parents: list[BdrvChild] = []

    def bdrv_skip_filters(self) -> BlockDriverState:
        """The node that has the data."""
        return self

    def bdrv_requests_pending(self) -> bool:
        """Some request is tracked."""
        return bool(self.tracked_requests)

    def tracked_request_begin(self, request: BdrvTrackedRequest) -> None:
        """(b): from here on a drain of this node waits for the request."""
        self.tracked_requests.append(request)

    def tracked_request_end(self, request: BdrvTrackedRequest) -> None:
        """The request has completed."""
        self.tracked_requests.remove(request)

    def bdrv_co_do_pwritev(self, request: BdrvTrackedRequest, data: bytes) -> int:
        """A write: tracked, given to the host, then its sector marked in every bitmap. The driver keeps working on the image it began with."""
        self.tracked_request_begin(request)
        self.bdrv_co_write_req_prepare()
        image = self.image
        ret = self.submit(request, partial(image.pwrite, request.sector, data))
        if not ret:
            image.writer[request.sector] = request.name
            self.bdrv_set_dirty(request.sector)
        self.tracked_request_end(request)
        return ret

    def bdrv_co_write_req_prepare(self) -> None:
        """What the write of the protocol node begins with."""
        if not self.file.writes:
            self.host.qemu_abort("assert(child->perm & BLK_PERM_WRITE) fails")

    def bdrv_co_do_preadv(self, request: BdrvTrackedRequest, buffer: bytearray) -> int:
        """A read into `buffer`."""
        self.tracked_request_begin(request)
        ret = self.submit(request, partial(_pread, self.image, self.backing, request.sector, buffer))
        self.tracked_request_end(request)
        return ret

    def bdrv_co_flush(self, request: BdrvTrackedRequest) -> int:
        """A flush: the host has something to write back. It is tracked only from cdb5e3155e on."""
        tracked = self.host.knobs.flush_tracked
        if tracked:
            self.tracked_request_begin(request)
        ret = self.submit(request, lambda: 0)
        if tracked:
            self.tracked_request_end(request)
        return ret

    def bdrv_drain_poll_top_level(self) -> bool:
        """What a drain polls for: requests of the node, and what its parents have under way."""
        return self.bdrv_requests_pending() or any(parent.klass.drained_poll() for parent in self.parents)

    def bdrv_do_drained_begin_quiesce(self) -> None:
        """What a section does before it waits. The first one disables external events in the node's context."""
        self.quiesce_counter += 1
        if self.quiesce_counter == 1:
            self.aio_context.aio_disable_external()
        for child in self.parents:
            child.bdrv_parent_drained_begin_single()

    def bdrv_do_drained_end(self) -> None:
        """Close a section. The last one enables external events in the context that the node is in *now*."""
        self.quiesce_counter -= 1
        if not self.quiesce_counter:
            self.aio_context.aio_enable_external()
        for child in tuple(self.parents):
            child.bdrv_parent_drained_end_single()

    def bdrv_refresh_perms(self) -> None:
        """Take from the node below what is needed to serve the parents: a raw node writes if one of them may, qcow2 always (metadata)."""
        self.bdrv_child_perm(any(child.writes for child in self.parents))

    def bdrv_child_perm(self, parents_write: bool) -> None:
        """Set the permissions of the edge below, given whether any parent may write."""
        self.file.writes = parents_write or self.image.driver == "qcow2"

    def submit(self, request: BdrvTrackedRequest, func: Callable[[], int]) -> int:
        """The driver's call: the thread pool does it."""
        pool = aio_get_thread_pool(self.aio_context)
        return pool.thread_pool_submit_co(func, request.name, request.owner, request.sector)

    def bdrv_set_dirty(self, sector: int) -> None:
        """Mark a sector in every bitmap that still listens."""
        for bitmap in self.dirty_bitmaps:
            bitmap.bdrv_set_dirty_bitmap(sector)

    def bdrv_create_dirty_bitmap(self) -> BdrvDirtyBitmap:
        """Begin to listen."""
        bitmap = BdrvDirtyBitmap()
        self.dirty_bitmaps.append(bitmap)
        return bitmap

    def bdrv_release_dirty_bitmap(self, bitmap: BdrvDirtyBitmap) -> None:
        """Stop listening: what is written from now on leaves no mark."""
        self.dirty_bitmaps.remove(bitmap)
        self.host.event("bdrv_release_dirty_bitmap")


def _pread(image: Image, backing: Image | None, sector: int, buffer: bytearray) -> int:
    buffer[:] = read_chain(image, backing, sector)
    return 0


class BlockBackend:
    """What a device talks to: it sends requests to its root node of the moment.

    Attributes:
        in_flight: the requests that have been made and not completed, but for those that were taken off the count while they wait.
        quiesce_counter: drained sections of the root, as its parent sees them.
        parked: names of the requests in `queued_requests`.
        entered: the image that each request has entered, by name; kept for reports.
        child: its edge to the root.
        home: the name of the context that its requests' coroutines belong to.
    """

    def __init__(self, host: Host, root: BlockDriverState) -> None:
        self.host = host
        klass = BdrvChildClass(self.blk_root_drained_begin, self.blk_root_drained_end, self.blk_root_drained_poll)
        self.child = BdrvChild(klass, root, writes=True)
        self.home = root.aio_context.name
        self.in_flight = 0
        self.quiesce_counter = root.quiesce_counter
        self.queued_requests = CoQueue()
        self.parked: set[str] = set()
        self.entered: dict[str, Image] = {}

    @property
    def root(self) -> BlockDriverState:
        """The root node of the moment."""
        return self.child.node

    # -- requests ---------------------------------------------------------------------------------------------------------------

    def blk_aio_pwritev(self, name: str, sector: int, data: bytes, cb: Completion) -> None:
        """Write a sector."""
        request = BdrvTrackedRequest(name, GUEST, sector)
        self.blk_aio_prwv(partial(self.blk_aio_write_entry, request, data, cb))

    def blk_aio_preadv(self, name: str, sector: int, buffer: bytearray, cb: Completion) -> None:
        """Read a sector into `buffer`."""
        request = BdrvTrackedRequest(name, GUEST, sector)
        self.blk_aio_prwv(partial(self.blk_aio_read_entry, request, buffer, cb))

    def blk_aio_flush(self, name: str, cb: Completion) -> None:
        """Have the host write back what it caches."""
        request = BdrvTrackedRequest(name, GUEST, 0)
        self.blk_aio_prwv(partial(self.blk_aio_flush_entry, request, cb))

    def blk_aio_prwv(self, co_entry: Callable[[], None]) -> None:
        """Count a request, make a coroutine for it and enter it at once: it runs until it waits for the host."""
        self.blk_inc_in_flight()
        qemu_coroutine_enter(Coroutine(self.host, co_entry))

    def blk_aio_write_entry(self, request: BdrvTrackedRequest, data: bytes, cb: Completion) -> None:
        """A write's coroutine."""
        self.blk_wait_uncounted(request)
        self.blk_aio_complete(self.blk_co_pwritev(request, data), cb)

    def blk_aio_read_entry(self, request: BdrvTrackedRequest, buffer: bytearray, cb: Completion) -> None:
        """A read's coroutine."""
        self.blk_wait_uncounted(request)
        self.blk_aio_complete(self.blk_co_preadv(request, buffer), cb)

    def blk_aio_flush_entry(self, request: BdrvTrackedRequest, cb: Completion) -> None:
        """A flush's coroutine: it has no place to wait but blk_co_flush."""
        self.blk_aio_complete(self.blk_co_flush(request), cb)

    def blk_aio_complete(self, ret: int, cb: Completion) -> None:
        """The request is done."""
        cb(ret)
        self.blk_dec_in_flight()

    def blk_co_pwritev(self, request: BdrvTrackedRequest, data: bytes) -> int:
        """Write to the root of now."""
        self.blk_wait_while_drained(request)
        return self.enter_root(request).bdrv_co_do_pwritev(request, data)

    def blk_co_preadv(self, request: BdrvTrackedRequest, buffer: bytearray) -> int:
        """Read from the root of now."""
        self.blk_wait_while_drained(request)
        return self.enter_root(request).bdrv_co_do_preadv(request, buffer)

    def blk_co_flush(self, request: BdrvTrackedRequest) -> int:
        """Flush the root of now."""
        self.blk_wait_while_drained(request)
        return self.enter_root(request).bdrv_co_flush(request)

    def enter_root(self, request: BdrvTrackedRequest) -> BlockDriverState:
        """(b): the root, which the request enters; the graph may have changed while it waited."""
        image = self.entered[request.name] = self.root.bdrv_skip_filters().image
        self.host.event("%s enters %s", request.name, image.name, mark="b")
        return self.root

    # -- drained sections -------------------------------------------------------------------------------------------------------

    def blk_inc_in_flight(self) -> None:
        """One more request is under way."""
        self.in_flight += 1

    def blk_dec_in_flight(self) -> None:
        """One less; a drain that waits looks again."""
        self.in_flight -= 1

    def blk_wait_uncounted(self, request: BdrvTrackedRequest) -> None:
        """What reads and writes do first from cf3129323f to 7f16476fab~1: wait, taken off the count. A flush does not."""
        if self.parks() and self.host.knobs.parked_counts:
            self.blk_dec_in_flight()
            self.blk_wait_while_drained(request)
            self.blk_inc_in_flight()

    def blk_wait_while_drained(self, request: BdrvTrackedRequest) -> None:
        """Queue the request until no drained section is open (cf3129323f), from 7f16476fab on taken off the count meanwhile."""
        if not self.parks():
            return
        uncounted = not self.host.knobs.parked_counts
        if uncounted:
            self.blk_dec_in_flight()
        self.host.event("blk_wait_while_drained queues %s", request.name)
        self.parked.add(request.name)
        self.queued_requests.qemu_co_queue_wait()
        self.parked.discard(request.name)
        if uncounted:
            self.blk_inc_in_flight()

    def parks(self) -> bool:
        """A request that comes now has to wait."""
        return self.quiesce_counter > 0 and self.host.knobs.park_requests

    def blk_root_drained_poll(self) -> bool:
        """Drains of the root wait for what is counted here (fe5258a503, part of `park_requests`: it shows only where requests wait)."""
        return self.in_flight > 0 and self.host.knobs.park_requests

    def blk_root_drained_begin(self) -> None:
        """A drained section of the root begins."""
        self.quiesce_counter += 1

    def blk_root_drained_end(self) -> None:
        """One ends; after the last one the queued requests go on: those of another thread when that has got the lock (aio_co_wake)."""
        self.quiesce_counter -= 1
        if not self.quiesce_counter:
            self.host.in_thread_of(self.home, self.enter_queued)

    def enter_queued(self) -> None:
        """Enter the queued requests, those that have waited longest first."""
        while self.queued_requests.qemu_co_enter_next():
            pass


def bdrv_swap(bs_new: BlockDriverState, bs_old: BlockDriverState) -> None:
    """Exchange the contents of two nodes, until 3f09bfbc7b: who points to `bs_old` finds the other's image there.

    A request in flight keeps working on what it began with: the driver's state of the other node now (see `mirror_exit`).
    """
    bs_new.image, bs_old.image = bs_old.image, bs_new.image
    bs_new.backing, bs_old.backing = bs_old.backing, bs_new.backing
    bs_old.host.event("bdrv_swap")


def bdrv_set_aio_context(bs: BlockDriverState, new: AioContext) -> None:
    """Move a drained node to another context. Only from e64f25f30b on does an open section's disable count go along."""
    if bs.bdrv_skip_filters() is not bs:
        bdrv_set_aio_context(bs.bdrv_skip_filters(), new)
    if bs.host.knobs.switch_carries_count and bs.quiesce_counter:
        bs.aio_context.aio_enable_external()
        new.aio_disable_external()
    bs.aio_context = new
    bs.host.event("%s is in %s", bs.image.name, new.name)

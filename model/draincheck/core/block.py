"""The block layer: nodes, tracked requests, BlockBackends, and the two ways to put another node in a node's place (block.c)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from draincheck.core.aio import AioContext
from draincheck.core.bitmap import BdrvDirtyBitmap
from draincheck.core.coroutine import CoQueue, Coroutine, qemu_coroutine_enter
from draincheck.core.host import Host
from draincheck.core.image import Image, read_chain
from draincheck.core.threadpool import aio_get_thread_pool

__all__ = [
    "BdrvTrackedRequest",
    "BlockBackend",
    "BlockDriverState",
    "bdrv_replace_node",
    "bdrv_set_aio_context",
    "bdrv_swap",
]


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
        quiesce_counter: how many drained sections of it are open.
        parents: the BlockBackends whose root it is.
    """

    def __init__(self, host: Host, image: Image, backing: Image | None, ctx: AioContext) -> None:
        self.host = host
        self.image = image
        self.backing = backing
        self.aio_context = ctx
        self.tracked_requests: list[BdrvTrackedRequest] = []
        self.dirty_bitmaps: list[BdrvDirtyBitmap] = []
        self.quiesce_counter = 0
        self.parents: list[BlockBackend] = []

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
        image = self.image
        ret = self.submit(request, partial(image.pwrite, request.sector, data))
        if not ret:
            image.writer[request.sector] = request.name
            self.bdrv_set_dirty(request.sector)
        self.tracked_request_end(request)
        return ret

    def bdrv_co_do_preadv(self, request: BdrvTrackedRequest, buffer: bytearray) -> int:
        """A read into `buffer`."""
        self.tracked_request_begin(request)
        ret = self.submit(request, partial(_pread, self.image, self.backing, request.sector, buffer))
        self.tracked_request_end(request)
        return ret

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
    """What a device talks to: it sends requests to its root node of the moment."""

    def __init__(self, host: Host, root: BlockDriverState) -> None:
        self.host = host
        self.root = root
        root.parents.append(self)
        #: drained sections of the root, as its parent sees them
        self.quiesce_counter = root.quiesce_counter
        self.queued_requests = CoQueue()
        #: names of the requests that wait there
        self.parked: set[str] = set()
        #: the image that each request has entered, by name; kept for reports
        self.entered: dict[str, Image] = {}

    def blk_aio_prwv(self, name: str, sector: int, data: bytes | bytearray, cb: Callable[[int], None]) -> None:
        """Make a coroutine for a request and enter it at once: it runs until it waits for the host. A bytearray is read into."""
        request = BdrvTrackedRequest(name, "guest requests", sector)
        qemu_coroutine_enter(Coroutine(self.host, partial(self.blk_aio_entry, request, data, cb)))

    def blk_aio_entry(self, request: BdrvTrackedRequest, data: bytes | bytearray, cb: Callable[[int], None]) -> None:
        """The request's coroutine: wait while the root is drained (cf3129323f), enter the root of now, then call back."""
        self.blk_wait_while_drained(request)
        self.entered[request.name] = self.root.image
        self.host.event("%s enters %s", request.name, self.root.image.name, mark="b")
        if isinstance(data, bytes):
            cb(self.root.bdrv_co_do_pwritev(request, data))
        else:
            cb(self.root.bdrv_co_do_preadv(request, data))

    def blk_wait_while_drained(self, request: BdrvTrackedRequest) -> None:
        """Queue the request until no drained section is open; not tracked meanwhile, so drains do not wait for it."""
        while self.quiesce_counter and self.host.knobs.park_requests:
            self.host.event("blk_wait_while_drained queues %s", request.name)
            self.parked.add(request.name)
            self.queued_requests.qemu_co_queue_wait()
            self.parked.discard(request.name)

    def blk_root_drained_begin(self) -> None:
        """A drained section of the root begins."""
        self.quiesce_counter += 1

    def blk_root_drained_end(self) -> None:
        """One ends; after the last one the queued requests go on."""
        self.quiesce_counter -= 1
        if not self.quiesce_counter:
            while self.queued_requests.qemu_co_enter_next():
                pass


def bdrv_swap(bs_new: BlockDriverState, bs_old: BlockDriverState) -> None:
    """Exchange the contents of two nodes, until 3f09bfbc7b: who points to `bs_old` finds the other's image there.

    A request in flight keeps working on what it began with: the driver's state of the other node now (see `mirror_exit`).
    """
    bs_new.image, bs_old.image = bs_old.image, bs_new.image
    bs_new.backing, bs_old.backing = bs_old.backing, bs_new.backing
    bs_old.host.event("bdrv_swap")


def bdrv_replace_node(old: BlockDriverState, new: BlockDriverState) -> None:
    """Make every parent of `old` a parent of `new` (bdrv_replace_in_backing_chain at first): graph pointers move, contents stay.

    A parent keeps count of the sections of its node, so the difference is made up.
    """
    for parent in old.parents:
        parent.root = new
        new.parents.append(parent)
        for _ in range(new.quiesce_counter - old.quiesce_counter):
            parent.blk_root_drained_begin()
        for _ in range(old.quiesce_counter - new.quiesce_counter):
            parent.blk_root_drained_end()
    old.parents = []
    old.host.event("bdrv_replace_node")


def bdrv_set_aio_context(bs: BlockDriverState, new: AioContext) -> None:
    """Move a drained node to another context. Only from e64f25f30b on does an open section's disable count go along."""
    if bs.host.knobs.switch_carries_count and bs.quiesce_counter:
        bs.aio_context.aio_enable_external()
        new.aio_disable_external()
    bs.aio_context = new
    bs.host.event("%s is in %s", bs.image.name, new.name)

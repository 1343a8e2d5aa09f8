"""bdrv_drain and drained sections (block/io.c)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from greenlet import getcurrent

from draincheck.core.aio import QEMUBH, AioContext
from draincheck.core.block import BlockDriverState
from draincheck.core.coroutine import Coroutine, qemu_coroutine_enter, qemu_coroutine_self, qemu_coroutine_yield
from draincheck.core.host import Host

__all__ = ["Drainer"]


class Drainer:
    """The drain functions, as one job calls them.

    Attributes:
        job: the job's name.
        co_drain_bh: the bottom half through which its coroutine's drain polls, while there is one.
    """

    def __init__(self, host: Host, job: str) -> None:
        self.host = host
        self.job = job
        self.co_drain_bh: QEMUBH | None = None

    # -- sections -------------------------------------------------------------------------------------------------------------

    def bdrv_drained_begin(self, bs: BlockDriverState) -> None:
        """Open a drained section: no external events any more, then wait until no request of the node is pending."""
        if self.host.knobs.drain == "yield_first" and self.in_coroutine():
            self.bdrv_co_yield_to_drain(bs, begin=True)
            return
        bs.bdrv_do_drained_begin_quiesce()
        self.drain_requests(bs)

    def bdrv_drained_end(self, bs: BlockDriverState) -> None:
        """Close a drained section."""
        bs.bdrv_do_drained_end()

    # -- draining -------------------------------------------------------------------------------------------------------------

    def bdrv_drain(self, bs: BlockDriverState) -> None:
        """Wait until no request of the node is pending; from 6820643fdb on this is a section that is closed at once."""
        if self.host.knobs.drain_is_section:
            self.bdrv_drained_begin(bs)
            self.bdrv_drained_end(bs)
        else:
            self.drain_requests(bs)

    def bdrv_drain_all(self, bs: BlockDriverState) -> None:
        """Wait until no request is pending anywhere (the other disks have no part in this story)."""
        self.drain_requests(bs)

    def drain_requests(self, bs: BlockDriverState) -> None:
        """Poll here, or, in a coroutine from a77fd4bb29 on, schedule a bottom half that polls and yield until it has."""
        if self.in_coroutine() and self.host.knobs.drain != "nested":
            self.bdrv_co_yield_to_drain(bs, begin=False)
        else:
            self.bdrv_drain_poll(bs)

    def bdrv_co_yield_to_drain(self, bs: BlockDriverState, begin: bool) -> None:
        """Let bdrv_co_drain_bh_cb do it in the node's context; `begin`: it also opens the section (d42cf28837)."""
        callback = partial(self.bdrv_co_drain_bh_cb, bs, begin, qemu_coroutine_self())
        self.co_drain_bh = bs.aio_context.aio_bh_new(callback, self.job)
        self.co_drain_bh.qemu_bh_schedule()
        self.host.event("schedule bdrv_co_drain_bh_cb")
        qemu_coroutine_yield()

    def bdrv_co_drain_bh_cb(self, bs: BlockDriverState, begin: bool, co: Coroutine) -> None:
        """The drain of a coroutine that has yielded: poll, then enter it again."""
        assert self.co_drain_bh is not None
        self.co_drain_bh.qemu_bh_delete()
        self.co_drain_bh = None
        if begin:
            bs.bdrv_do_drained_begin_quiesce()
        self.bdrv_drain_poll(bs)
        qemu_coroutine_enter(co)

    def bdrv_drain_poll(self, bs: BlockDriverState) -> None:
        """Poll the node's context: until nothing is pending and nothing moves, or only while something is pending.

        The latter from 9972354856 to 91af091f92~1, and again from 4cf077b59f on.
        """
        with self.host.polls():
            if self.host.knobs.drain_polls == "in_flight":
                self.bdrv_poll_while(bs)
            else:
                self.bdrv_poll_until_no_progress(bs)

    def bdrv_poll_until_no_progress(self, bs: BlockDriverState) -> None:
        """At least one poll: the last one finds nothing, but until 721671ade7 it washes."""
        busy = True
        while busy:
            self.wait_until_poll_returns(bs)
            busy = bs.bdrv_drain_poll_top_level()
            busy |= bs.aio_context.aio_poll()

    def bdrv_poll_while(self, bs: BlockDriverState) -> None:
        """No poll at all if nothing is pending."""
        while self.pending_when_poll_returns(bs):
            bs.aio_context.aio_poll()

    def pending_when_poll_returns(self, bs: BlockDriverState) -> bool:
        """Sleep as the aio_poll to come would; is anything pending then?"""
        self.wait_until_poll_returns(bs)
        return bs.bdrv_drain_poll_top_level()

    def wait_until_poll_returns(self, bs: BlockDriverState) -> None:
        """The sleep of the aio_poll to come: it blocks only while something is pending."""
        self.host.point(partial(_poll_returns, bs.bdrv_drain_poll_top_level, bs.aio_context))

    def in_coroutine(self) -> bool:
        """qemu_in_coroutine."""
        return isinstance(getcurrent(), Coroutine)


def _poll_returns(pending: Callable[[], bool], ctx: AioContext) -> bool:
    return not pending() or ctx.aio_poll_would_progress()

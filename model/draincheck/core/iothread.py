"""An IOThread: aio_poll for ever, in a thread of its own (iothread.c, and the part of aio_poll that only it takes)."""

from __future__ import annotations

from collections.abc import Callable

from draincheck.core.aio import QEMUBH, AioContext
from draincheck.core.host import Host
from draincheck.core.notifier import EventNotifier

__all__ = ["IOThread"]


class IOThread:
    """A second event loop.

    Attributes:
        ctx: its context.
        stop_bh, kick: the bottom half of virtio_blk_data_plane_stop, once there is one, and the host notifier that it removes.
    """

    def __init__(self, host: Host, ctx: AioContext) -> None:
        self.host = host
        self.ctx = ctx
        self.stop_bh: QEMUBH | None = None
        self.kick: EventNotifier | None = None

    def iothread_run(self) -> None:
        """Acquire the context, poll and dispatch, release it.

        From 65c1b5b622 on the lock is not held while polling; until then a thread that wants it interrupts the poll.
        """
        while True:
            self.ctx.acquired.aio_context_acquire()
            self.aio_poll()
            self.host.between()
            self.ctx.acquired.aio_context_release()

    def aio_poll(self) -> None:
        """One round, blocking: busy-poll or sleep, then dispatch.

        (Some weeks after 59c9f437c5 the lock is let go of between handlers; before, it is held from busy polling to the dispatch.)
        """
        held = self.host.knobs.ctx_held_in_poll
        if self.ctx.run_poll_handlers_once():
            if not held:
                self.ctx.acquired.aio_context_release()
        else:
            self.ctx.poll_set = self.ctx.handlers_polled()
            self.host.event("makes the poll set")
            if not held:
                self.ctx.acquired.aio_context_release()
            self.host.point(self.qemu_poll_returns)
            self.qemu_poll_ns()
        if not held:
            self.acquire_for_dispatch()
        self.ctx.aio_dispatch()

    # -- stopping dataplane ---------------------------------------------------------------------------------------------------

    def unregister(self, kick: EventNotifier) -> None:
        """Take a device's host notifier out, and its io_poll with it."""
        self.ctx.aio_set_event_notifier(kick, None)
        self.host.event("aio_set_event_notifier removes the handler")

    def schedule_stop(self, kick: EventNotifier, callback: Callable[[], None]) -> QEMUBH:
        """virtio_blk_data_plane_stop_bh, to be run once by this thread."""
        self.kick = kick
        self.stop_bh = self.ctx.aio_bh_new(callback)
        self.stop_bh.qemu_bh_schedule()
        self.host.event("schedules virtio_blk_data_plane_stop_bh")
        return self.stop_bh

    def acquire_for_dispatch(self) -> None:
        """Dispatch holds the lock here. Bottom halves take it themselves from 1919631e6b on: the stop's only if there is a kick."""
        while self.runs_stop_without_lock():
            assert self.stop_bh is not None
            self.stop_bh.scheduled = False
            self.stop_bh.callback()
        self.ctx.acquired.take()

    def runs_stop_without_lock(self) -> bool:
        """Wait for the lock, or for something that needs none: is it that?"""
        self.host.point(self.may_dispatch)
        return self.stop_needs_no_lock()

    def may_dispatch(self) -> bool:
        """It can have the lock, or something to run without it."""
        return self.ctx.acquired.is_free() or self.stop_needs_no_lock()

    def stop_needs_no_lock(self) -> bool:
        """The stop's bottom half is scheduled, and no kick is pending."""
        if self.stop_bh is None or self.kick is None:
            return False
        return self.stop_bh.scheduled and not self.kick.readable

    def qemu_poll_returns(self) -> bool:
        """Whether the poll returns now. The set was made before sleeping: a handler that was disabled then is not in it."""
        ctx = self.ctx
        if ctx.notified or ctx.aio_compute_timeout_is_zero():
            return True
        if self.host.knobs.ctx_held_in_poll and ctx.acquired.contenders:
            return True
        assert ctx.poll_set is not None
        return any(handler.fd.readable for handler in ctx.poll_set)

    def qemu_poll_ns(self) -> None:
        """Sample the set."""
        assert self.ctx.poll_set is not None
        for handler in self.ctx.poll_set:
            handler.revents = handler.fd.readable
        self.ctx.poll_set = None
        self.ctx.aio_notify_accept()
        self.host.event("qemu_poll_ns")

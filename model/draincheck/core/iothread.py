"""An IOThread: aio_poll for ever, in a thread of its own (iothread.c, and the part of aio_poll that only it takes)."""

from __future__ import annotations

from draincheck.core.aio import AioContext
from draincheck.core.host import Host

__all__ = ["IOThread"]


class IOThread:
    """A second event loop. `ctx`: its context."""

    def __init__(self, host: Host, ctx: AioContext) -> None:
        self.host = host
        self.ctx = ctx

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
            self.ctx.acquired.aio_context_acquire()
        self.ctx.aio_dispatch()

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

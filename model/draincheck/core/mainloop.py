"""The main loop: main_loop_wait, before f3926945c8 with iohandlers of its own, after it with all of them in GSources."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from draincheck.core.aio import AioContext, Pollable
from draincheck.core.glib import GMainContext, PollFD, aio_source
from draincheck.core.host import Host
from draincheck.core.lock import BigQemuLock
from draincheck.core.timer import TimerList

__all__ = ["IOHandlerRecord", "MainLoop"]


class IOHandlerRecord:
    """A legacy iohandler. `pollfds_idx`: its slot in this iteration's poll array, -1 if it has none (any more)."""

    __slots__ = ("fd", "fd_read", "pollfds_idx", "revents")

    def __init__(self, fd: Pollable, fd_read: Callable[[], None]) -> None:
        self.fd, self.fd_read = fd, fd_read
        self.pollfds_idx = -1
        self.revents = False


class MainLoop:
    """The main loop's contexts, and its iterations.

    Attributes:
        qemu_aio_context: the main AioContext; nested polls of block code in the main thread serve it.
        iohandler_ctx: iohandlers from f3926945c8 on; only GLib dispatches it.
        context: GLib's default main context.
        io_handlers: legacy iohandlers, newest first.
        main_timers: device models' timers.
        gpollfds: what the poll of this iteration looks at; slots that were filled by qemu_iohandler_fill come first.
        polled: what the poll found for each slot, from the poll to the check (legacy: to qemu_iohandler_poll); None otherwise.
    """

    def __init__(
        self,
        host: Host,
        bql: BigQemuLock,
        qemu_aio_context: AioContext,
        iohandler_ctx: AioContext,
        context: GMainContext,
    ) -> None:
        self.host = host
        self.bql = bql
        self.qemu_aio_context = qemu_aio_context
        self.iohandler_ctx = iohandler_ctx
        self.context = context
        self.io_handlers: list[IOHandlerRecord] = []
        self.main_timers = TimerList()
        self.gpollfds: list[PollFD] = []
        self.polled: Sequence[bool] | None = None
        self.qemu_init_main_loop()

    def qemu_init_main_loop(self) -> None:
        """Attach the contexts: qemu_aio_context, then iohandler_ctx. Monitor and chardevs follow when they are made."""
        self.iohandler_source = aio_source(self.iohandler_ctx)
        self.context.g_source_attach(aio_source(self.qemu_aio_context))
        if self.host.knobs.iohandler == "gsource":
            self.context.g_source_attach(self.iohandler_source)

    def qemu_set_fd_handler(self, fd: Pollable, fd_read: Callable[[], None], is_external: bool) -> None:
        """Register an iohandler: in a list of the main loop's own, or with iohandler_ctx."""
        if self.host.knobs.iohandler == "legacy":
            self.io_handlers.insert(0, IOHandlerRecord(fd, fd_read))
        else:
            self.iohandler_ctx.aio_set_event_notifier(fd, fd_read, is_external)

    def main_loop(self) -> None:
        """main_loop_wait for ever."""
        while True:
            self.main_loop_wait()

    def main_loop_wait(self) -> None:
        """One iteration: poll, GSources, legacy iohandlers, main timers."""
        self.host.loop_head()
        self.gpollfds = []
        self.qemu_iohandler_fill()
        self.os_host_main_loop_wait()
        self.qemu_iohandler_poll()
        self.qemu_clock_run_all_timers()

    def qemu_iohandler_fill(self) -> None:
        """Give every legacy iohandler a slot in the poll array."""
        for handler in self.io_handlers:
            handler.pollfds_idx = len(self.gpollfds)
            self.gpollfds.append(handler)

    def os_host_main_loop_wait(self) -> None:
        """Prepare, poll, check, dispatch. The poll is the only sampling of readiness in an iteration."""
        legacy = len(self.gpollfds)
        may_sleep = not self.context.g_main_context_prepare()
        self.gpollfds += self.context.g_main_context_query()
        self.host.event("g_main_context_prepare")
        self.unlock_iothread(may_sleep)
        self.host.point(self.qemu_poll_returns)
        self.qemu_poll_ns()
        self.host.point()
        self.context.g_main_context_check(self.gpollfds[legacy:], self.take_polled(legacy))
        self.host.event("g_main_context_check")
        self.context.g_main_context_dispatch()

    def unlock_iothread(self, may_sleep: bool) -> None:
        """Let go of the BQL for the poll: if it may sleep, after 1000 polls in a row that may not, later always.

        Where no vCPU thread wants the BQL nobody can tell whether it is held.
        """
        drops = may_sleep or self.host.knobs.bql_drop == "always"
        if not drops and self.bql.wanted:
            drops = self.host.choose("as the timeout says", "after 1000 spins") == "after 1000 spins"
        self.bql.held = not drops

    def qemu_poll_returns(self) -> bool:
        """Whether the poll returns now: something is readable, scheduled, due, or has been notified; and the BQL can be had."""
        ctx = self.qemu_aio_context
        if self.bql.vcpu:
            return False
        if ctx.notified or self.iohandler_ctx.notified or ctx.aio_compute_timeout_is_zero():
            return True
        if self.main_timers.timerlist_expired():
            return True
        return any(pollfd.fd.readable for pollfd in self.gpollfds)

    def qemu_poll_ns(self) -> None:
        """P: sample every descriptor; the BQL is held again."""
        self.polled = [pollfd.fd.readable for pollfd in self.gpollfds]
        self.qemu_aio_context.aio_notify_accept()
        self.iohandler_ctx.aio_notify_accept()
        self.bql.held = True
        self.host.event("qemu_poll_ns")

    def take_polled(self, legacy: int) -> Sequence[bool]:
        """Hand what the poll has found to those who asked: legacy iohandlers keep their slots, GLib gets the rest."""
        assert self.polled is not None
        found, self.polled = self.polled, None
        for handler in self.io_handlers:
            handler.revents = found[handler.pollfds_idx]
        return found[legacy:]

    def qemu_iohandler_poll(self) -> None:
        """B, until f3926945c8: run the legacy iohandlers that the poll has found ready."""
        for handler in self.io_handlers:
            self.host.between()
            if handler.revents:
                handler.revents = False
                self.host.event("revents consumed")
                handler.fd_read()
            else:
                self.host.looked()

    def qemu_clock_run_all_timers(self) -> None:
        """T: run the device models' timers that are due."""
        if self.main_timers.timers:
            self.host.between()
            self.main_timers.timerlist_run_timers()
            self.host.event("the main timers have run")

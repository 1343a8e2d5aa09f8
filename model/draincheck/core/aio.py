"""AioContext: bottom halves, fd handlers, timers, the disable counter, and the poll that serves them (async.c, aio-posix.c).

The order of work is the point of this file. `aio_dispatch` runs bottom halves, newest first, then walks the fd handlers, newest first,
and consumes every handler's readiness, then runs timers. `aio_poll` polls and dispatches; it nests: a bottom half or a coroutine may
call it again. A nested poll knows nothing of what an outer one has found, except through the readiness stored in the handlers, and until
721671ade7 it clears all of that, stale or not: the *wash*.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol

from draincheck.core.host import Host
from draincheck.core.lock import ContextLock
from draincheck.core.timer import TimerList

if TYPE_CHECKING:
    from draincheck.core.threadpool import ThreadPool

__all__ = ["QEMUBH", "AioContext", "AioHandler", "AioPoll", "Pollable"]


class Pollable(Protocol):
    """Something with a file descriptor."""

    readable: bool


class QEMUBH:
    """A bottom half: a callback that the context's next dispatch runs once if it is scheduled.

    Attributes:
        owner: the job that it works for, or "".
        from_threads: other threads schedule it (the thread pool's), so it may become scheduled while a walk is under way.
    """

    __slots__ = ("callback", "deleted", "from_threads", "owner", "scheduled")

    def __init__(self, callback: Callable[[], None], owner: str, from_threads: bool) -> None:
        self.callback = callback
        self.owner = owner
        self.from_threads = from_threads
        self.scheduled = self.deleted = False

    def qemu_bh_schedule(self) -> None:
        """Have the callback run once. Wakes the context: a poll looks at scheduled bottom halves."""
        self.scheduled = True

    def qemu_bh_cancel(self) -> None:
        """Do not run it after all."""
        self.scheduled = False

    def qemu_bh_delete(self) -> None:
        """Take it off its list when no walk is under way any more."""
        self.scheduled, self.deleted = False, True


class AioPoll(NamedTuple):
    """QEMU's io_poll callback in two parts: whether there is something to do now, and to do it."""

    has_work: Callable[[], bool]
    run: Callable[[], None]


class AioHandler:
    """An fd handler.

    Attributes:
        io_poll: for busy polling; None for a handler that cannot tell without its descriptor.
        revents: its GPollFD's: what the last poll that had it in its set found, until a dispatch consumes it.
    """

    __slots__ = ("fd", "io_poll", "io_read", "is_external", "revents")

    def __init__(
        self, fd: Pollable, io_read: Callable[[], None], is_external: bool, io_poll: AioPoll | None = None
    ) -> None:
        self.fd = fd
        self.io_read = io_read
        self.io_poll = io_poll
        self.is_external = is_external
        self.revents = False


class AioContext:
    """An event loop's context.

    Attributes:
        bottom_halves: newest first.
        handlers: newest first.
        had_handlers: it has some, or had before they were removed: its dispatch walks them.
        external_disable_cnt: how many drained sections have disabled the handlers that are marked external.
        notified: an aio_notify that no poll has seen yet.
        walk: the bottom halves that the outermost walk under way passes.
        last_owner: the job that has made a bottom half last.
        poll_set: the handlers that the poll under way was given; None where none is.
        acquired: its lock.
        thread_pool: its thread pool, if it has one yet.
    """

    def __init__(self, host: Host, name: str) -> None:
        self.host = host
        self.name = name
        self.bottom_halves: list[QEMUBH] = []
        self.handlers: list[AioHandler] = []
        self.had_handlers = False
        self.external_disable_cnt = 0
        self.timers = TimerList()
        self.notified = False
        self.poll_set: list[AioHandler] | None = None
        self.acquired = ContextLock(host)
        self.thread_pool: ThreadPool | None = None
        self.walk: tuple[QEMUBH, ...] = ()
        self.last_owner = ""
        self._walking_bh = 0

    # -- registration ---------------------------------------------------------------------------------------------------------

    def aio_bh_new(self, callback: Callable[[], None], owner: str = "", from_threads: bool = False) -> QEMUBH:
        """Make a bottom half, at the head of the list: a walk under way has passed it."""
        bh = QEMUBH(callback, owner, from_threads)
        self.bottom_halves.insert(0, bh)
        self.last_owner = owner or self.last_owner
        return bh

    def aio_set_event_notifier(
        self,
        fd: Pollable,
        io_read: Callable[[], None] | None,
        is_external: bool = False,
        io_poll: AioPoll | None = None,
    ) -> AioHandler | None:
        """Register a handler at the head of the list, or with None unregister what the descriptor has."""
        self.handlers = [handler for handler in self.handlers if handler.fd is not fd]
        if io_read is None:
            return None
        handler = AioHandler(fd, io_read, is_external, io_poll)
        self.handlers.insert(0, handler)
        self.had_handlers = True
        return handler

    # -- external events ------------------------------------------------------------------------------------------------------

    def aio_disable_external(self) -> None:
        """From now on no poll set contains external handlers (c1e1e5fa8f)."""
        self.external_disable_cnt += 1
        self.host.event("aio_disable_external (%s)", self.name)

    def aio_enable_external(self) -> None:
        """Undo one aio_disable_external; the last one wakes the context where the code base knows it must."""
        if not self.external_disable_cnt:
            self.host.qemu_abort("assert(ctx->external_disable_cnt > 0) fails")
        self.external_disable_cnt -= 1
        self.host.event("aio_enable_external (%s)", self.name)
        if not self.external_disable_cnt and self.host.knobs.enable_notifies:
            self.aio_notify()

    def aio_node_check(self, handler: AioHandler) -> bool:
        """Whether a handler may take part in anything now: external ones only while nobody has disabled them."""
        return not (handler.is_external and self.external_disable_cnt)

    def aio_node_polled(self, handler: AioHandler) -> bool:
        """Whether aio_poll has a handler in its poll set: from c1e1e5fa8f on it asks."""
        return not self.host.knobs.poll_set_checks_external or self.aio_node_check(handler)

    def aio_node_dispatched(self, handler: AioHandler) -> bool:
        """Whether the fd walk may run a handler: from 37989ced44 on it asks, too."""
        return not self.host.knobs.walk_checks_external or self.aio_node_check(handler)

    def aio_notify(self) -> None:
        """Wake the poll of the context's owner.

        If it is in none its next one returns at once, for nothing. (From eabc977973 on QEMU mostly saves itself that: notify_me.)
        """
        self.notified = True

    def aio_notify_accept(self) -> None:
        """The poll is over: whatever it was woken for will be seen."""
        self.notified = False

    # -- dispatch -------------------------------------------------------------------------------------------------------------

    def bh_walk(self) -> tuple[QEMUBH, ...]:
        """The bottom halves that a walk which begins now passes, in its order."""
        return tuple(self.bottom_halves)

    def aio_bh_poll(self) -> bool:
        """Run the scheduled bottom halves; false if there was none."""
        progress, left = False, 0
        walk = self.bh_walk()
        if not self._walking_bh:
            self.walk, left = walk, self.host.jobs
        self._walking_bh += 1
        for bh in walk:
            while self.bh_runs(bh):
                bh.scheduled = False
                progress = True
                bh.callback()
                if not bh.from_threads:
                    left -= 1
                    if left > 0:
                        self.host.looks_on()  # for another job's
                    break
        self._walking_bh -= 1
        if not self._walking_bh:
            self.walk = ()
            self.bottom_halves = [bh for bh in self.bottom_halves if not bh.deleted]
        return progress

    def bh_runs(self, bh: QEMUBH) -> bool:
        """Whether the walk runs a bottom half now.

        When it looks matters only where other threads may schedule it meanwhile: there is a scheduling point, and the walk looks again
        afterwards (thread_pool_completion_bh starts over until it finds nothing).
        """
        if bh.from_threads:
            self.host.loop_head()
        return bh.scheduled

    def aio_dispatch_handlers(self) -> bool:
        """Walk the fd handlers: consume the readiness of each, and run it if it was ready and may run; false if none was run."""
        progress = False
        for handler in tuple(self.handlers):
            revents, handler.revents = handler.revents, False
            if revents and self.aio_node_dispatched(handler):
                progress = True
                handler.io_read()
        if self.had_handlers:
            self.host.event("revents consumed")
        return progress

    def aio_dispatch(self) -> bool:
        """Bottom halves, fd handlers, timers; false if there was nothing to do."""
        self.host.between()
        if self.bottom_halves:
            self.host.event("bottom halves, newest first")
        progress = self.aio_bh_poll()
        if self.thread_pool is not None:
            self.host.point()  # the last look at its bottom half has found nothing
        progress |= self.aio_dispatch_handlers()
        progress |= self.timerlistgroup_run_timers()
        return progress

    def timerlistgroup_run_timers(self) -> bool:
        """Run the timers that are due, with a look at each."""
        progress = False
        for timer in tuple(self.timers.timers):
            self.host.between()
            if timer.run_if_due():
                progress = True
            else:
                self.host.point()
        return progress

    # -- polling --------------------------------------------------------------------------------------------------------------

    def bh_scheduled(self) -> bool:
        """A bottom half is scheduled."""
        return any(bh.scheduled for bh in self.bottom_halves)

    def aio_compute_timeout_is_zero(self) -> bool:
        """A poll must not sleep: a bottom half is scheduled or a timer is due."""
        return self.bh_scheduled() or self.timers.timerlist_expired()

    def aio_poll(self) -> bool:
        """A nested poll, as drains make it: one round; true if it made progress. It need not sleep: its caller has seen to that.

        It is one step if it finds nothing, or if every job polls on this stack: then no callback in it gives up control, and what
        arrives meanwhile is seen by the next round. Another job's callbacks may give up control, or poll themselves.
        """
        if self.host.all_poll or not self.aio_poll_would_progress():
            return self.host.atomically(self.aio_poll_once)
        return self.aio_poll_once()

    def aio_poll_once(self) -> bool:
        """Busy-poll, or else sample the poll set; then dispatch."""
        progress = self.run_poll_handlers_once()
        found = False if progress else self.qemu_poll_ns()
        progress |= self.aio_bh_poll()
        if found or self.aio_poll_walks_always():
            progress |= self.aio_dispatch_handlers()
        progress |= self.timers.timerlist_run_timers()
        return progress

    def run_poll_handlers_once(self) -> bool:
        """How try_poll_mode ends in each aio_poll from 684e508c23 on: ask all handlers that can tell whether they have something to do.

        From 59c9f437c5 on it leaves out external ones that are disabled. False if none had anything.
        """
        progress = False
        for handler in self.handlers:
            if handler.io_poll is not None and self.aio_node_has_work(handler):
                handler.io_poll.run()
                progress = True
        return progress

    def aio_node_has_work(self, handler: AioHandler) -> bool:
        """Whether busy polling may ask a handler now, and would find something to do."""
        if handler.io_poll is None or self.host.knobs.busy_poll == "none" or not handler.io_poll.has_work():
            return False
        return self.host.knobs.busy_poll == "ignores" or self.aio_node_check(handler)

    def qemu_poll_ns(self) -> bool:
        """Sample the poll set, without sleeping; from 721671ade7 on it is stored only if something is ready. False if nothing is."""
        polled = self.handlers_polled()
        found = any(handler.fd.readable for handler in polled)
        if found or self.aio_poll_walks_always():
            for handler in polled:
                handler.revents = handler.fd.readable
        self.host.event("qemu_poll_ns")
        return found

    def aio_poll_walks_always(self) -> bool:
        """Until 721671ade7 aio_poll walks the handlers whatever its poll has found.

        (From then on it also does if aio_notify has woken it. What that walk washes is as if the kick had come later: left out here.)
        """
        return self.host.knobs.poll_walks == "always"

    def handlers_polled(self) -> list[AioHandler]:
        """The poll set."""
        return [handler for handler in self.handlers if self.aio_node_polled(handler)]

    def aio_poll_would_progress(self) -> bool:
        """Whether a nested poll of now would find something to do."""
        if self.aio_compute_timeout_is_zero():
            return True
        return any(self.aio_poll_would_run(handler) for handler in self.handlers)

    def aio_poll_would_run(self, handler: AioHandler) -> bool:
        """Whether a nested poll of now would run a handler. One outside its set keeps what an outer poll has stored, for the wash."""
        if self.aio_node_has_work(handler):
            return True
        stored = handler.revents and self.aio_poll_walks_always()
        ready = handler.fd.readable if self.aio_node_polled(handler) else stored
        return ready and self.aio_node_dispatched(handler)

    # -- as a GSource ---------------------------------------------------------------------------------------------------------

    def aio_ctx_prepare(self) -> bool:
        """Ready at once if a bottom half is scheduled or a timer is due; prepare never looks at descriptors."""
        return self.aio_compute_timeout_is_zero()

    def aio_ctx_check(self) -> bool:
        """Ready after the poll: the same, or aio_pending."""
        return self.aio_compute_timeout_is_zero() or self.aio_pending()

    def aio_pending(self) -> bool:
        """Some handler is ready, and the fd walk may run it."""
        return any(handler.revents and self.aio_node_dispatched(handler) for handler in self.handlers)

    def aio_ctx_dispatch(self) -> None:
        """Dispatch."""
        self.aio_dispatch()

"""Seeded faults: the core with one thing done wrong, each of which its comparison with the model has to notice.

A comparison that has never been seen failing proves nothing. Each fault is a subclass of one part with one method overridden.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from draincheck.core.aio import QEMUBH, AioContext, AioHandler
from draincheck.core.assembly import Parts
from draincheck.core.block import BlockBackend, BlockDriverState
from draincheck.core.drain import Drainer
from draincheck.core.glib import GMainContext, GSource
from draincheck.core.host import Host
from draincheck.core.lock import ContextLock
from draincheck.core.mirror import MirrorBlockJob
from draincheck.core.threadpool import ThreadPool, ThreadPoolElement

__all__ = ["FAULTS", "SeededFault"]


@dataclass(frozen=True, slots=True)
class SeededFault:
    """A fault: its name, what is wrong, and the parts of a machine that has it."""

    name: str
    meaning: str
    parts: Parts


class _OldestFirst(AioContext):
    def bh_walk(self) -> tuple[QEMUBH, ...]:
        return tuple(reversed(self.bottom_halves))


class _ExternalIgnored(AioContext):
    def aio_node_dispatched(self, handler: AioHandler) -> bool:
        return True


class _PollSetUnfiltered(AioContext):
    def handlers_polled(self) -> list[AioHandler]:
        return self.handlers


class _NoWash(AioContext):
    def aio_poll_once(self) -> bool:
        """Leave the handlers outside the poll set as an outer poll has left them."""
        stale = {handler: handler.revents for handler in self.handlers if not self.aio_node_check(handler)}
        for handler in stale:
            handler.revents = False
        progress = super().aio_poll_once()
        for handler, revents in stale.items():
            handler.revents = revents
        return progress


class _WashKept(AioContext):
    def aio_poll_walks_always(self) -> bool:
        return True


class _BusyPollingHonours(AioContext):
    def aio_node_has_work(self, handler: AioHandler) -> bool:
        return self.aio_node_check(handler) and super().aio_node_has_work(handler)


class _EnableSilently(AioContext):
    def aio_notify(self) -> None:
        pass


class _NoContentionCallback(ContextLock):
    def aio_context_acquire(self) -> None:
        self._host.point(self.is_free)
        self.holder = self._host.running.name
        self._host.event("aio_context_acquire")


class _LockWithoutCallback(AioContext):
    def __init__(self, host: Host, name: str) -> None:
        super().__init__(host, name)
        self.acquired = _NoContentionCallback(self.host)


class _LateRelease(MirrorBlockJob):
    def release_bitmap(self, place: str) -> None:
        if place == "exit":
            self.bs.bdrv_release_dirty_bitmap(self.dirty_bitmap)


class _CounterKept(MirrorBlockJob):
    def mirror_retry(self) -> None:
        pass


class _CountNotReadAgain(MirrorBlockJob):
    def last_dirty_count(self) -> int:
        return 0


class _DrainerWithoutPolling(Drainer):
    def bdrv_drain_poll(self, bs: BlockDriverState) -> None:
        pass


class _NoPolling(MirrorBlockJob):
    drainer_class = _DrainerWithoutPolling


class _DataLater(ThreadPool):
    """Signals completion first and writes the data when the next element completes."""

    late: Callable[[], int] | None = None

    def worker_thread(self, element: ThreadPoolElement, ret: int = 0) -> None:
        if self.late is not None:
            self.late()
        self.late, element.func = element.func, lambda: 0
        super().worker_thread(element, ret)


class _NotPolled(BlockBackend):
    def blk_root_drained_poll(self) -> bool:
        return False


class _Swapped(GMainContext):
    def dispatch_order(self) -> list[GSource]:
        return self.sources[::-1]


FAULTS: Final = (
    SeededFault("oldest first", "bottom halves run in the order in which they were made", Parts(context=_OldestFirst)),
    SeededFault("external ignored", "the fd walk runs disabled external handlers", Parts(context=_ExternalIgnored)),
    SeededFault("poll set unfiltered", "polls look at disabled external handlers", Parts(context=_PollSetUnfiltered)),
    SeededFault("no wash", "a nested poll leaves stale readiness alone", Parts(context=_NoWash)),
    SeededFault("wash kept", "a nested poll clears stale readiness after 721671ade7, too", Parts(context=_WashKept)),
    SeededFault("busy polling honours", "busy polling leaves disabled handlers out from the start", Parts(context=_BusyPollingHonours)),
    SeededFault("silent enable", "enabling external events wakes nobody", Parts(context=_EnableSilently)),
    SeededFault("no contention callback", "who wants a context does not interrupt its poll", Parts(context=_LockWithoutCallback)),
    SeededFault("late release", "the bitmap is released by the exit callback", Parts(job=_LateRelease)),
    SeededFault("counter kept", "a retry leaves its drained section open", Parts(job=_CounterKept)),
    SeededFault("count not read", "the dirty count is taken for 0 after the drain", Parts(job=_CountNotReadAgain)),
    SeededFault("no polling", "a drain does not poll", Parts(job=_NoPolling)),
    SeededFault("data later", "completion is signalled before the data is written", Parts(pool=_DataLater)),
    SeededFault("backend not polled", "a drain does not wait for what a BlockBackend counts", Parts(backend=_NotPolled)),
    SeededFault("sources swapped", "GSources are dispatched in reverse order of attachment", Parts(main_context=_Swapped)),
)  # fmt: skip

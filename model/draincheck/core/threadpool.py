"""The thread pool: worker threads do the host's I/O, a bottom half of the context tells those who wait."""

from __future__ import annotations

from collections.abc import Callable

from draincheck.core.aio import AioContext
from draincheck.core.coroutine import qemu_coroutine_enter, qemu_coroutine_self, qemu_coroutine_yield

__all__ = ["ThreadPool", "ThreadPoolElement", "aio_get_thread_pool"]


class ThreadPoolElement:
    """One I/O. `name` and `owner` say whose it is; `ret` is 0 or a negative errno once it is `done`."""

    __slots__ = ("co", "done", "func", "name", "owner", "ret", "sector")

    def __init__(self, func: Callable[[], int], name: str, owner: str, sector: int) -> None:
        self.func, self.name, self.owner, self.sector = func, name, owner, sector
        self.co = qemu_coroutine_self()
        self.done = False
        self.ret = 0


class ThreadPool:
    """A context's pool. Its bottom half is made with it, so it is older than those made for single calls and runs after them."""

    def __init__(self, ctx: AioContext) -> None:
        self.host = ctx.host
        self.elements: list[ThreadPoolElement] = []
        self.completion_bh = ctx.aio_bh_new(self.thread_pool_completion_bh, from_threads=True)

    def thread_pool_submit_co(self, func: Callable[[], int], name: str, owner: str, sector: int) -> int:
        """Have a worker do `func`, and yield until it has been done; returns its result."""
        element = ThreadPoolElement(func, name, owner, sector)
        self.elements.append(element)
        qemu_coroutine_yield()
        return element.ret

    def worker_thread(self, element: ThreadPoolElement, ret: int = 0) -> None:
        """A worker does an element's I/O (or fails with `ret`) and schedules the bottom half. When, the scheduler decides."""
        element.ret = ret or element.func()
        element.done = True
        self.completion_bh.qemu_bh_schedule()

    def thread_pool_completion_bh(self) -> None:
        """Enter coroutines whose I/O is done. Which finished element is met first is open.

        Guests' requests only push a used element and interrupt, so all of them that are done go in one step; the job is a step of its
        own, and may poll before it yields: the bottom half stays scheduled for what is left.
        """
        done = [element for element in self.elements if element.done]
        owner = self.host.choose(*dict.fromkeys(element.owner for element in done))
        for element in done:
            if element.owner == owner:
                self.complete(element)

    def complete(self, element: ThreadPoolElement) -> None:
        """Take an element off the list and enter its coroutine."""
        self.elements.remove(element)
        if any(other.done for other in self.elements):
            self.completion_bh.qemu_bh_schedule()
        else:
            self.completion_bh.qemu_bh_cancel()
        qemu_coroutine_enter(element.co)


def aio_get_thread_pool(ctx: AioContext) -> ThreadPool:
    """A context's pool, made when it is first asked for."""
    if ctx.thread_pool is None:
        ctx.thread_pool = ThreadPool(ctx)
    return ctx.thread_pool

"""Coroutines with stacks of their own, as QEMU's: a nested event loop inside one is just a nested call."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import cast

from greenlet import getcurrent, greenlet

from draincheck.core.host import Host

__all__ = ["CoQueue", "Coroutine", "qemu_coroutine_enter", "qemu_coroutine_self", "qemu_coroutine_yield"]


class Coroutine(greenlet):
    """A coroutine that has been created; `qemu_coroutine_enter` starts it and resumes it.

    A coroutine with a `process` name is one that the scheduler knows: other threads may act before it goes on from a yield, and before
    its enterer does anything else. A guest request's coroutine has none; it runs within its enterer's step.
    """

    def __init__(self, host: Host, entry: Callable[[], object], process: str = "") -> None:
        super().__init__(entry)
        self.host = host
        self.process = process
        host.coroutines.append(self)


def qemu_coroutine_enter(co: Coroutine) -> None:
    """Run a coroutine until it yields or ends. Must not be called for one that is running or has ended."""
    assert not co.dead, "Co-routine re-entered after its end"
    co.parent = getcurrent()
    if not co.process:
        co.switch()
        return
    thread = co.host.running
    thread.process, enterer = co.process, thread.process
    co.switch()
    thread.process = enterer
    co.host.acted(back=True)


def qemu_coroutine_self() -> Coroutine:
    """The coroutine that runs now; the caller knows that there is one."""
    return cast(Coroutine, getcurrent())


def qemu_coroutine_yield(to_loop_head: bool = False) -> None:
    """Give control back to whoever entered the coroutine that runs now; returns when it is entered again.

    `to_loop_head`: the caller goes straight to the head of a loop, which has a scheduling point of its own.
    """
    co = qemu_coroutine_self()
    enterer = co.parent
    assert enterer is not None
    enterer.switch()
    if co.process and not to_loop_head:
        co.host.point()


class CoQueue:
    """Coroutines that wait for each other, first come first served."""

    __slots__ = ("entries",)

    def __init__(self) -> None:
        self.entries: deque[Coroutine] = deque()

    def qemu_co_queue_wait(self) -> None:
        """Wait until the queue's turn comes to this coroutine."""
        self.entries.append(qemu_coroutine_self())
        qemu_coroutine_yield()

    def qemu_co_enter_next(self) -> bool:
        """Enter the coroutine that has waited longest; false if none waits."""
        if not self.entries:
            return False
        qemu_coroutine_enter(self.entries.popleft())
        return True

"""The locks that keep threads apart: the big QEMU lock and an AioContext's."""

from __future__ import annotations

from draincheck.core.host import Host

__all__ = ["BigQemuLock", "ContextLock"]


class ContextLock:
    """An AioContext's lock (RFifoLock until 65c1b5b622, then a recursive mutex).

    Attributes:
        holder: the thread that has it, or "".
        contenders: threads that want it; one that polls while it holds the lock is interrupted by them (rfifolock's callback).
    """

    __slots__ = ("_host", "contenders", "holder")

    def __init__(self, host: Host) -> None:
        self._host = host
        self.holder = ""
        self.contenders = 0

    def is_free(self) -> bool:
        """Nobody holds it."""
        return not self.holder

    def aio_context_acquire(self) -> None:
        """Wait until it is free, and take it."""
        self.contenders += 1
        self._host.point(self.is_free)
        self.contenders -= 1
        self.take()

    def take(self) -> None:
        """It is free: take it."""
        self.holder = self._host.running.name
        self._host.event("aio_context_acquire")

    def aio_context_release(self) -> None:
        """Let go of it."""
        self.holder = ""
        self._host.event("aio_context_release")


class BigQemuLock:
    """The BQL. The main thread has it except in a poll that may sleep; vCPU threads need it to run device code.

    Attributes:
        held: the main thread has not let go of it.
        vcpu: a vCPU thread has it, over several steps; a poll cannot return meanwhile.
        wanted: vCPU threads of this machine do run device code, so it matters whether a poll that may not sleep keeps it.
    """

    __slots__ = ("held", "vcpu", "wanted")

    def __init__(self, wanted: bool) -> None:
        self.held = True
        self.vcpu = False
        self.wanted = wanted

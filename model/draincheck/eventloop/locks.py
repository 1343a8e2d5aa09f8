"""Locks: an AioContext's, and the big one."""

from __future__ import annotations

from msgspec import Struct

from draincheck.lang import BoolExpr, BoolVar, EnumVar, Process, Update

__all__ = ["Bql", "Lock"]


class Lock(Struct, frozen=True):
    """An AioContext's lock: who holds it, or `free`. Where it is absent nobody takes it, and no step says so."""

    holder: EnumVar

    @property
    def free(self) -> BoolExpr:
        """Nobody holds it."""
        return self.holder.is_("free")

    def taken(self, by: str) -> Update:
        """Somebody holds it now."""
        return self.holder.set(by)

    def released(self) -> Update:
        """It is free again."""
        return self.holder.set("free")

    def acquire(self, p: Process, by: str) -> None:
        """Wait until it is free, and take it."""
        if self.holder.exists:
            p.do("aio_context_acquire", self.taken(by), when=self.free)

    def release(self, p: Process) -> None:
        """Let go of it."""
        if self.holder.exists:
            p.do("aio_context_release", self.released())


class Bql(Struct, frozen=True):
    """The big QEMU lock, as far as somebody besides the main loop wants it.

    Attributes:
        free: the main loop has let go of it, in its poll; absent where nobody else wants it.
        taken: a vCPU thread keeps it over several steps; absent where none does.
    """

    free: BoolVar
    taken: BoolVar

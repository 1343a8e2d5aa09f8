"""Bottom halves: callbacks that an AioContext's `aio_bh_poll` runs once after somebody has scheduled them."""

from __future__ import annotations

from functools import cached_property
from typing import Final

from msgspec import Struct

from draincheck.lang import BoolExpr, BoolVar, Update
from draincheck.sorts import BOOL

__all__ = ["NEVER", "BottomHalf"]

#: a flag that nothing ever raises
NEVER: Final = BoolVar("never", BOOL, (0,), exists=False)


class BottomHalf(Struct, frozen=True, dict=True):
    """A QEMUBH.

    Attributes:
        scheduled: its callback is to run.
        listed: it is in the slice of the walk that is going on: it was pending when the walk began. Absent where a walk also runs those
            that are scheduled meanwhile (until 8c6b0356b5, those that stand behind it in the list).
        idle: it was scheduled to run when the loop is idle: no poll has to come back for it at once. Absent where none is.
        deleted: it will never run again. Absent where none is deleted.
    """

    scheduled: BoolVar
    listed: BoolVar = NEVER
    idle: BoolVar = NEVER
    deleted: BoolVar = NEVER

    @cached_property
    def pending(self) -> BoolExpr:
        """A walk that begins now runs it."""
        return self.scheduled & ~self.deleted

    @property
    def runs(self) -> BoolExpr:
        """The walk that is going on runs it when it comes to it."""
        return self.pending & self.listed if self.listed.exists else self.pending

    @property
    def hurries(self) -> BoolExpr:
        """aio_compute_timeout: a poll of now may not sleep."""
        return self.pending & ~self.idle

    def schedule(self) -> list[Update]:
        """qemu_bh_schedule."""
        return [self.scheduled.set(), self.idle.clear()]

    def schedule_idle(self) -> list[Update]:
        """qemu_bh_schedule_idle."""
        return [self.scheduled.set(), self.idle.set()]

    def delete(self) -> list[Update]:
        """qemu_bh_delete."""
        return [self.scheduled.clear(), self.deleted.set()]

    def carved(self) -> Update:
        """What aio_bh_poll begins with, from 8c6b0356b5 on: all that are pending, and no others, are of this walk."""
        return self.listed.set(self.pending)

    def taken(self) -> list[Update]:
        """Its callback is about to run: it may be scheduled anew from there."""
        return [self.scheduled.clear(), self.listed.clear(), self.idle.clear()]

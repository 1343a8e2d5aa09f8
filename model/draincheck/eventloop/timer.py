"""Timers: callbacks that an AioContext runs once their time has come."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from draincheck.lang import BoolExpr, BoolVar, Update
from draincheck.sorts import BOOL

__all__ = ["ARMED", "Timer"]

#: the flag of a timer of which something else says whether it is armed
ARMED: Final = BoolVar("armed", BOOL, (1,), exists=False)


class Timer(Struct, frozen=True):
    """A QEMUTimer. How long it takes is not modelled: once armed, its time may come at any moment.

    Attributes:
        due: its time has come, and its callback has not run.
        armed: it is in its list. Absent where something else says so, as the place of a coroutine that sleeps.
    """

    due: BoolVar
    armed: BoolVar = ARMED

    @property
    def may_expire(self) -> BoolExpr:
        """Its time may come now."""
        return self.armed & ~self.due

    def arm(self) -> list[Update]:
        """timer_mod: it is armed anew, even if its time had come."""
        return [self.armed.set(), self.due.clear()]

    def taken(self) -> list[Update]:
        """It leaves its list: timer_del, or its callback is about to run, which may arm it again."""
        return [self.armed.clear(), self.due.clear()]

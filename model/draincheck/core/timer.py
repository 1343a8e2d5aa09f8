"""Timers: of an AioContext, or of the main loop."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["QEMUTimer", "TimerList"]


class QEMUTimer:
    """A timer. `armed`: it has a deadline. `due`: the deadline has passed (the clock decides when)."""

    __slots__ = ("armed", "callback", "due")

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback = callback
        self.armed = self.due = False

    def timer_mod(self) -> None:
        """Give it a deadline in the future."""
        self.armed, self.due = True, False

    def timer_del(self) -> None:
        """Take its deadline away, passed or not."""
        self.armed = self.due = False

    def run_if_due(self) -> bool:
        """Run the callback if the deadline has passed; false if not."""
        if not self.due:
            return False
        self.timer_del()
        self.callback()
        return True


class TimerList:
    """Timers that one loop runs."""

    __slots__ = ("timers",)

    def __init__(self) -> None:
        self.timers: list[QEMUTimer] = []

    def timer_new(self, callback: Callable[[], None]) -> QEMUTimer:
        """Add a timer."""
        timer = QEMUTimer(callback)
        self.timers.append(timer)
        return timer

    def timerlist_expired(self) -> bool:
        """Some timer's deadline has passed."""
        return any(timer.due for timer in self.timers)

    def timerlist_run_timers(self) -> bool:
        """Run the timers that are due; false if there was none."""
        ran = [timer for timer in tuple(self.timers) if timer.run_if_due()]
        return bool(ran)

"""EventNotifier: an eventfd."""

from __future__ import annotations

__all__ = ["EventNotifier"]


class EventNotifier:
    """An eventfd: several sets before a test read as one (kicks coalesce)."""

    __slots__ = ("readable",)

    def __init__(self) -> None:
        #: its counter is not 0: what poll(2) reports
        self.readable = False

    def event_notifier_set(self) -> None:
        """Add to the counter."""
        self.readable = True

    def event_notifier_test_and_clear(self) -> bool:
        """Read the counter: was it set? It is 0 now."""
        was, self.readable = self.readable, False
        return was

"""What switches are called: their disk, and which of its switches each is. Said once, the same while a log grows as at its end."""

from __future__ import annotations

from draincheck.qemulog.window import LoggedWindow

__all__ = ["Numbering"]


class Numbering:
    """Switches counted by disk. With one device all are about the same disk, whatever its node is called."""

    def __init__(self) -> None:
        self._first: str | None = None
        self._counts: dict[str, int] = {}

    def name(self, window: LoggedWindow, one: bool) -> None:
        """Give a switch its disk and its number, unless it has them; `one`: the log has shown no second disk."""
        if window.number:
            return
        self._first = self._first or window.disk
        window.disk = self._first if one else window.disk
        self._counts[window.disk] = window.number = self._counts.get(window.disk, 0) + 1

"""On which files nodes stand, as far as a log lets that be seen: whether a node may stand above a disk that another backend has, too."""

from __future__ import annotations

__all__ = ["Files"]


class Files:
    """Nodes by their pointers. One that was opened says its file, or nothing; one that takes another's place without that is a filter on it."""

    def __init__(self) -> None:
        self._files: dict[str, str | None] = {}
        self._fresh: set[str] = set()

    def opened(self, node: str, file: str) -> None:
        """A node was opened; a filter by reference has its child's file, other filters none."""
        self._files[node] = file or None
        self._fresh.add(node)

    def moved(self, old: str, new: str) -> None:
        """A backend has another node than before."""
        if new not in self._fresh:
            self._files[new] = self._files.get(old)
        self._fresh.discard(new)

    def of(self, node: str | None) -> str | None:
        """The file that a node stands on; None if the log does not say."""
        return self._files.get(node or "")

"""On which files nodes stand, as far as a log lets that be seen: whether a node may stand above a disk that another backend has, too."""

from __future__ import annotations

import re

__all__ = ["Files"]

#: in the name of a node without one of its own (`json:{...}`): the files below it
_BELOW = re.compile(r'"filename": "([^"]*)"')


class Files:
    """Nodes by their pointers. One that was opened says its file, or nothing; one that takes another's place without that is a filter on it."""

    #: what QEMU calls nodes that hand on what they get
    FILTERS = frozenset(
        {"blkdebug", "blkverify", "compress", "copy-before-write", "copy-on-read", "preallocate", "quorum", "throttle"}
    )

    def __init__(self) -> None:
        self._files: dict[str, str | None] = {}
        self._filters: set[str] = set()
        self._fresh: set[str] = set()

    def opened(self, node: str, file: str, driver: str) -> None:
        """A node was opened; a filter has its child's file."""
        self._files[node] = _only(file) if driver in self.FILTERS else file or None
        self._filters.discard(node)
        if driver in self.FILTERS:
            self._filters.add(node)
        self._fresh.add(node)

    def moved(self, old: str, new: str) -> None:
        """A backend has another node than before."""
        if new not in self._fresh:
            self._files[new] = self._files.get(old)
        self._fresh.discard(new)

    def is_filter(self, node: str) -> bool:
        """Whether a node was opened as one that hands on what it gets."""
        return node in self._filters

    def of(self, node: str | None) -> str | None:
        """The file that a node stands on; None if the log does not say."""
        return self._files.get(node or "")


def _only(file: str) -> str | None:
    """The one file of a filter's name, which may be a description of all that is below; None if there are several, or none."""
    below = _BELOW.findall(file) if file.startswith("json:") else [file]
    return below[0] or None if len(below) == 1 else None

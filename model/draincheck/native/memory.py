"""Pages outside Python's heap, for machine code: zero at first, and the system gives only what is touched."""

from __future__ import annotations

import ctypes
import mmap
from contextlib import suppress

from draincheck.words import counted

__all__ = ["Pages"]

#: bytes of a large page. Whoever looks for lines at random waits for addresses, too, of which there are fewer then
LARGE = 1 << 21


class Pages:
    """So many bytes of memory. They are given back when nobody holds this any more."""

    def __init__(self, size: int, *, scattered: bool = False) -> None:
        """Take memory, which will be looked at here and there (`scattered`), or from its beginning on. Raises MemoryError where the system refuses it."""
        self.size, self._scattered = size, scattered
        self._map = _taken(size)
        self._advise()

    @property
    def address(self) -> int:
        """Where it begins, until it grows."""
        return ctypes.addressof(ctypes.c_char.from_buffer(self._map))

    @property
    def view(self) -> memoryview:
        """Its bytes; to be released before it grows."""
        return memoryview(self._map)[: self.size]  # the last page may go on behind them

    def grow(self, size: int) -> None:
        """Make it larger; what is in it stays. Raises MemoryError where the system refuses it."""
        try:
            self._map.resize(_rounded(size))
        except (SystemError, ValueError, OSError):  # no such thing here: a copy
            larger = _taken(size)
            with self.view as old, memoryview(larger) as new:
                new[: self.size] = old
            self._map = larger
        self.size = size
        self._advise()

    def _advise(self) -> None:
        """Ask for large pages, where they are of use and there are any; a system that has none does without."""
        if self._scattered and self.size >= 2 * LARGE and hasattr(mmap, "MADV_HUGEPAGE"):
            with suppress(OSError):
                self._map.madvise(mmap.MADV_HUGEPAGE)


def _taken(size: int) -> mmap.mmap:
    try:
        if not hasattr(mmap, "MAP_PRIVATE"):
            return mmap.mmap(-1, size)
        return mmap.mmap(
            -1, _rounded(size), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
        )  # what is shared does not grow
    except OSError as error:
        raise MemoryError(f"{counted(size, 'byte')}: {error.strerror}") from error


def _rounded(size: int) -> int:
    """So many bytes, or as many as whole large pages have: only these stay whole when they move."""
    return size if size < 2 * LARGE else -(-size // LARGE) * LARGE

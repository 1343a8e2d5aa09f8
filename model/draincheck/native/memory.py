"""Pages outside Python's heap, for machine code: zero at first, and the system gives only what is touched."""

from __future__ import annotations

import ctypes
import mmap

from draincheck.words import counted

__all__ = ["Pages"]


class Pages:
    """So many bytes of memory. They are given back when nobody holds this any more."""

    def __init__(self, size: int) -> None:
        """Take memory; raises MemoryError where the system refuses it."""
        self.size = size
        self._map = _taken(size)

    @property
    def address(self) -> int:
        """Where it begins, until it grows."""
        return ctypes.addressof(ctypes.c_char.from_buffer(self._map))

    @property
    def view(self) -> memoryview:
        """Its bytes; to be released before it grows."""
        return memoryview(self._map)

    def grow(self, size: int) -> None:
        """Make it larger; what is in it stays. Raises MemoryError where the system refuses it."""
        try:
            self._map.resize(size)
        except (SystemError, ValueError, OSError):  # no such thing here: a copy
            larger = _taken(size)
            with memoryview(self._map) as old, memoryview(larger) as new:
                new[: self.size] = old
            self._map = larger
        self.size = size


def _taken(size: int) -> mmap.mmap:
    try:
        if hasattr(mmap, "MAP_PRIVATE"):  # what is shared does not grow
            return mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        return mmap.mmap(-1, size)
    except OSError as error:
        raise MemoryError(f"{counted(size, 'byte')}: {error.strerror}") from error

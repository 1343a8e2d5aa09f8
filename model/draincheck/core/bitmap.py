"""Dirty bitmaps: which sectors a node's writers have changed since somebody last looked."""

from __future__ import annotations

__all__ = ["BdrvDirtyBitmap"]


class BdrvDirtyBitmap:
    """A dirty bitmap with one bit a sector."""

    __slots__ = ("bits",)

    def __init__(self) -> None:
        self.bits: set[int] = set()

    def bdrv_set_dirty_bitmap(self, sector: int) -> None:
        """Mark a sector."""
        self.bits.add(sector)

    def bdrv_reset_dirty_bitmap(self, sector: int) -> None:
        """Unmark a sector."""
        self.bits.discard(sector)

    def bdrv_get_dirty_count(self) -> int:
        """How many sectors are marked."""
        return len(self.bits)

    def first(self) -> int:
        """The lowest marked sector (hbitmap_iter_next); there must be one."""
        return min(self.bits)

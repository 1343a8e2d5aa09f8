"""Disk images: real bytes, and whose write each sector holds."""

from __future__ import annotations

__all__ = ["SECTOR", "Image", "read_chain"]

#: bytes in a sector
SECTOR = 512

_ZEROES = bytes(SECTOR)


class Image:
    """An image in memory. Sectors that were never written read as zeroes, or from the backing image if there is one (qcow2).

    Attributes:
        writer: for each sector whose data the block layer knows to be here: the name of the request that wrote it. Bytes arrive when a
            worker thread writes them, a name only when the write has been completed.
    """

    def __init__(self, name: str, driver: str = "raw") -> None:
        self.name = name
        #: `raw` or `qcow2`
        self.driver = driver
        self.sectors: dict[int, bytes] = {}
        self.writer: dict[int, str] = {}

    def pwrite(self, sector: int, data: bytes) -> int:
        """Write one sector; returns 0. Raises ValueError unless it is a sector's worth."""
        if len(data) != SECTOR:
            raise ValueError(f"{len(data)} bytes for a sector of {SECTOR}")
        self.sectors[sector] = data
        return 0

    def pread(self, sector: int) -> bytes | None:
        """Read one sector, or None where this image has nothing."""
        return self.sectors.get(sector)


def read_chain(image: Image, backing: Image | None, sector: int) -> bytes:
    """What a reader of the image sees in a sector."""
    found = image.pread(sector)
    if found is None and backing is not None:
        found = backing.pread(sector)
    return _ZEROES if found is None else found

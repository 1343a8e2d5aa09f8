"""Where lines come from: a file, plain or packed (gzip, xz, zstandard), standard input, or a file that is still being written.

Lines are handed on in blocks, so that a log of any length takes the memory of a few.
"""

from __future__ import annotations

import gzip
import io
import lzma
import os
import sys
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from draincheck.errors import LogError, NoUnpacker

__all__ = ["LONGEST", "STDIN", "blocks", "followed", "opened"]

#: standard input
STDIN = "-"
#: bytes that are read at once
BLOCK = 1 << 20
#: bytes of a package that are unpacked at once: each may be thousands
PACKED = 1 << 12
#: bytes that a line may have: a QMP command with a backing chain has a hundredth of it
LONGEST = 1 << 22

_GZIP, _XZ, _ZSTD = b"\x1f\x8b", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd"


@contextmanager
def opened(file: str) -> Generator[BinaryIO]:
    """A log to read from, unpacked as it goes. Raises OSError, and NoUnpacker where the package that unpacks it is missing."""
    with _raw(file) as raw, _unpacked(raw) as unpacked:
        yield unpacked


def _raw(file: str) -> io.BufferedReader:
    if file == STDIN:
        return io.BufferedReader(io.FileIO(sys.stdin.fileno(), closefd=False))
    try:
        return open(file, "rb")  # noqa: PTH123 (a path would make `.` of an empty name)
    except ValueError as error:
        raise OSError(str(error)) from error


def _unpacked(raw: io.BufferedReader) -> BinaryIO:
    start = raw.peek(6)[:6]
    if start.startswith(_GZIP):
        return io.BufferedReader(gzip.GzipFile(fileobj=raw))
    if start == _XZ:
        return io.BufferedReader(_Streams(raw, _xz))
    if start.startswith(_ZSTD):
        return io.BufferedReader(_Streams(raw, _zstandard()))
    return raw


#: where the errors of that package live, in its older versions and its newer ones
_OF_ZSTANDARD = ("zstd", "zstandard")


class _Decompressor(Protocol):
    """What unpacks one stream of a package."""

    eof: bool
    unused_data: bytes

    def decompress(self, data: bytes, /) -> bytes:
        """What is in these bytes."""
        ...


class _Streams(io.RawIOBase):
    """A package of one stream or several: one that ends in the middle, and anything else behind one, is damaged."""

    def __init__(self, raw: BinaryIO, make: Callable[[], _Decompressor]) -> None:
        self._raw, self._make = raw, make
        self._now: _Decompressor | None = None
        self._packed = self._plain = b""

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fill a buffer; 0 at the end. Raises EOFError where that is in the middle."""
        while not self._plain:
            self._packed = self._packed or self._raw.read(PACKED)
            if not self._packed:
                if self._now is not None:
                    raise EOFError("it ends in the middle")
                return 0
            self._plain = self._unpack()
        size = min(len(buffer), len(self._plain))
        buffer[:size], self._plain = self._plain[:size], self._plain[size:]
        return size

    def _unpack(self) -> bytes:
        if self._now is None:
            self._packed = self._packed.lstrip(b"\0") if self._make is _xz else self._packed
            if not self._packed:
                return b""
            self._now = self._make()
        found = self._now.decompress(self._packed)
        self._packed = self._now.unused_data if self._now.eof else b""
        self._now = None if self._now.eof else self._now
        return found


def _xz() -> _Decompressor:
    return lzma.LZMADecompressor()  # type: ignore[return-value]


def _zstandard() -> Callable[[], _Decompressor]:
    try:
        from zstandard import ZstdDecompressor
    except ImportError:
        raise NoUnpacker("it is packed with zstandard, which takes a package: pip install zstandard") from None
    return lambda: ZstdDecompressor().decompressobj()  # type: ignore[return-value]


def blocks(source: BinaryIO, size: int = BLOCK) -> Iterator[bytes]:
    """Whole lines, many at a time; the last one may lack its end. Raises LogError for a line that is too long and for a damaged package."""
    rest = b""
    while read := _read(source, size):
        whole, newline, torn = read.rpartition(b"\n")
        if newline:
            yield rest + whole + newline
            rest = torn
        else:
            rest += torn
        if len(rest) > LONGEST:
            raise LogError(f"a line is longer than {LONGEST >> 20} MB: this is no log")
    if rest:
        yield rest


def _read(source: BinaryIO, size: int) -> bytes:
    try:
        return source.read(size)
    except (EOFError, zlib.error, gzip.BadGzipFile, lzma.LZMAError) as error:
        raise LogError(f"it cannot be unpacked: {error}") from error
    except Exception as error:
        if type(error).__module__.partition(".")[0] in _OF_ZSTANDARD:
            raise LogError(f"it cannot be unpacked: {error}") from error
        raise


def followed(file: str, wait: Callable[[], bool]) -> Iterator[bytes]:
    """The same of a file that is being written, also where another takes its name (rotation) or it is cut to nothing (truncation).

    Lines are handed on when their ends are there. Between two looks `wait` is called; it ends when that says no.
    """
    rest = b""
    with closing(_Growing(file)) as growing:
        while True:
            read = growing.more()
            whole, newline, torn = (rest + read).rpartition(b"\n")
            rest = torn if read or newline else rest
            if newline:
                yield whole + newline
            if len(rest) > LONGEST:
                raise LogError(f"a line is longer than {LONGEST >> 20} MB: this is no log")
            if not read and not wait():
                break
    if rest:
        yield rest


class _Growing:
    """A file by its name: what has been written to it since the last look."""

    def __init__(self, file: str) -> None:
        self.path = Path(file)
        self.stream = self.path.open("rb")

    def more(self) -> bytes:
        """What is new; of a file that has taken its place only when nothing is left of the old one."""
        return self.stream.read(BLOCK) or self._again()

    def _again(self) -> bytes:
        try:
            now = self.path.stat()
        except FileNotFoundError:
            return b""
        mine = os.fstat(self.stream.fileno())
        if (now.st_ino, now.st_dev) != (mine.st_ino, mine.st_dev):
            self.stream.close()
            self.stream = self.path.open("rb")
        elif now.st_size < self.stream.tell():
            self.stream.seek(0)
        return self.stream.read(BLOCK)

    def close(self) -> None:
        """Let go of the file."""
        self.stream.close()

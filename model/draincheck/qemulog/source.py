"""Where lines come from: a file, plain or packed (gzip, xz, zstandard), standard input, or a file that is still being written.

Lines are handed on in blocks, so that a log of any length takes the memory of a few.
"""

from __future__ import annotations

import gzip
import io
import lzma
import os
import re
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from errno import EINVAL, ENOENT
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from draincheck.errors import LogError
from draincheck.optional import demand
from draincheck.stdin import standard_input

__all__ = ["LONGEST", "STDIN", "blocks", "followed", "opened", "packed", "unpacked"]

#: standard input
STDIN = "-"
#: bytes that are read last, by which a file that was cut is known
REMEMBERED = 64
#: bytes that are read at once: of more the records do not stay near the processor, and each line takes twice as long
BLOCK = 1 << 17
#: bytes of a package that are unpacked at once: each may be thousands
PACKED = 1 << 12
#: bytes that a line may have: a QMP command with a backing chain has a hundredth of it
LONGEST = 1 << 22

_GZIP, _XZ, _ZSTD = b"\x1f\x8b", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd"
#: how text in UTF-16 begins, with a mark or with a digit or letter of ASCII
_UTF16 = re.compile(rb"\xff\xfe|\xfe\xff|(?:[\x20-\x7e]\x00){3}|(?:\x00[\x20-\x7e]){3}")


#: devices that give as many bytes as anybody wants
ENDLESS = ("/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")


@contextmanager
def opened(file: str) -> Generator[BinaryIO]:
    """A log to read from, unpacked as it goes. Raises OSError, LogError, and NotInstalled where the package that unpacks it is missing."""
    with _raw(file) as raw, _unpacked(raw) as unpacked:
        yield unpacked


def _raw(file: str) -> io.BufferedReader:
    if file == STDIN:
        return io.BufferedReader(io.FileIO(standard_input().fileno(), closefd=False))
    try:
        if os.path.realpath(file) in ENDLESS:
            raise OSError(EINVAL, "a device without an end is no log", file)
        return open(file, "rb")  # noqa: PTH123 (a path would make `.` of an empty name)
    except ValueError as error:
        raise OSError(str(error)) from error


def _unpacked(raw: io.BufferedReader) -> BinaryIO:
    start = raw.peek(6)[:6]
    _check_text(start)
    return _unpacking(raw, start)


def unpacked(data: bytes, most: int) -> bytes:
    """What is packed in bytes, or the bytes. Raises LogError for a damaged package and for one with more in it than that, and NotInstalled."""
    source, found = _unpacking(io.BytesIO(data), data[:6]), bytearray()
    while read := _read(source, BLOCK):
        found += read
        if len(found) > most:
            raise LogError(f"there is more than {most >> 20} MB in it")
    return bytes(found)


def _unpacking(raw: BinaryIO, start: bytes) -> BinaryIO:
    if start.startswith(_GZIP):
        return io.BufferedReader(gzip.GzipFile(fileobj=raw))
    if start == _XZ:
        return io.BufferedReader(_Streams(raw, _xz))
    if start.startswith(_ZSTD):
        return io.BufferedReader(_Streams(raw, _zstandard()))
    return raw


def _check_text(start: bytes) -> None:
    """Raise LogError for text that is not written in bytes of ASCII."""
    if _UTF16.match(start):
        raise LogError(
            "it is text in UTF-16, as the shell of Windows writes it: iconv -f UTF-16 -t UTF-8 FILE > trace.log, and take that"
        )


def packed(file: str) -> bool:
    """Whether a file is there, and is a package. Raises OSError where it cannot be read."""
    try:
        with _raw(file) as raw:
            start = raw.peek(6)[:6]
    except FileNotFoundError:
        return False
    return start.startswith((_GZIP, _XZ, _ZSTD))


#: where the errors of that package live, in its older versions and its newer ones
_OF_ZSTANDARD = ("zstd", "zstandard")


class _Decompressor(Protocol):
    """What unpacks one stream of a package."""

    @property
    def eof(self) -> bool:
        """Whether the stream has ended."""
        ...

    @property
    def unused_data(self) -> bytes:
        """What came behind its end."""
        ...

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
    return lzma.LZMADecompressor()


def _zstandard() -> Callable[[], _Decompressor]:
    demand("zstandard")
    from zstandard import ZstdDecompressor

    return lambda: ZstdDecompressor().decompressobj()


def blocks(source: BinaryIO, size: int = BLOCK) -> Iterator[bytes]:
    """Whole lines, many at a time; the last one may lack its end. Raises LogError for a line that is too long and for a damaged package."""
    rest, begins = b"", True
    while read := _read(source, size):
        read = read.lstrip(b"\0") if begins else read  # what a program leaves that goes on behind where a log was cut
        begins = begins and not read
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

    Lines are handed on when their ends are there; of a line in which a file was left, nothing is. A file that is not there yet is waited for.
    Between two looks `wait` is called; it ends when that says no. Raises OSError where the file cannot be read.
    """
    rest, begins = b"", True
    with closing(_Growing(file)) as growing:
        while True:
            read, anew = growing.more()
            rest = b"" if anew else rest
            begins = begins or anew
            read_on = read.lstrip(b"\0") if begins else read
            begins = begins and not read_on
            whole, newline, torn = (rest + read_on).rpartition(b"\n")
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
    """A file by its name: what has been written to it since the last look.

    A program that did not open its log for appending goes on where it was when the file is cut: before that is a hole, which reads as zeros.
    """

    def __init__(self, file: str) -> None:
        self.path = Path(file)
        self.stream: BinaryIO | None = None
        self.last = b""
        if not self.path.parent.is_dir():
            raise FileNotFoundError(ENOENT, "there is no such folder to wait in", file)

    def more(self) -> tuple[bytes, bool]:
        """What is new, and whether a file begins with it; of a file that has taken its place only when nothing is left of the old one."""
        if self.stream is None:
            return self._open(), True
        anew = self._is_cut()
        if anew:
            self.stream.seek(0)
            self.last = b""
        read = self._read()
        if not read and not anew and self._is_replaced():
            self.close()
            return self._open(), True
        return read, anew

    def _open(self) -> bytes:
        try:
            self.stream = self.path.open("rb")
        except FileNotFoundError:
            return b""
        self.last = b""
        return self._read()

    def _read(self) -> bytes:
        assert self.stream is not None
        read = self.stream.read(BLOCK)
        self.last = (self.last + read)[-REMEMBERED:]
        return read

    def _is_cut(self) -> bool:
        """Whether what was read last is there no more; it may have grown beyond that since."""
        assert self.stream is not None
        here = self.stream.tell()
        if os.fstat(self.stream.fileno()).st_size < here:
            return True
        found = os.pread(self.stream.fileno(), len(self.last), here - len(self.last))
        return found != self.last and found.strip(b"\0") != b""

    def _is_replaced(self) -> bool:
        """Whether another file has the name, and something is in it: until then the program may go on writing to the old one."""
        try:
            now = self.path.stat()
        except FileNotFoundError:
            return False
        assert self.stream is not None
        mine = os.fstat(self.stream.fileno())
        return (now.st_ino, now.st_dev) != (mine.st_ino, mine.st_dev) and now.st_size > 0

    def close(self) -> None:
        """Let go of the file."""
        if self.stream is not None:
            self.stream.close()

"""Files that a command reads, whole, and none without an end."""

from __future__ import annotations

import errno
from io import StringIO
from pathlib import Path
from typing import IO

from check_invariants.options import STDOUT
from draincheck.stdin import standard_input

__all__ = ["LONGEST", "is_file", "read_bytes", "read_text"]

#: bytes that a file may have: a hundred times what any trace or certificate has; a device such as /dev/zero has no end
LONGEST = 1 << 28


def is_file(path: str) -> bool:
    """Whether there is such a file; no name that no file can have is one."""
    try:
        return Path(path).is_file()
    except (OSError, ValueError):
        return False


def read_bytes(path: str) -> bytes:
    """A file, or standard input for `-`. Raises OSError, for a name too that no file can have, and for a file that is too long."""
    if path == STDOUT:
        return _whole(standard_input())
    try:
        with open(path, "rb") as file:  # noqa: PTH123 (a path would make `.` of an empty name)
            return _whole(file)
    except ValueError as error:
        raise OSError(errno.EINVAL, str(error), path) from error


def read_text(path: str) -> str:
    """The same as UTF-8, with line ends as Python has them. Raises UnicodeDecodeError, too."""
    return StringIO(read_bytes(path).decode(), newline=None).read()


def _whole(file: IO[bytes]) -> bytes:
    data = file.read(LONGEST + 1)
    if len(data) > LONGEST:
        raise OSError(errno.EFBIG, f"it is longer than {LONGEST >> 20} MB")
    return data

"""Standard input, where a file is called `-`."""

from __future__ import annotations

import errno
import sys
from typing import BinaryIO

__all__ = ["standard_input"]


def standard_input() -> BinaryIO:
    """The bytes that come in. Raises OSError where it is closed (`<&-`)."""
    if sys.stdin is None:  # pyright: ignore[reportUnnecessaryComparison] (closed: `<&-`)
        raise OSError(errno.EBADF, "standard input is closed")
    return sys.stdin.buffer

"""Files that are either written whole or not at all: an interrupted run never leaves half a trace behind."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

__all__ = ["write_atomically"]


def write_atomically(path: Path, data: str | bytes) -> None:
    """Make `data` (text as UTF-8) the content of a file, in one step.

    The data goes to a new file in the same directory, which then takes the place of the old one and keeps its
    permissions. Links are followed; what is no regular file (a terminal, a pipe, /dev/null) is written to directly.
    Raises OSError, naming `path`, if that is not possible; the old content then stays and nothing else is left
    behind.
    """
    content = data.encode() if isinstance(data, str) else data
    try:
        _write(path, content)
    except OSError as error:
        # The temporary name means nothing to anybody; OSError picks the subclass by the number.
        raise OSError(error.errno, error.strerror, str(path)) from error


def _write(path: Path, content: bytes) -> None:
    if path.exists() and not path.is_file() and not path.is_dir():
        path.write_bytes(content)
    else:
        _replace(_resolved(path), content)


def _resolved(path: Path) -> Path:
    """Where links lead. Raises OSError for a circle of them, whichever version of Python this is."""
    try:
        found = path.resolve()
    except RuntimeError as error:
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path)) from error
    if found.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    return found


def _replace(path: Path, content: bytes) -> None:
    mode = _mode_of(path)
    temporary = path.with_name(f".{os.urandom(8).hex()}.tmp")
    try:
        _write_new(temporary, content)
        if mode is not None:
            temporary.chmod(mode)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _mode_of(path: Path) -> int | None:
    """Permissions of the file that is there, if any; one that may not be written is not replaced either."""
    if path.is_file() and not os.access(path, os.W_OK):
        raise PermissionError(13, os.strerror(13), str(path))
    return stat.S_IMODE(path.stat().st_mode) if path.is_file() else None


def _write_new(path: Path, content: bytes) -> None:
    """Write a file that must not exist yet, down to the disk: a rename may outlive a power cut. The umask applies."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())

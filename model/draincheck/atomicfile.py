"""Files that are either written whole or not at all: an interrupted run never leaves half a trace behind."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["check_writable", "write_atomically"]


def write_atomically(path: Path, data: str | bytes) -> None:
    """Make `data` (text as UTF-8) the content of a file, in one step.

    The data goes to a new file in the same directory, which then takes the place of the old one and keeps its
    permissions. Links are followed; what is no regular file (a terminal, a pipe, /dev/null) is written to directly.
    Raises OSError, naming `path`, if that is not possible; the old content then stays and nothing else is left
    behind.
    """
    content = data.encode() if isinstance(data, str) else data
    with _errors_of(path):
        if _is_special(path):
            path.write_bytes(content)
        else:
            _replace(_resolved(path), content)


def check_writable(path: Path) -> None:
    """Raise the OSError that `write_atomically` would raise now, as far as that can be known; nothing is changed, and nothing left behind."""
    with _errors_of(path):
        if not _is_special(path):
            found = _resolved(path)
            if found.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            _mode_of(found)
            with _temporary(found) as temporary:
                temporary.touch(exist_ok=False)


@contextmanager
def _errors_of(path: Path) -> Generator[None]:
    """Errors name this file: a temporary name means nothing to anybody."""
    try:
        yield
    except ValueError as error:  # a NUL in a name
        raise OSError(errno.EINVAL, str(error), str(path)) from error
    except OSError as error:  # OSError picks the subclass by the number
        raise OSError(error.errno, error.strerror, str(path)) from error


def _is_special(path: Path) -> bool:
    """Whether it is no regular file: a terminal, a pipe, /dev/null."""
    return path.exists() and not path.is_file() and not path.is_dir()


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
    with _temporary(path) as temporary:
        _write_new(temporary, content)
        if mode is not None:
            temporary.chmod(mode)
        temporary.replace(path)


@contextmanager
def _temporary(path: Path) -> Generator[Path]:
    """The name of a new file in the same directory, which is gone in the end."""
    temporary = path.with_name(f".{os.urandom(8).hex()}.tmp")
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _mode_of(path: Path) -> int | None:
    """Permissions of the file that is there, if any; one that may not be written is not replaced either. Raises OSError for a name too long."""
    with suppress(FileNotFoundError):
        path.lstat()
    if path.is_file() and not os.access(path, os.W_OK):
        raise PermissionError(13, os.strerror(13), str(path))
    return stat.S_IMODE(path.stat().st_mode) if path.is_file() else None


def _write_new(path: Path, content: bytes) -> None:
    """Write a file that must not exist yet, down to the disk: a rename may outlive a power cut. The umask applies."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())

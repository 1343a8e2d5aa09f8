"""Standard output belongs to the command: what a user's model writes goes to standard error, whichever way it writes.

So a document stands there alone. What was printed is known, too: an error makes a document only where none has been begun.
"""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from typing import TextIO

__all__ = ["begin", "columns", "join", "keep", "let_go", "mend", "note", "stream", "was_used", "write"]


#: what claims to be narrower is taken for this
NARROWEST = 40


class _State:
    """What is known of standard output during one run."""

    kept: TextIO | None = None
    used: bool = False


def begin() -> None:
    """A run begins: nothing has been printed, and whatever the encoding cannot say is escaped."""
    _State.used = False
    for each in (sys.stdout, sys.stderr):
        if isinstance(each, TextIOWrapper):
            each.reconfigure(errors="backslashreplace")


def keep() -> None:
    """From here on, what somebody else prints or writes to file descriptor 1 goes to standard error."""
    if _State.kept is not None or not _is_descriptor_1(sys.stdout):
        return
    sys.stdout.flush()
    own = os.dup(1)
    os.dup2(2 if _is_open(2) else os.open(os.devnull, os.O_WRONLY), 1)
    _State.kept = os.fdopen(own, "w", encoding=sys.stdout.encoding, errors="backslashreplace")


def join() -> None:
    """From here on, what is written to standard error goes to standard output, in the order in which it is written."""
    if _is_descriptor_1(sys.stdout) and _State.kept is None:
        sys.stdout.flush()
        os.dup2(1, 2)


def mend() -> None:
    """Standard error is open again, if somebody else has closed it."""
    if sys.stderr is not None and sys.stderr.closed:  # pyright: ignore[reportUnnecessaryComparison] (closed: `2>&-`)
        sys.stderr = open(2, "w", errors="backslashreplace", closefd=False) if _is_open(2) else None  # noqa: SIM115


def _is_descriptor_1(file: TextIO | None) -> bool:
    """Whether it is the process's, not one that stands in for it."""
    return file is sys.__stdout__ and file is not None and not file.closed and _is_open(1)


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def stream() -> TextIO | None:
    """Where the command's own output goes; None if that is closed (`>&-`)."""
    return _State.kept or sys.stdout


def columns(of: TextIO | None = None) -> int | None:
    """How wide lines may be: what `COLUMNS` says, else what the terminal says; None where neither does, as in a pipe or a file.

    Of standard output, if nothing else is named.
    """
    said = os.environ.get("COLUMNS", "")
    try:
        found = int(said) if said.isascii() and said.isdigit() else 0
        file = of or stream()
        found = found or (0 if file is None else os.get_terminal_size(file.fileno()).columns)
    except (ValueError, OSError):
        return None
    return max(found, NARROWEST) if found else None


def was_used() -> bool:
    """Whether the command has printed anything."""
    return _State.used


def write(text: str) -> None:
    """Print text of the command's own. Raises OSError."""
    found = stream()
    if found is not None:
        _State.used = _State.used or bool(text)
        found.write(text)
        found.flush()


def note(text: str, whole: bool = False) -> None:
    """Print a text on standard error, with what a terminal would obey escaped; if nobody can read it, that changes nothing.

    `whole`: lines stay as they are, however long.
    """
    from draincheck.report.layout import legible

    found: TextIO | None = sys.stderr
    if found is not None:
        try:
            found.write(legible(text, None if whole else columns(found)))
            found.flush()
        except OSError:
            _silence(found)


def let_go() -> None:
    """Write nothing more: Python would otherwise try again at exit, and complain."""
    found = stream()
    if found is not None:
        _silence(found)


def _silence(file: TextIO) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), file.fileno())

"""Object code that was made before, in the user's cache directory: safe to delete at any time, and no loss where there is none.

What is loaded runs. So it is taken only from a directory that is the user's own and open to nobody else, and only if its digest is right.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from draincheck.atomicfile import write_atomically

__all__ = ["folder", "kept"]

#: files that are kept; of more the oldest go
MOST = 200

DIGEST = sha256().digest_size


def folder() -> Path:
    """Where object code is kept. Raises RuntimeError where nobody knows the user's home."""
    said = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(said) if said.startswith("/") else Path.home() / ".cache"
    return base / "check-invariants" / "native"


def kept(key: bytes, make: Callable[[], bytes]) -> bytes:
    """What was kept under a key, or else what is made now, and kept if that can be."""
    name = f"{sha256(key).hexdigest()}.o"
    with suppress(OSError, RuntimeError):
        found = _read(folder() / name)
        if found is not None:
            return found
    made = make()
    with suppress(OSError, RuntimeError):
        _write(folder() / name, made)
    return made


def _read(file: Path) -> bytes | None:
    """The content of a file, if it is what somebody has written who may."""
    if not _is_private(file.parent):
        return None
    content = file.read_bytes()
    digest, code = content[:DIGEST], content[DIGEST:]
    return code if sha256(code).digest() == digest else None


def _write(file: Path, code: bytes) -> None:
    file.parent.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        file.parent.mkdir(mode=0o700)
    if _is_private(file.parent):
        write_atomically(file, sha256(code).digest() + code)
        for old in sorted(file.parent.glob("*.o"), key=lambda each: each.stat().st_mtime)[:-MOST]:
            old.unlink()


def _is_private(directory: Path) -> bool:
    """Whether it is a directory of this user's that nobody else may enter. Raises OSError if it is not there."""
    found = directory.lstat()
    private = stat.S_ISDIR(found.st_mode) and stat.S_IMODE(found.st_mode) == 0o700
    return private and (not hasattr(os, "geteuid") or found.st_uid == os.geteuid())

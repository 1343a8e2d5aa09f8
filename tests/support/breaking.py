"""Machine code that is wrong on purpose: negative controls of whatever compares it with something."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import pytest

from draincheck.native import system

__all__ = ["Break", "kernel"]

#: breaks something, until the patch is undone
Break: TypeAlias = Callable[[pytest.MonkeyPatch], None]

ROOM = Path(system.__file__).parent


def kernel(old: str, new: str) -> Break:
    """Write something else in the kernels that are compiled from now on; an error where none of them says so."""

    def broken(patch: pytest.MonkeyPatch) -> None:
        assert any(old in file.read_text(encoding="utf-8") for file in ROOM.glob("kernel*.py")), old

        def text(sources: Sequence[str], words: int) -> str:
            return whole([source.replace(old, new) for source in sources], words)

        whole = system._kernel_text
        patch.setattr(system, "_kernel_text", text)

    return broken

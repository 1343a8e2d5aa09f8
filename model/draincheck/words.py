"""Numbers in words, for everything that is read by people."""

from __future__ import annotations

__all__ = ["counted"]


def counted(number: int, word: str) -> str:
    """`1 state`, `2 states`."""
    return f"{number} {word}{'' if number == 1 else 's'}"

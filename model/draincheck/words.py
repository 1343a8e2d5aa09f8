"""Numbers and values in words, for everything that is read by people."""

from __future__ import annotations

__all__ = ["assigned", "counted"]


def counted(number: int, word: str) -> str:
    """`1 state`, `2 states`."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def assigned(name: str, value: bool | int | str) -> str:
    """`eventfd=1`: truth values as 0 and 1."""
    return f"{name}={int(value) if isinstance(value, bool) else value}"

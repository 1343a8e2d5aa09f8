"""Names that somebody has given, and those that may have been meant."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Protocol, TypeVar

from draincheck.errors import UnknownName

__all__ = ["close_names", "named", "nearest"]


class _Named(Protocol):
    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=_Named)


def close_names(name: str, known: Collection[str], cutoff: float = 0.6, most: int = 3) -> list[str]:
    """Those that a name may have been meant to be, the most similar first: by `difflib`, with a similarity of at least `cutoff`."""
    from difflib import get_close_matches  # nearly every name is right

    return get_close_matches(name, known, most, cutoff)


def nearest(kind: str, name: str, known: list[str]) -> UnknownName:
    """The error for an unknown name, with the nearest known ones."""
    close = close_names(name, known, 0.4)
    hint = f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(known) or 'none'}"
    return UnknownName(f"unknown {kind} {name!r}; {hint}")


def named(kind: str, name: str, items: Iterable[N]) -> N:
    """The first item of this name; raises UnknownName with the nearest ones."""
    known: list[str] = []
    for item in items:
        if item.name == name:
            return item
        known.append(item.name)
    raise nearest(kind, name, known)

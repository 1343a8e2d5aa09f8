"""What has been found out about knob vectors: a tree of the knobs that were read, so that nothing is done twice.

Whatever is computed from a knob vector depends on nothing but the knobs it reads, and what it reads next depends on nothing but what it
has read. So the readings of all vectors make a tree, and a vector that ends at a known leaf has a known result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar, cast

from msgspec import Struct

from draincheck.knobs import Knobs, Setting

__all__ = ["Variants"]

T = TypeVar("T")


class _Reading:
    """A knob vector that remembers which knobs were read, in the order of the first reading."""

    def __init__(self, knobs: Knobs, read: dict[str, Setting]) -> None:
        self._knobs, self._read = knobs, read

    def __getattr__(self, name: str) -> Setting:
        # asked for what is not an attribute yet, so each knob is looked up once
        value: Setting = getattr(self._knobs, name)
        self._read[name] = value
        setattr(self, name, value)
        return value


class _Leaf(Struct, Generic[T]):
    found: T


class _Fork(Struct, Generic[T]):
    """A knob that is read next, and what follows for each of its values."""

    knob: str
    branches: dict[Setting, _Fork[T] | _Leaf[T]]


class Variants(Generic[T]):
    """Results by the knobs that mattered for them."""

    def __init__(self) -> None:
        self._root: _Fork[T] | _Leaf[T] | None = None

    def known(self, knobs: Knobs) -> T | None:
        """What is known already about a knob vector."""
        node = self._root
        while isinstance(node, _Fork):
            node = node.branches.get(getattr(knobs, node.knob))
        return None if node is None else node.found

    def find(self, knobs: Knobs, compute: Callable[[Knobs], T]) -> T:
        """The result for a knob vector, computed if it is not known."""
        found = self.known(knobs)
        if found is None:
            found, read = self.recorded(knobs, compute)
            self.learn(read, found)
        return found

    @staticmethod
    def recorded(knobs: Knobs, compute: Callable[[Knobs], T]) -> tuple[T, Mapping[str, Setting]]:
        """Compute a result, and say which knobs were read for it, in that order, with their values."""
        read: dict[str, Setting] = {}
        return compute(cast(Knobs, _Reading(knobs, read))), read

    def learn(self, read: Mapping[str, Setting], found: T) -> None:
        """Take over what somebody else has found out."""
        self._root = _grown(self._root, list(read.items()), _Leaf(found))


def _grown(
    node: _Fork[T] | _Leaf[T] | None, path: Sequence[tuple[str, Setting]], leaf: _Leaf[T]
) -> _Fork[T] | _Leaf[T]:
    """The tree with one more leaf."""
    if not path:
        return leaf
    (knob, value), *rest = path
    if node is None:
        node = _Fork(knob, {})
    assert isinstance(node, _Fork) and node.knob == knob, (
        "the same knobs must be read where the same values have been read"
    )
    node.branches[value] = _grown(node.branches.get(value), rest, leaf)
    return node

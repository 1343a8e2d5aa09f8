"""What has been found out about knob vectors: a tree of the knobs that were read, so that nothing is done twice.

Whatever is computed from a knob vector depends on nothing but the knobs it reads, and what it reads next depends on nothing but what it
has read. So the readings of all vectors make a tree, and a vector that ends at a known leaf has a known result. The same is true of any other
record, and of records within it: a code base in a scenario.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Generic, TypeVar, cast

from msgspec import Struct

from draincheck.knobs import Setting

__all__ = ["Variants"]

V = TypeVar("V", bound=Struct)
T = TypeVar("T")


class _Reading:
    """A vector that remembers which knobs were read, in the order of the first reading; those of a record within it by their path."""

    def __init__(self, vector: Struct, read: dict[str, Setting], path: str = "") -> None:
        self._vector, self._read, self._path = vector, read, path

    def __getattr__(self, name: str) -> Setting | _Reading:
        # asked for what is not an attribute yet, so each knob is looked up once
        value: Setting | Struct = getattr(self._vector, name)
        path = self._path + name
        if isinstance(value, Struct):
            found: Setting | _Reading = _Reading(value, self._read, f"{path}.")
        else:
            found = self._read[path] = value
        setattr(self, name, found)
        return found


class _Leaf(Struct, Generic[T]):
    found: T


class _Fork(Struct, Generic[T]):
    """A knob that is read next, and what follows for each of its values."""

    knob: str
    branches: dict[Setting, _Fork[T] | _Leaf[T]]


class Variants(Generic[V, T]):
    """Results by the knobs that mattered for them; a vector is one of `Knobs`, or has such in it."""

    def __init__(self) -> None:
        self._root: _Fork[T] | _Leaf[T] | None = None

    def known(self, vector: V) -> T | None:
        """What is known already about a vector."""
        node = self._root
        while isinstance(node, _Fork):
            node = node.branches.get(attrgetter(node.knob)(vector))
        return None if node is None else node.found

    def find(self, vector: V, compute: Callable[[V], T]) -> T:
        """The result for a vector, computed if it is not known."""
        found = self.known(vector)
        if found is None:
            found, read = self.recorded(vector, compute)
            self.learn(read, found)
        return found

    @staticmethod
    def recorded(vector: V, compute: Callable[[V], T]) -> tuple[T, Mapping[str, Setting]]:
        """Compute a result, and say which knobs were read for it, in that order, with their values."""
        read: dict[str, Setting] = {}
        return compute(cast(V, _Reading(vector, read))), read

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

"""Walks over terms that are as deep as somebody has written them, and share parts.

A walk that calls itself ends in an error on a deep term, and does not end on one whose parts share parts of their own: these do neither.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from draincheck.expr import Expr

__all__ = ["OfTerms", "bottom_up"]

T = TypeVar("T")


def _arguments(a: Expr) -> tuple[Expr, ...]:
    return a.args


def bottom_up(
    a: Expr, known: Container[Expr] = (), parts: Callable[[Expr], Iterable[Expr]] = _arguments
) -> Iterable[Expr]:
    """The sub-terms of a term, itself included: each once, behind its own.

    What is `known` is left out; `parts` says what a walk goes on to.
    """
    found: dict[Expr, None] = {}
    todo = [a]
    while todo:
        before = [part for part in parts(todo[-1]) if part not in found and part not in known]
        if before:
            todo += before
        else:
            found[todo.pop()] = None
    return found


#: how deep a function of terms calls itself before it goes on from the bottom
DEEPEST = 40


class OfTerms(dict["Expr", T], Generic[T]):
    """A function of terms that follows from what it is of their parts: of each term it is computed once, however deep it stands."""

    _open = 0

    @property
    def is_deep(self) -> bool:
        """Whether what is computed now stands deep in a term."""
        return self._open == DEEPEST

    def of(self, a: Expr) -> T:
        """Compute it, from what this table has of the parts."""
        raise NotImplementedError

    def __missing__(self, a: Expr) -> T:
        depth = self._open
        if depth < DEEPEST:
            self._open = depth + 1
            found = self[a] = self.of(a)
            self._open = depth
            return found
        for part in bottom_up(a, self):
            self[part] = self.of(part)
        return self[a]

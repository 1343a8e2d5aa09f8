"""Blocks: statements that are opened by `with`. One that is called without it would be lost in silence, so it is noticed."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar

from draincheck.errors import ModelError
from draincheck.location import caller_line

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Block", "Opener", "block", "refuse_unopened"]

P = ParamSpec("P")
T = TypeVar("T")


class Opener(Protocol):
    """What has blocks: it remembers those that have been called and not opened yet."""

    unopened: list[Block[Any]]


S = TypeVar("S", bound=Opener)


class Block(AbstractContextManager[T], Generic[T]):
    """A called block. `with` opens it."""

    def __init__(self, owner: Opener, name: str, inner: AbstractContextManager[T]) -> None:
        self.name = name
        self.line = caller_line()
        self._owner, self._inner = owner, inner
        owner.unopened.append(self)

    def __enter__(self) -> T:
        if self not in self._owner.unopened:
            raise ModelError(f"a block is opened once: call {self.name}(...) anew", caller_line())
        self._owner.unopened.remove(self)
        return self._inner.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return self._inner.__exit__(kind, error, trace)


def block(method: Callable[Concatenate[S, P], Generator[T]]) -> Callable[Concatenate[S, P], Block[T]]:
    """Make a method that yields once into a block."""
    make = contextmanager(method)

    @wraps(method)
    def called(self: S, /, *args: P.args, **kwargs: P.kwargs) -> Block[T]:
        return Block(self, method.__name__.lstrip("_"), make(self, *args, **kwargs))

    return called


def refuse_unopened(owner: Opener, process: str) -> None:
    """Raise ModelError for the first block that was called without `with`."""
    if owner.unopened:
        found = owner.unopened[0]
        raise ModelError(f"{found.name}(...) opens a block: write 'with' before it", found.line, process)

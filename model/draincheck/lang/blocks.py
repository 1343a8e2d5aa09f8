"""Blocks: statements that are opened by `with`. What is not opened, not closed, or left by an exception would be lost in silence."""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar

from msgspec import Struct

from draincheck.errors import ModelError, SourceLine
from draincheck.location import caller_line

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Block", "Blocks", "Opener", "block"]

P = ParamSpec("P")
T = TypeVar("T")


class Blocks:
    """The blocks of one process: those called and not opened yet, and those open, innermost last.

    `broken` is the first line at which an exception has left a block: what stands behind it in the block has not been recorded.
    """

    def __init__(self, process: str) -> None:
        self.process = process
        self.unopened: list[Block[Any]] = []
        self.open: list[Block[Any]] = []
        self.broken: SourceLine | None = None
        #: where the block that is being opened was called
        self.opening: SourceLine | None = None

    def refuse_unopened(self) -> None:
        """Raise ModelError for the first block that was called without `with`, and after an exception that was caught."""
        if self.unopened:
            found = self.unopened[0]
            raise ModelError(f"{found.name}(...) opens a block: write 'with' before it", found.line, self.process)
        if self.broken is not None:
            raise ModelError(_LEFT, self.broken, self.process)

    def refuse_open(self) -> None:
        """The same, and for a block that is still open: the process ends."""
        self.refuse_unopened()
        if self.open:
            found = self.open[-1]
            raise ModelError(f"{found.name}(...) is never closed: open it by 'with'", found.line, self.process)


class Opener(Protocol):
    """What has blocks."""

    blocks: Blocks


S = TypeVar("S", bound=Opener)


class Block(Struct, Generic[T], frozen=True, eq=False):
    """A called block. `with` opens it: it runs a generator to its one yield, and on from there when it is closed."""

    among: Blocks
    name: str
    inner: Generator[T]
    line: SourceLine

    def __enter__(self) -> T:
        among = self.among
        if self not in among.unopened:
            raise ModelError(f"a block is opened once: call {self.name}(...) anew", caller_line())
        among.unopened.remove(self)
        among.opening = self.line
        try:
            entered = next(self.inner)
        finally:
            among.opening = None
        among.open.append(self)
        return entered

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        among = self.among
        if error is not None:
            among.broken = among.broken or caller_line()
            among.open.remove(self)
            self.inner.close()
            return
        if among.open[-1] is not self:
            raise ModelError(f"{self.name}(...) is closed before a block inside it", caller_line(), among.process)
        among.open.pop()
        next(self.inner, None)


def block(method: Callable[Concatenate[S, P], Generator[T]]) -> Callable[Concatenate[S, P], Block[T]]:
    """Make a method that yields once into a block."""
    name = method.__name__.lstrip("_")

    @wraps(method)
    def called(self: S, /, *args: P.args, **kwargs: P.kwargs) -> Block[T]:
        among = self.blocks
        made = Block(among, name, method(self, *args, **kwargs), among.opening or caller_line(2))
        among.unopened.append(made)
        return made

    return called


_LEFT = "an exception left a block here, and was caught: the rest of the block is missing; let it through, or test before the block"

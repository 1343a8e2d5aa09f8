"""What a backtrace says, whoever printed it: threads, and the functions that they stand in."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

__all__ = ["GAP", "Backtrace", "StackOf", "Start"]

#: a frame without a name (`?? ()`, or `()` of a build without symbols): any function, or several
GAP = ""


class Start(Enum):
    """What has started a thread, as its outermost frames say."""

    MAIN = "the program"
    THREAD = "another thread"
    UNKNOWN = "not in the text"


class StackOf(Struct, frozen=True):
    """One stack of a backtrace.

    Attributes:
        name: what the backtrace calls the thread or coroutine.
        frames: the functions, outermost first; `GAP` for one without a name.
        line: where it begins in the text, from 1.
        coroutine: a coroutine that does not run; else a thread.
        begins: the outermost frame is there: what lies below it is nothing. Not so where the text was cut, and in a coroutine that runs on a
            thread: who has entered it is on another stack, which no debugger shows.
        ends: the innermost frame is there.
        start: who has started the thread.
    """

    name: str
    frames: tuple[str, ...]
    line: int
    coroutine: bool = False
    begins: bool = True
    ends: bool = True
    start: Start = Start.UNKNOWN


class Backtrace(Struct, frozen=True):
    """All stacks of a text.

    Attributes:
        stacks: in the order of the text.
        unread: lines that look like frames, or belong to a form of backtrace, and could not be read.
    """

    stacks: tuple[StackOf, ...]
    unread: tuple[int, ...] = ()

    @property
    def has_coroutines(self) -> bool:
        """Whether coroutines that do not run have stacks of their own in it."""
        return any(stack.coroutine for stack in self.stacks)

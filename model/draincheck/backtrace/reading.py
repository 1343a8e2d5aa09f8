"""Backtraces as text: gdb's, eu-stack's, pstack's, LLDB's, those of core dumps, and the coroutine stacks of QEMU's own gdb scripts.

What people paste is quoted, wrapped, cut at either end, with or without addresses, arguments, places and inlined frames. A frame begins
where a line begins with `#` and a number; what follows until the next frame or header belongs to it. Only the function's name is taken. A frame
that cannot be read is a gap, and its line is listed; so are lines that are frames in other forms.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct, field

from draincheck.backtrace.frames import alien, frame_of, function_of, header_of
from draincheck.backtrace.lines import clean_lines
from draincheck.backtrace.stacks import GAP, Backtrace, StackOf, Start

__all__ = ["LONGEST", "read_backtrace"]

#: characters of one frame that are looked at: names come first
LONGEST = 2_000
#: lines over which a frame may be wrapped
WRAPPED = 4

#: frames below which there is nothing: of the program's first thread, of the others; those of a coroutine's own stack
PROGRAM = frozenset(
    {"_start", "__libc_start_main", "__libc_start_main_impl", "__libc_start_call_main", "main", "qemu_main"}
)
THREAD = frozenset({"start_thread", "clone", "__clone", "clone3", "__clone3", "qemu_thread_start"})
TRAMPOLINE = frozenset({"coroutine_trampoline", "__start_context", "coroutine_thread", "qemu_coroutine_trampoline"})
#: where a coroutine that does not run has stopped
SWITCHED = frozenset(
    {"qemu_coroutine_switch", "qemu_coroutine_yield", "swapcontext", "__sigsetjmp", "sigsetjmp", "_setjmp"}
)
#: where it has stopped because it has entered another
ENTERED = frozenset({"qemu_aio_coroutine_enter", "qemu_coroutine_enter", "aio_co_enter", "coroutine_swap"})


class _Open(Struct):
    """A stack that is being read, innermost frame first."""

    name: str
    line: int
    coroutine: bool
    frames: list[str] = field(default_factory=list[str])
    first: int | None = None
    last: int = -1


def read_backtrace(text: str) -> Backtrace:
    """All stacks in a text; what is no backtrace has none."""
    reader = _Reader()
    for number, line in enumerate(clean_lines(text), 1):
        reader.line(number, line)
    return reader.finish()


class _Reader:
    """Lines in, stacks out."""

    def __init__(self) -> None:
        self.found: list[StackOf] = []
        self.unread: list[int] = []
        self.open: _Open | None = None
        self.header: tuple[str, int, bool] | None = None
        self.frame: list[str] = []
        self.number, self.at = 0, 0

    def line(self, number: int, line: str) -> None:
        """The next line."""
        if found := frame_of(line):
            self._end_frame()
            self.number, self.at, self.frame = found[0], number, [found[1]]
            self._begin(number)
        elif header := header_of(line):
            self._end_stack()
            self.header = (header[0], number, header[1])
        elif self.frame and len(self.frame) < WRAPPED:
            self.frame.append(line)
        elif self.open is None and alien(line):
            self.unread.append(number)

    def finish(self) -> Backtrace:
        """The text has ended."""
        self._end_stack()
        return Backtrace(tuple(_joined(self.found)), tuple(self.unread))

    def _begin(self, number: int) -> None:
        """A frame whose number does not go on begins a stack."""
        if self.open is not None and self.number <= self.open.last and not self._inlined():
            self._end_stack(self.frame)
        if self.open is None:
            name, line, coroutine = self.header or (f"stack {len(self.found) + 1}", number, False)
            self.open, self.header = _Open(name, line, coroutine), None
        if self.open.first is None:
            self.open.first = self.number
        if self.number > self.open.last + 1 > 0:
            self.open.frames.append(GAP)
        self.open.last = self.number

    def _inlined(self) -> bool:
        """Whether a number stands twice, as eu-stack prints inlined frames."""
        return self.open is not None and self.number == self.open.last and self.number > 0

    def _end_frame(self) -> None:
        if not self.frame:
            return
        name = function_of("\n".join(self.frame)[:LONGEST])
        self.frame = []
        if name is None:
            self.unread.append(self.at)
        if self.open is not None:
            self.open.frames.append(GAP if name is None else name)

    def _end_stack(self, frame: list[str] | None = None) -> None:
        """A stack is over; `frame`: one that has been begun belongs to the next."""
        if frame is not None:
            self.frame = []
        self._end_frame()
        if self.open is not None and self.open.frames:
            self.found.append(_stack(self.open))
        self.open = None
        self.frame = frame or []


def _stack(found: _Open) -> StackOf:
    """The stack, outermost frame first, without what lies below everything."""
    frames, ends = found.frames[::-1], found.first == 0
    below = max((i for i, name in enumerate(frames) if name in TRAMPOLINE), default=None)
    if below is not None:
        parked = found.coroutine or _switched(frames)
        return StackOf(found.name, tuple(frames[below + 1 :]), found.line, parked, parked, ends)
    above = max((i for i, name in enumerate(frames) if name in PROGRAM or name in THREAD), default=None)
    kept, start = frames if above is None else frames[above + 1 :], Start.UNKNOWN
    if above is not None:
        start = Start.MAIN if frames[above] in PROGRAM else Start.THREAD
    return StackOf(found.name, tuple(kept), found.line, found.coroutine, above is not None, ends, start)


def _switched(frames: list[str]) -> bool:
    """Whether a coroutine has given control up: its innermost frame is the switch."""
    return bool(frames) and frames[-1] in SWITCHED


def _joined(stacks: Iterable[StackOf]) -> Iterator[StackOf]:
    """Threads that run a coroutine, with the stacks of those who have entered it, as `qemu bt` prints them below."""
    last: StackOf | None = None
    for stack in stacks:
        if last is not None and not last.begins and not last.coroutine and _has_entered(stack):
            around = tuple(name for name in stack.frames if name not in SWITCHED)
            begins = stack.begins and stack.start is not Start.UNKNOWN
            last = StackOf(last.name, around + last.frames, last.line, False, begins, last.ends, stack.start)
            continue
        if last is not None:
            yield last
        last = stack
    if last is not None:
        yield last


def _has_entered(stack: StackOf) -> bool:
    """Whether it is the stack of somebody who has entered a coroutine, and waits for it to come back."""
    inner = [name for name in stack.frames if name not in SWITCHED][-1:]
    return stack.coroutine and bool(inner) and inner[0] in ENTERED

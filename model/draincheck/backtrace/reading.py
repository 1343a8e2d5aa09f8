"""Backtraces as text: gdb's (`thread apply all bt`, `bt full`), eu-stack's, pstack's, and the coroutine stacks of QEMU's own gdb scripts.

What people paste is quoted, wrapped, cut at either end, with or without addresses, arguments, places and inlined frames. A frame begins
where a line begins with `#` and a number; what follows until the next frame or header belongs to it. Only the function's name is taken.
"""

from __future__ import annotations

import re

from msgspec import Struct, field

from draincheck.backtrace.stacks import GAP, Backtrace, StackOf

__all__ = ["LONGEST", "read_backtrace"]

#: characters of one frame that are looked at: names come first
LONGEST = 2_000
#: frames of one stack that are kept: those of a recursion without end are more
DEEPEST = 4_000
#: lines that could not be read and are named
NAMED = 5

_QUOTES = re.compile(r"^(?:[ \t]*[>|])*[ \t]?")
_FRAME = re.compile(r"^[ \t]*#(\d{1,9})(?![\w#])")
#: an address, and `in`, or eu-stack's ` - 1` behind it
_ADDRESS = re.compile(r"0[xX][0-9a-fA-F]{1,18}(?:[ \t]+-[ \t]*1\b)?(?=[ \t\n]|$)")
_NAME = re.compile(
    r"(?:in[ \t\n]+)?(\?\?|<[^>\n]{0,80}>|[A-Za-z_.$~][\w.$@:~]*(?:<[^()\n]{0,200}>)?(?:::[\w~]+)?)?[ \t\n]*(\(|$|\n|from\b|at\b|\[|-|\+)"
)
#: headers of stacks; the last two of QEMU's scripts and of reports that name them by hand
_HEADERS = (
    re.compile(r"^[ \t]*(?P<name>Thread\b[^\n:]{0,200}):?[ \t]*$"),
    re.compile(r"^[ \t]*(?P<name>TID[ \t]+\d+)[^\n]{0,200}:[ \t]*$"),
    re.compile(r"^[ \t]*(?P<name>PID[ \t]+\d+)[^\n]{0,200}$"),
    re.compile(r"^[ \t]*(?P<name>\[?Switching to thread [^\n]{1,200})$"),
)
_COROUTINE = re.compile(r"^[ \t]*(?P<name>[Cc]oroutine\b[^\n]{0,200}?):?[ \t]*$")
#: what compilers and linkers put behind a name
_SUFFIX = re.compile(r"(?:@.*|\.(?:constprop|isra|part|cold|lto_priv|llvm|localalias|plt)\b.*)$")

#: frames below which there is nothing; those of a coroutine's own stack
BOTTOM = frozenset(
    {
        "_start",
        "__libc_start_main",
        "__libc_start_call_main",
        "main",
        "start_thread",
        "clone",
        "__clone",
        "clone3",
        "__clone3",
        "qemu_main",
    }
)
TRAMPOLINE = frozenset({"coroutine_trampoline", "__start_context", "coroutine_thread", "qemu_coroutine_trampoline"})
#: where a coroutine that does not run has stopped
SWITCHED = frozenset(
    {"qemu_coroutine_switch", "qemu_coroutine_yield", "swapcontext", "__sigsetjmp", "sigsetjmp", "_setjmp"}
)


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
    for number, line in enumerate(text.splitlines(), 1):
        reader.line(number, _QUOTES.sub("", line, count=1))
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
        if match := _FRAME.match(line):
            self._end_frame()
            self.number, self.at, self.frame = int(match[1]), number, [line[match.end() :]]
            self._begin(number)
        elif header := _header(line):
            self._end_stack()
            self.header = (header[0], number, header[1])
        elif self.frame and len(self.frame) < 4:
            self.frame.append(line)

    def finish(self) -> Backtrace:
        """The text has ended."""
        self._end_stack()
        return Backtrace(tuple(self.found), tuple(self.unread[:NAMED]))

    def _begin(self, number: int) -> None:
        """A frame whose number does not go on begins a stack."""
        if self.open is not None and self.number <= self.open.last and not self._inlined():
            self._end_stack(self.frame)
        if self.open is None:
            name, line, coroutine = self.header or (f"stack {len(self.found) + 1}", number, False)
            self.open, self.header = _Open(name, line, coroutine), None
        if self.open.first is None:
            self.open.first = self.number
        self.open.last = self.number

    def _inlined(self) -> bool:
        """Whether a number stands twice, as eu-stack prints inlined frames."""
        return self.open is not None and self.number == self.open.last and self.number > 0

    def _end_frame(self) -> None:
        if not self.frame:
            return
        name = _function("\n".join(self.frame)[:LONGEST])
        self.frame = []
        if name is None:
            self.unread.append(self.at)
        elif self.open is not None and len(self.open.frames) < DEEPEST:
            self.open.frames.append(name)

    def _end_stack(self, frame: list[str] | None = None) -> None:
        """A stack is over; `frame`: one that has been begun belongs to the next."""
        if frame is not None:
            self.frame = []
        self._end_frame()
        if self.open is not None and self.open.frames:
            self.found.append(_stack(self.open))
        self.open = None
        self.frame = frame or []


def _header(line: str) -> tuple[str, bool] | None:
    """The name of the stack that begins below, and whether it is a coroutine's."""
    for pattern in _HEADERS:
        if match := pattern.match(line):
            return match["name"].strip(), False
    match = _COROUTINE.match(line)
    return (match["name"].strip(), True) if match else None


def _function(text: str) -> str | None:
    """The function that a frame names, `GAP` if it names none; None if it cannot be read."""
    rest = text.lstrip(" \t\n")
    if address := _ADDRESS.match(rest):
        rest = rest[address.end() :].lstrip(" \t\n")
    match = _NAME.match(rest)
    if match is None:
        return GAP if address else None
    name = match[1] or ""
    if name in ("", "??") or name.startswith("<"):
        return GAP if address or match[2] == "(" or name else None
    return _SUFFIX.sub("", name.rpartition("::")[2] or name)


def _stack(found: _Open) -> StackOf:
    """The stack, outermost frame first, without what lies below everything."""
    frames = found.frames[::-1]
    ends = found.first == 0
    below = next((i for i, name in enumerate(frames) if name in TRAMPOLINE), None)
    if below is not None:
        return StackOf(
            found.name,
            tuple(frames[below + 1 :]),
            found.line,
            found.coroutine or _switched(frames),
            found.coroutine or _switched(frames),
            ends,
        )
    above = [i for i, name in enumerate(frames) if name in BOTTOM]
    kept = frames[above[-1] + 1 :] if above else frames
    return StackOf(found.name, tuple(kept), found.line, found.coroutine, bool(above), ends)


def _switched(frames: list[str]) -> bool:
    """Whether a coroutine has given control up: its innermost frame is the switch."""
    return bool(frames) and frames[-1] in SWITCHED

"""One line of a backtrace, whoever has printed it: the frame or the header that it is, and the function that a frame names.

Frames: gdb (`#0  0x55 in f (x=1) at f.c:2`, or without the address), eu-stack (`#0  0x55 - 1 f - libc.so.6`), systemd-coredump
(`#0  0x55 f (libc.so.6 + 0x2)`, `n/a`), ABRT (`#0 f at f.c:2`, `#0 [libc.so.6] f`), sanitizers (`#0 0x55 in f ../f.c:2`), LLDB
(``frame #0: 0x55 libc.so.6`f + 2 at f.c:2``).
"""

from __future__ import annotations

import re

from draincheck.backtrace.stacks import GAP

__all__ = ["alien", "frame_of", "function_of", "header_of"]

_FRAME = re.compile(r"^[ \t]*(?:\*[ \t]*)?(?:(?P<lldb>frame[ \t]+)#(?P<n>\d{1,9}):|#(?P<number>\d{1,9})(?![\w#]))")
#: an address, and `in`, or eu-stack's ` - 1` behind it
_ADDRESS = re.compile(r"0[xX][0-9a-fA-F]{1,18}(?:[ \t]+-[ \t]*1\b)?(?=[ \t\n:]|$):?")
#: what stands before a name: a library in brackets, LLDB's module and what it was inlined into
_BEFORE = re.compile(r"(?:\[[^\]\n]{1,200}\][ \t]+|[^`\n]{1,300}`(?:[^`\n]{1,300}\[inlined\][ \t]+)?)")
_NAME = re.compile(
    r"(?:in[ \t\n]+)?(\?\?|n/a\b|<[^>\n]{0,80}>|[A-Za-z_.$~][\w.$@:~]*(?:<[^()\n]{0,200}>)?(?:::[\w~]+)?)?[ \t\n]*(\(|$|\n|from\b|at\b|\[|-|\+|/|\.\.?/)"
)
#: headers of stacks: gdb, eu-stack, systemd-coredump, LLDB; the last one of reports that name threads by hand
_HEADERS = (
    re.compile(r"^[ \t]*(?P<name>Thread[ \t]+(?:no\.[ \t]*)?(?:\d|0x)[^\n]{0,200}?):?[ \t]*$"),
    re.compile(r"^[ \t]*(?P<name>Thread\b[^\n:]{0,200}):?[ \t]*$"),
    re.compile(r"^[ \t]*(?P<name>TID[ \t]+\d+)[^\n]{0,200}:[ \t]*$"),
    re.compile(r"^[ \t]*(?P<name>PID[ \t]+\d+)[^\n]{0,200}$"),
    re.compile(r"^[ \t]*(?:\*[ \t]*)?(?P<name>thread[ \t]+#\d+)\b[^\n]{0,400}$"),
    re.compile(r"^[^\n]{0,200}?\bStack trace of (?P<name>(?:thread|process)[ \t]+\d+):?[ \t]*$"),
    re.compile(r"^[ \t]*(?P<name>\[?Switching to thread [^\n]{1,200})$"),
)
_COROUTINE = re.compile(r"^[ \t]*(?P<name>[Cc]oroutine\b[^\n]{0,200}?):?[ \t]*$")
#: what compilers and linkers put behind a name
_SUFFIX = re.compile(r"(?:@.*|\.(?:constprop|isra|part|cold|lto_priv|llvm|localalias|plt)\b.*)$")
#: names that debuggers make up
_MADE_UP = ("___lldb_unnamed_symbol", "FUN_", "sub_")
#: lines of backtraces in forms that are not read: valgrind's, `backtrace_symbols`, pstack's of old
_ALIEN = re.compile(
    r"""[ \t]*(?:==\d+==[ \t]+(?:at|by)[ \t]+0x[0-9A-Fa-f]+:
    |0x[0-9a-fA-F]{6,18}:?[ \t]+(?!in\b)[A-Za-z_?]
    |[^ \t\n]{1,300}\([^()\n]{0,200}\+0x[0-9a-f]{1,18}\)[ \t]?\[0x)""",
    re.VERBOSE,
)


def frame_of(line: str) -> tuple[int, str] | None:
    """The number of the frame that a line begins, and what else the line says; None if it begins none."""
    match = _FRAME.match(line)
    return None if match is None else (int(match["n"] or match["number"]), line[match.end() :])


def header_of(line: str) -> tuple[str, bool] | None:
    """The name of the stack that begins below, and whether it is a coroutine's."""
    for pattern in _HEADERS:
        if match := pattern.match(line):
            return match["name"].strip(), False
    match = _COROUTINE.match(line)
    return (match["name"].strip(), True) if match else None


def alien(line: str) -> bool:
    """Whether a line is a frame in a form that is not read."""
    return _ALIEN.match(line) is not None


def function_of(text: str) -> str | None:
    """The function that a frame names, `GAP` if it names none; None if it cannot be read."""
    rest = text.lstrip(" \t\n")
    address = _ADDRESS.match(rest)
    if address:
        rest = rest[address.end() :].lstrip(" \t\n")
    if before := _BEFORE.match(rest):
        rest = rest[before.end() :]
    match = _NAME.match(rest)
    if match is None:
        return GAP if address else None
    name = match[1] or ""
    if name in ("", "??", "n/a") or name.startswith(("<", *_MADE_UP)):
        return GAP if address or before or match[2] == "(" or name else None
    return _SUFFIX.sub("", name.rpartition("::")[2] or name)

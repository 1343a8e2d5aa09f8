"""What stands around the lines of a backtrace where people have sent it: quotes of mails, prompts, colours, the prefixes of logs."""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["clean_lines", "is_binary"]

#: of so many characters one at most is a control character, in whatever people send as text
SELDOM = 50
#: how programs, core dumps among them, begin
_ELF = b"\x7fELF"
#: what stands in no line of a text; but zeros do, in UTF-16 and in logs that were cut
_CONTROL = bytes({*range(1, 32), 127} - {*b"\a\b\t\n\v\f\r\x1b"})

#: colours, and links, that a terminal understands
_ESCAPES = re.compile(
    r"\x1b(?:\[[0-9;:?]{0,40}[@-~]|\][^\x07\x1b]{0,400}(?:\x07|\x1b\\)?|[@-Z\\^_])|[\x00-\x08\x0e-\x1f\x7f]"
)
_QUOTES = re.compile(r"^(?:[ \t]*(?:[>|]|&gt;))+[ \t]?")
#: the prompts of debuggers, and of gdb where a page is full
_PROMPT = re.compile(r"^[ \t]*(?:\((?:gdb|lldb)\)[ \t]*|-{2,3}Type <[^>\n]{1,20}>[^\n]{0,80}?-{2,3}[ \t]*)+")
#: what syslog and the journal put before a line, and lists
_PREFIX = re.compile(
    r"""(?:(?:[A-Z][a-z]{2}[ ]{1,2}\d{1,2}|\d{4}-\d\d-\d\d)[T ][\d:.,+Z-]{5,30}[ ][^ \n]{1,80}(?:[ ][^ \n]{1,80})?:[ \t]
    |\[[ \d.:-]{3,30}\][ \t]
    |[ \t]*[-*+•][ \t]+(?=\#\d))""",
    re.VERBOSE,
)


def is_binary(data: bytes) -> bool:
    """Whether bytes are no text: a program, an image, what is packed in another way."""
    said = data.replace(b"\0", b"")
    return data.startswith(_ELF) or (len(said) - len(said.translate(None, _CONTROL))) * SELDOM > len(said)


def clean_lines(text: str) -> Iterator[str]:
    """The lines of a text, without all that."""
    for line in text.split("\n"):
        bare = _ESCAPES.sub("", line.rstrip("\r")) if "\x1b" in line or not line.isprintable() else line
        yield _PREFIX.sub("", _PROMPT.sub("", _QUOTES.sub("", bare, count=1), count=1), count=1)

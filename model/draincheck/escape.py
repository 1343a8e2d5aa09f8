"""Names are free: what a model or a file says is shown so that a terminal obeys none of it, and written so that every format holds it."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["escaped", "harmless", "printable", "unescaped"]

#: control characters but tabs and line ends, what turns the direction of text, other line ends, and halves of characters
HARMFUL: Final = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"


def harmless(text: str) -> str:
    """The text, with a backslash, u, and its number for each character that a terminal would obey or could not show."""
    if all(
        map(str.isprintable, re.split("[\t\n]", text))
    ):  # as nearly all are: the other pattern takes long to compile
        return text
    return re.sub(HARMFUL, lambda found: f"\\u{ord(found.group()):04x}", text)


#: what XML 1.0 cannot hold or would change, and what Graphviz stumbles over
UNPRINTABLE: Final = "[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]|\\\\(?=u[0-9a-f]{4})"


def escaped(text: str) -> str:
    """Text fit for XML: other characters, and backslashes that could be read so, are a backslash, u, and their number; see `unescaped`."""
    return re.sub(UNPRINTABLE, lambda found: f"\\u{ord(found.group()):04x}", text)


def unescaped(text: str) -> str:
    """The name that stands in a file as `escaped` wrote it."""
    return re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found.group(1), 16)), text)


def printable(text: str) -> str:
    """The text in one line of printable ASCII, other characters as Python writes them."""
    return re.sub(r"[^ -~]", lambda sign: ascii(sign.group())[1:-1], " ".join(text.split()))

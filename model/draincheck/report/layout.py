"""What reports of lines are laid out by: text that is wrapped, items in a series, colours."""

from __future__ import annotations

import re
from collections.abc import Iterable
from textwrap import wrap

from draincheck.escape import harmless

__all__ = ["fitted", "legible", "listed", "styled", "unbound", "wrapped"]

#: a command to copy: between backticks, or to the end of its line
_COMMAND = r"`[^`]*`|\b(?:check-invariants|pip) .*"


def wrapped(text: str, width: int, first: str = "", others: str = "") -> list[str]:
    """Text as lines of some width, with what stands before the first and before the others; words stay whole."""
    return wrap(
        text, width, initial_indent=first, subsequent_indent=others, break_long_words=False, break_on_hyphens=False
    )


def fitted(text: str, width: int | None) -> str:
    """Text for people whose lines fit: what is too long goes on below, two columns further in; a command to copy stays whole.

    Without a width lines are as long as they are.
    """
    if width is None or all(len(line) <= width for line in text.split("\n")):
        return text
    return "\n".join(part for line in text.split("\n") for part in _fitted(line, width))


def legible(text: str, width: int | None) -> str:
    """Text for people, whose lines fit, and in which nothing moves a terminal's cursor."""
    return fitted(harmless(text), width)


def _fitted(line: str, width: int) -> list[str]:
    if len(line) <= width:
        return [line]
    indent = line[: len(line) - len(line.lstrip())]
    kept = re.sub(_COMMAND, lambda found: found[0].replace(" ", "\xa0"), line.lstrip())
    return [part.replace("\xa0", " ") for part in wrapped(kept, width, indent, indent + "  ")]


def listed(head: str, items: Iterable[str], width: int, first: str = "", others: str = "") -> list[str]:
    """Items after a word, wrapped between them only; nothing at all if there are none."""
    kept = [item.replace(" ", "\xa0") for item in items]
    return unbound(wrapped(head + ", ".join(kept), width, first, others), width, others + "  ") if kept else []


def unbound(lines: Iterable[str], width: int, others: str) -> list[str]:
    """Lines whose items are bound together, with blanks again; an item that no line has room for goes on below."""
    return [part for line in lines for part in _unbound(line, width, others)]


def _unbound(line: str, width: int, others: str) -> list[str]:
    text = line.replace("\xa0", " ")
    return [text] if len(text) <= width or text == line else wrapped(text, width, others=others)


def styled(text: str, style: str) -> str:
    """Text in rich's markup; "" is no style."""
    from rich.markup import escape

    return f"[{style}]{escape(text)}[/]" if style and text else escape(text)

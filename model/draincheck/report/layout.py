"""What reports of lines are laid out by: text that is wrapped, items in a series, colours."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import wrap

__all__ = ["listed", "styled", "wrapped"]


def wrapped(text: str, width: int, first: str = "", others: str = "") -> list[str]:
    """Text as lines of some width, with what stands before the first and before the others; words stay whole."""
    return wrap(
        text, width, initial_indent=first, subsequent_indent=others, break_long_words=False, break_on_hyphens=False
    )


def listed(head: str, items: Iterable[str], width: int, first: str = "", others: str = "") -> list[str]:
    """Items after a word, wrapped between them only; nothing at all if there are none."""
    kept = [item.replace(" ", "\xa0") for item in items]
    lines = wrapped(head + ", ".join(kept), width, first, others) if kept else []
    return [line.replace("\xa0", " ") for line in lines]


def styled(text: str, style: str) -> str:
    """Text in rich's markup; "" is no style."""
    from rich.markup import escape

    return f"[{style}]{escape(text)}[/]" if style and text else escape(text)

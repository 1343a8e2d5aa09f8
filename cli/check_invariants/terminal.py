"""What rich does on a terminal; loaded when there is one to write to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.status import Status
from rich.text import Text

from check_invariants import standard

if TYPE_CHECKING:
    from check_invariants.table import Styled

__all__ = ["counting", "marked", "painted"]


def _console() -> Console:
    return Console(file=standard.stream())


def painted(lines: Iterable[Sequence[Styled]]) -> str:
    """Lines of parts with their colours."""
    console = _console()
    with console.capture() as text:
        for line in lines:
            shown = Text.assemble(*((part.text, part.style) for part in line))
            shown.rstrip()
            console.print(shown, highlight=False, soft_wrap=True)
    return text.get()


def marked(markup: str) -> str:
    """Text with rich's markup."""
    console = _console()
    with console.capture() as text:
        console.print(markup, end="", highlight=False, soft_wrap=True)
    return text.get()


def counting(words: str) -> Status:
    """A line of progress on standard error, to be updated and stopped."""
    status = Console(stderr=True).status(words)
    status.start()
    return status

"""What rich does on a terminal; loaded when there is one to write to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.status import Status
from rich.table import Table as Drawn
from rich.text import Text

from check_invariants import standard

if TYPE_CHECKING:
    from check_invariants.table import Table

__all__ = ["counting", "drawn", "marked", "width"]


def _console() -> Console:
    return Console(file=standard.stream())


def width() -> int:
    """How many columns there are."""
    return _console().width


def drawn(table: Table) -> str:
    """A table that fits, with its colours."""
    found = Drawn(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in table.columns:
        found.add_column(column.header, justify="right" if column.right else "left", no_wrap=True)
    for row in table.rows:
        found.add_row(*(Text(cell) if isinstance(cell, str) else Text(*cell) for cell in row))
    console = _console()
    with console.capture() as text:
        console.print(found)
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

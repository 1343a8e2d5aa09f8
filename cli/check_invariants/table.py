"""Tables as plain lines, and as they fit a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias, TypeVar

__all__ = ["Cell", "Column", "Styled", "Table"]

T = TypeVar("T")


class Styled(NamedTuple):
    """A table's cell with a style of rich, for terminals."""

    text: str
    style: str = ""


Cell: TypeAlias = str | Styled


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        header: its name.
        right: numbers stand to the right.
        give_way: on a narrow terminal the columns with the highest numbers are left out; 0: never.
        least: on such a terminal the column may be cut down to this width; 0: it may not.
    """

    header: str
    right: bool = False
    give_way: int = 0
    least: int = 0


class Table(NamedTuple):
    """Columns and the cells below them."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]

    @classmethod
    def of(cls, items: Iterable[T], columns: Mapping[Column, Callable[[T], Cell]]) -> Table:
        """A line an item: each column with what stands in it."""
        return cls(list(columns), [[cell(item) for cell in columns.values()] for item in items])

    def without_empty(self, header: str) -> Table:
        """The table without the column of this name, if nothing stands in it."""
        filled = (any(_text(row[i]) for row in self.rows) for i in range(len(self.columns)))
        return self._with([i for i, full in enumerate(filled) if full or self.columns[i].header != header])

    def _with(self, kept: Sequence[int]) -> Table:
        """These columns alone."""
        return Table([self.columns[i] for i in kept], [[row[i] for i in kept] for row in self.rows])

    def each(self, change: Callable[[str], str]) -> Table:
        """The table with other texts in its cells."""
        return Table(self.columns, [[_changed(cell, change) for cell in row] for row in self.rows])

    def text(self) -> str:
        """The table as plain lines."""
        cells = [[column.header for column in self.columns], *([_text(cell) for cell in row] for row in self.rows)]
        widths = self.widths
        return "".join(f"{'  '.join(map(_padded, row, widths, self.columns)).rstrip()}\n" for row in cells)

    @property
    def widths(self) -> list[int]:
        """The columns' widths, headers included."""
        return [
            max([len(column.header), *(len(_text(row[index])) for row in self.rows)])
            for index, column in enumerate(self.columns)
        ]

    @property
    def width(self) -> int:
        """The whole table's."""
        return _total(self.widths, range(len(self.columns)))

    def fitted(self, width: int) -> Table:
        """The table as it fits a terminal: columns that give way are left out, the others cut as far as they may be."""
        full = self.widths
        widths = [
            min(w, max(c.least, len(c.header)) if c.least else w) for w, c in zip(full, self.columns, strict=True)
        ]
        kept: list[int] = []
        for i in sorted(range(len(widths)), key=lambda i: self.columns[i].give_way):
            if not self.columns[i].give_way or _total(widths, [*kept, i]) <= width:
                kept.append(i)
        kept.sort()
        for i in kept:
            widths[i] = min(full[i], widths[i] + max(width - _total(widths, kept), 0))
        return Table([self.columns[i] for i in kept], [[_cut(row[i], widths[i]) for i in kept] for row in self.rows])


def _total(widths: Sequence[int], kept: Sequence[int]) -> int:
    return sum(widths[i] + 2 for i in kept) - 2


def _cut(cell: Cell, width: int) -> Cell:
    text = _text(cell)
    if len(text) <= width:
        return cell
    text = text[: width - 3] + "..."
    return text if isinstance(cell, str) else cell._replace(text=text)


def _changed(cell: Cell, change: Callable[[str], str]) -> Cell:
    return change(cell) if isinstance(cell, str) else Styled(change(cell.text), cell.style)


def _text(cell: Cell) -> str:
    return cell if isinstance(cell, str) else cell.text


def _padded(text: str, width: int, column: Column) -> str:
    return text.rjust(width) if column.right else text.ljust(width)

"""Tables as lines: as wide as they are, or as wide as there is room, with everything that stands in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import TypeAlias, TypeVar

from msgspec import Struct

from draincheck.report.layout import wrapped

__all__ = ["Cell", "Column", "Styled", "Table"]

T = TypeVar("T")

#: what stands before the further lines of a cell, and before what stands below its row
HANGING, BELOW = "  ", " " * 4
#: columns that say nothing else are not made narrower than this
LEAST = 12
#: such columns are given the width that they need before longer ones, which go on below anyway
SHORT = 24


class Styled(Struct, frozen=True):
    """A table's cell with a style of rich, for terminals."""

    text: str
    style: str = ""


Cell: TypeAlias = str | Styled


class Column(Struct, frozen=True):
    """A column of a table.

    Attributes:
        header: its name.
        right: numbers stand to the right.
        give_way: where there is no room for all, the columns with the highest numbers go below their rows first; grids are broken later.
        least: it goes there sooner than it is made narrower than this; 0: than a word or two.
        grid: each cell is made of signs, one below each word of the header, and breaks where that does.
    """

    header: str
    right: bool = False
    give_way: int = 0
    least: int = 0
    grid: bool = False


class Table(Struct, frozen=True):
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

    def text(self, width: int | None = None) -> str:
        """The table as plain lines, none wider than `width` if its words are not."""
        lines = ("".join(part.text for part in line).rstrip() for line in self.lines(width))
        return "".join(f"{line}\n" for line in lines)

    def lines(self, width: int | None = None) -> Iterator[list[Styled]]:
        """Its lines, each made of parts; cells that are too wide go on below, columns for which there is no room stand below their rows."""
        widths = self._fitted(width)
        beside = list(widths)
        heads = [Styled(column.header, "bold") for column in self.columns]
        before: tuple[str, str] | None = None
        for number, row in enumerate([heads, *self.rows]):
            yield from _side_by_side([_Lines.of(row[i], self.columns[i], widths[i]) for i in beside])
            if number and width is not None and len(beside) < len(self.columns):
                below = _text(row[0]), self._below(row, beside)
                if below != before:  # several rows about one thing: once is enough
                    yield from ([Styled(line)] for line in wrapped(below[1], width, BELOW, BELOW + HANGING))
                before = below

    def _below(self, row: Sequence[Cell], beside: Sequence[int]) -> str:
        """What there is no room for beside the rest."""
        others = [(self.columns[i], _text(row[i])) for i in range(len(self.columns)) if i not in beside]
        return "; ".join(_told(column, text) for column, text in others if text)

    @property
    def widths(self) -> list[int]:
        """The columns' widths, headers included."""
        return [max(map(len, self._texts(index))) for index in range(len(self.columns))]

    def _texts(self, index: int) -> list[str]:
        return [self.columns[index].header, *(_text(row[index]) for row in self.rows)]

    def _fitted(self, width: int | None) -> dict[int, int]:
        """The columns that stand beside one another, with their widths."""
        full = dict(enumerate(self.widths))
        if width is None or _total(full) <= width:
            return full
        whole = {i: full[i] if self.columns[i].grid else min(full[i], self._least(i)) for i in full}
        found = self._beside(whole, width, self._after_grids)
        if _total(found) > width:
            found = self._beside({i: min(full[i], self._least(i)) for i in found}, width, list(full))
        for _ in range(width - _total(found)):
            growing = [i for i in found if found[i] < full[i]]
            if growing:
                found[min(growing, key=lambda i: (full[i] > SHORT, found[i] / full[i]))] += 1
        return found

    @property
    def _after_grids(self) -> list[int]:
        """The columns that give way before a grid is broken."""
        grids = max((column.give_way for column in self.columns if column.grid), default=0)
        return [i for i, column in enumerate(self.columns) if column.give_way > grids]

    def _beside(self, least: Mapping[int, int], width: int, yielding: Sequence[int]) -> dict[int, int]:
        """The columns for which there is room if each is as narrow as it may be; what is left out is one of those that yield."""
        found = dict(least)
        while _total(found) > width and (rest := [i for i in list(found)[1:] if i in yielding]):
            del found[max(rest, key=lambda i: (self.columns[i].give_way, i))]
        return found

    def _least(self, index: int) -> int:
        """How narrow a column may be: no word is broken, and the further lines of a cell stand further in."""
        column = self.columns[index]
        longest = max((len(word) for text in self._texts(index) for word in text.split()), default=0)
        return max(longest + len(HANGING) * (not column.grid), column.least or LEAST)


class _Lines(Struct, frozen=True):
    """A cell as lines that are as wide as its column."""

    lines: Sequence[str]
    style: str
    column: Column
    width: int

    @classmethod
    def of(cls, cell: Cell, column: Column, width: int) -> _Lines:
        text, style = _text(cell), "" if isinstance(cell, str) else cell.style
        return cls(_broken(text, column, width), style, column, width)


def _side_by_side(cells: Sequence[_Lines]) -> Iterator[list[Styled]]:
    """The lines of a row."""
    for texts in zip_longest(*(cell.lines for cell in cells), fillvalue=""):
        line: list[Styled] = []
        for text, cell in zip(texts, cells, strict=True):
            padding = " " * (cell.width - len(text))
            before, after = (padding, "") if cell.column.right else ("", padding)
            line += [Styled(before), Styled(text, cell.style), Styled(f"{after}  ")]
        yield line


def _broken(text: str, column: Column, width: int) -> list[str]:
    """A cell's lines; words stay whole."""
    if len(text) <= width:
        return [text]
    if not column.grid or len(text.split()) != len(column.header.split()):
        return wrapped(text, width, others=HANGING)
    lines = [""]
    for name, sign in zip(column.header.split(), text.split(), strict=True):
        place = max(2, len(name))
        if lines[-1] and len(lines[-1]) + 1 + place > width:
            lines.append("")
        lines[-1] += f"{' ' * bool(lines[-1])}{sign:{place}}"
    return lines


def _told(column: Column, text: str) -> str:
    """A cell with the name of its column."""
    if column.grid:
        return " ".join(map("=".join, zip(column.header.split(), text.split(), strict=False)))
    return f"{column.header}: {text}"


def _total(widths: Mapping[int, int]) -> int:
    return sum(widths.values()) + 2 * (len(widths) - 1)


def _changed(cell: Cell, change: Callable[[str], str]) -> Cell:
    return change(cell) if isinstance(cell, str) else Styled(change(cell.text), cell.style)


def _text(cell: Cell) -> str:
    return cell if isinstance(cell, str) else cell.text

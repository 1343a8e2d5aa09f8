"""How results reach people and files: tables, JSON, progress. Plain and stable text, unless a terminal is watching."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click
from msgspec import Struct

from check_invariants.exit import NotWritable

if TYPE_CHECKING:
    from rich.console import Console

    from draincheck.run import Run

__all__ = [
    "VERDICTS",
    "Column",
    "Counter",
    "Styled",
    "Table",
    "counted",
    "document",
    "emit",
    "emit_json",
    "emit_markup",
    "emit_table",
    "emit_trace",
    "make_directory",
    "sign",
    "tallied",
    "until_interrupted",
    "write_to",
]

T = TypeVar("T")

#: goes up whenever a reader of the documents before could misunderstand one
VERSION = 1

#: the file name that means standard output
STDOUT = "-"


class Styled(NamedTuple):
    """A table's cell with a style of rich, for terminals."""

    text: str
    style: str = ""


class Column(Struct, frozen=True):
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


class Table(Struct, frozen=True):
    """Columns and the cells below them."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[str | Styled]]

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


def _cut(cell: str | Styled, width: int) -> str | Styled:
    text = _text(cell)
    if len(text) <= width:
        return cell
    text = text[: width - 3] + "..."
    return text if isinstance(cell, str) else cell._replace(text=text)


def _text(cell: str | Styled) -> str:
    return cell if isinstance(cell, str) else cell.text


def _padded(text: str, width: int, column: Column) -> str:
    return text.rjust(width) if column.right else text.ljust(width)


def counted(number: int, word: str) -> str:
    """`1 state`, `2 states`."""
    return f"{number} {word}{'' if number == 1 else 's'}"


#: verdicts, with the sign of each in a table, and what is said of several
VERDICTS = {"holds": (".", "hold"), "violated": ("x", "violated"), "unknown": ("?", "unknown")}


def sign(verdict: str, as_expected: bool, limited: bool = False) -> str:
    """A verdict in a table where a column is a property; `limited`: it is one only as far as modelled."""
    return VERDICTS[verdict][0] + ("" if as_expected else "!") + ("~" if limited else "")


def tallied(verdicts: Mapping[str, int], unexpected: int) -> str:
    """How many verdicts of each kind, and how many of them are not as expected."""
    said = ", ".join(f"{verdicts[word]} {words}" for word, (_, words) in VERDICTS.items() if verdicts[word])
    wrong = f"{unexpected} not as expected" if unexpected else "all as expected"
    return f"{counted(sum(verdicts.values()), 'verdict')} ({said}), {wrong}"


# -- standard output --------------------------------------------------------------------------------


def emit(text: str) -> None:
    """Print text. If nobody reads on (`| head`), stay quiet from here: the exit code still says how it went."""
    if sys.stdout is None:  # pyright: ignore[reportUnnecessaryComparison] (closed: `>&-`)
        return
    with _output():
        click.echo(text, nl=False)
        sys.stdout.flush()


@contextmanager
def _output() -> Generator[None]:
    """Writing to standard output: a closed pipe is no error, a full disk is NotWritable."""
    try:
        yield
    except OSError as error:
        # Python would otherwise try again at exit, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise NotWritable(f"standard output cannot be written: {error.strerror}") from error


def emit_json(kind: str, content: dict[str, Any]) -> None:
    """Print one JSON document."""
    import json

    emit(json.dumps(document(kind, content), indent=2) + "\n")


def document(kind: str, content: dict[str, Any]) -> dict[str, Any]:
    """A JSON document that names its format, `check-invariants/KIND`, and version."""
    return {"format": f"check-invariants/{kind}", "version": VERSION, **content}


def emit_table(table: Table, too_narrow: Callable[[int], str] | None = None) -> None:
    """Print a table: with colours and in the terminal's width there, plainly elsewhere.

    `too_narrow` makes other text, for a terminal of so many columns that is too narrow even for the fitted table.
    """
    if not _watched(sys.stdout):
        emit(table.text())
        return
    from rich.table import Table as RichTable

    console = _console()
    fitted = table.fitted(console.width)
    if too_narrow is not None and _total(fitted.widths, range(len(fitted.columns))) > console.width:
        emit(too_narrow(console.width))
        return
    drawn = RichTable(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in fitted.columns:
        drawn.add_column(column.header, justify="right" if column.right else "left", no_wrap=True)
    for row in fitted.rows:
        drawn.add_row(*map(_rich_cell, row))
    with _output():
        console.print(drawn)


def emit_markup(plain: Callable[[], str], markup: Callable[[], str]) -> None:
    """Print text, with rich's markup on a terminal."""
    if not _watched(sys.stdout):
        emit(plain())
        return
    text = markup()
    with _output():
        _console().print(text, end="", highlight=False, soft_wrap=True)


def emit_trace(run: Run) -> None:
    """Print a trace as a call tree."""
    from draincheck.report.text import render_trace

    emit_markup(lambda: render_trace(run), lambda: render_trace(run, color=True))


def _watched(stream: Any) -> bool:
    return stream is not None and bool(stream.isatty())


def _console() -> Console:
    from rich.console import Console

    return Console()


def _rich_cell(cell: str | Styled) -> Any:
    from rich.text import Text

    return Text(cell) if isinstance(cell, str) else Text(cell.text, style=cell.style)


# -- files ------------------------------------------------------------------------------------------


def write_to(path: str, data: str | bytes) -> None:
    """Write a file whole or not at all; `-` is standard output. Raises NotWritable."""
    if path == STDOUT:
        emit(data if isinstance(data, str) else data.decode())
        return
    from draincheck.atomicfile import write_atomically

    try:
        write_atomically(Path(path), data)
    except OSError as error:
        raise NotWritable(f"{path} cannot be written: {error.strerror}; nothing was changed there") from error


def make_directory(path: str) -> None:
    """Make a directory unless it is there. Raises NotWritable."""
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NotWritable(f"{path} cannot be made: {error.strerror}") from error


# -- progress ---------------------------------------------------------------------------------------


class Counter:
    """Progress on standard error, from the first `advance` on and while a terminal watches it: a line, gone at the end."""

    def __init__(self, what: str, total: int | None = None) -> None:
        self.what, self.total, self.done = what, total, 0
        self._status: Any = None

    def __enter__(self) -> Counter:
        return self

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()

    def advance(self, done: int) -> None:
        """Say how much is done by now."""
        self.done = done
        if self._status is not None:
            self._status.update(self._words())
        elif _watched(sys.stderr):
            from rich.console import Console

            self._status = Console(stderr=True).status(self._words())
            self._status.start()

    def progress(self, states: int, transitions: int, depth: int, queue: int) -> None:
        """What an engine reports (see draincheck.verdict.Reporter)."""
        self.advance(states)

    def _words(self) -> str:
        return f"{self.done}{'' if self.total is None else f' of {self.total}'} {self.what}"


def until_interrupted(items: Iterator[T], what: str, total: int) -> tuple[list[T], bool]:
    """All the items, counted as they come; with True, only those that came before Ctrl-C."""
    found: list[T] = []
    try:
        with Counter(what, total) as counter:
            for item in items:
                found.append(item)
                counter.advance(len(found))
    except KeyboardInterrupt:
        return found, True
    return found, False

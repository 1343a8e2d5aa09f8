"""How pictures of graphs look: letters, colours, headings; and whether they can be read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from textwrap import wrap
from typing import Final

from draincheck.escape import escaped
from draincheck.report.dot import quoted
from draincheck.sorts import Value

__all__ = [
    "FATES", "FILLS", "LEAST_SIZE", "NO_RETURN", "SCREEN", "VIOLATION", "cut", "edge_cell", "fate_cell", "heading", "is_legible", "legend", "opening",
    "text_size", "titles", "two_lines",
]  # fmt: skip

_FONT: Final = "Helvetica,Arial,sans-serif"

#: the size of letters at nodes and edges, in points
NODE_SIZE, EDGE_SIZE = 14, 13

#: how wide a picture is looked at, and how large its letters have to be there, in pixels
SCREEN, LEAST_SIZE = 1400, 11

#: what fills the nodes of a fate (see `draincheck.analysis.state_story`), those without one are white; and what the legend calls it
FILLS: Final = {"safe": "#cdeac3", "avoidable": "#ffeaa3", "doomed": "#ffbe78", "violated": "#f28b82"}
FATES: Final = {
    "safe": "safe for good",
    "avoidable": "violation avoidable",
    "doomed": "no longer avoidable",
    "violated": "violated",
}

_RED, _ORANGE = "#b00020", "#d05f00"

#: how a step looks that violates the property, and one after which that cannot be avoided any more
VIOLATION: Final = {"color": _RED, "fontcolor": _RED, "penwidth": "3"}
NO_RETURN: Final = {"color": _ORANGE, "fontcolor": _ORANGE, "penwidth": "3"}

#: characters of a line in the heading, and how many more a long word may have
_WIDTH: Final = 76
LONGER: Final = 8


def opening(name: str, rows: Iterable[str]) -> Iterator[str]:
    """The first lines of a picture in Graphviz' language, with the rows of its heading."""
    table = f'<table border="0" cellborder="0" cellspacing="3">{"".join(rows)}</table>'
    font = f'fontname="{_FONT}"'
    yield f"digraph {quoted(name)} {{"
    yield f"  graph [{font}, fontsize={NODE_SIZE}, labelloc=t, nodesep=0.25, ranksep=0.35, label=<{table}>];"
    yield f'  node [{font}, fontsize={NODE_SIZE}, shape=box, style="rounded,filled", fillcolor=white, margin="0.12,0.06"];'
    yield f"  edge [{font}, fontsize={EDGE_SIZE}, arrowsize=0.8];"


def titles(told: Mapping[str, Value]) -> Iterator[str]:
    """The rows of a heading that name a graph's system, and its property with its meaning."""
    title = ": ".join(filter(None, (str(told["name"]), str(told["property"]))))
    yield from (_row(f"<b>{_html(line)}</b>") for line in wrap(title, _WIDTH))
    yield from heading(str(told["meaning"]))


def heading(text: str) -> Iterator[str]:
    """Text as rows of a heading."""
    yield from (_row(_html(line)) for line in wrap(text, _WIDTH))


def legend(cells: Iterable[str]) -> Iterator[str]:
    """The row of a heading that has these cells, if there are any."""
    if row := "".join(cells):
        yield _row(f'<table border="0" cellborder="0" cellspacing="4"><tr>{row}</tr></table>')


def fate_cell(fate: str, words: str) -> str:
    """A cell of a legend that says what a fill means."""
    return f'<td bgcolor="{FILLS[fate]}"> {_html(words)} </td>'


def edge_cell(style: Mapping[str, str], words: str) -> str:
    """A cell of a legend that says what an arrow means."""
    return f'<td><font color="{style["color"]}"><b>→ {_html(words)}</b></font></td>'


def _row(text: str) -> str:
    return f"<tr><td>{text}</td></tr>"


def _html(text: str) -> str:
    return escape(escaped(text))


def two_lines(text: str, width: int) -> list[str]:
    """Text in two lines at most; a word that is longer than a line may stick out a little, and what comes after is cut."""
    lines = wrap(text, width, max_lines=2, placeholder=" …", break_long_words=False, break_on_hyphens=False)
    return [cut(line, width + LONGER) for line in lines] or [""]


def cut(text: str, width: int) -> str:
    """The text, or what of it fits."""
    return text if len(text) <= width else f"{text[: width - 1]}…"


# -- can it be read? --------------------------------------------------------------------------------


def text_size(svg: str) -> float:
    """How large the smallest letters of a picture are, in pixels, where it is as wide as a screen, or smaller."""
    found = re.search(r'<svg width="([0-9.]+)pt"', svg)
    assert found is not None
    return EDGE_SIZE * SCREEN / max(float(found[1]), SCREEN * 72 / 96)


def is_legible(svg: str) -> bool:
    """Whether they are large enough."""
    return text_size(svg) >= LEAST_SIZE

"""The formats in which a graph leaves: by their names, or by a file's suffix, for every command that writes one."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from msgspec import Struct

from check_invariants.documents import json_text
from check_invariants.options import STDOUT
from draincheck.errors import DrawingError
from draincheck.report.dot import draw_png, draw_svg
from draincheck.report.graphs import to_graphml, to_node_link

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["DRAWN", "GraphFile", "drawing", "form_of", "written"]

#: the formats that Graphviz draws
DRAWN: Final = ("svg", "png")

_FORMATS: Final = ("dot", "graphml", "json", *DRAWN)


class GraphFile(Struct, frozen=True):
    """A graph, its name in a JSON document, its text for Graphviz, and what is said about it."""

    graph: nx.MultiDiGraph[int]
    kind: str
    dot: str
    note: str = ""


def form_of(output: str, form: str | None = None, as_json: bool = False) -> str:
    """The format that is wanted. Raises UsageError for two of them, and for a picture that is no text on standard output."""
    if as_json and form not in (None, "json"):
        raise click.UsageError(f"--json and --format {form} exclude each other")
    suffix = Path(output).suffix.removeprefix(".").lower()
    form = "json" if as_json else form or (suffix if suffix in _FORMATS else "dot")
    if form == "png" and output == STDOUT:
        raise click.UsageError("a PNG is no text: name a file for it with --output")
    return form


def written(found: GraphFile, form: str) -> str | bytes:
    """The graph in a format. Raises UsageError if Graphviz cannot draw it."""
    with drawing():
        return _rendered(found, form)


@contextmanager
def drawing() -> Generator[None]:
    """In here a drawing that fails is a UsageError."""
    try:
        yield
    except DrawingError as error:
        raise click.UsageError(str(error)) from error


def _rendered(found: GraphFile, form: str) -> str | bytes:
    match form:
        case "graphml":
            return to_graphml(found.graph)
        case "json":
            return json_text(found.kind, {**to_node_link(found.graph)})
        case "svg":
            return draw_svg(found.dot)
        case "png":
            return draw_png(found.dot)
        case _:
            return found.dot

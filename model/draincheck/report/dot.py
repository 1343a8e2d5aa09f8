"""What pictures are written with: Graphviz' language, and Graphviz itself."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping

from draincheck.errors import DrawingError
from draincheck.escape import escaped

__all__ = ["attributes", "draw_png", "draw_svg", "quoted"]

#: how long Graphviz may take, in seconds; the largest graph that is drawn takes a few
DRAWING_TIME = 120

#: light is dark and dark is light, and colours stay what they are
DARK = "<style>@media (prefers-color-scheme: dark) { svg { filter: invert(1) hue-rotate(180deg) } }</style>"


def draw_svg(dot_text: str) -> str:
    """Have Graphviz draw a graph as SVG, in colours that a dark screen turns round. Raises as `draw_png`."""
    svg = _drawn(dot_text, "svg").decode()
    begin = svg.index(">", svg.index("<svg")) + 1
    return svg[:begin] + DARK + svg[begin:]


def draw_png(dot_text: str) -> bytes:
    """Have Graphviz draw a graph as PNG. Raises DrawingError if its `dot` is not installed, fails, or takes too long."""
    return _drawn(dot_text, "png")


def _drawn(dot_text: str, form: str) -> bytes:
    program = shutil.which("dot")
    if program is None:
        raise DrawingError(
            "Graphviz is needed to draw, and its program dot is not on the PATH; install the package graphviz or export DOT"
        )
    try:
        done = subprocess.run(
            [program, f"-T{form}"], input=dot_text.encode(), capture_output=True, check=False, timeout=DRAWING_TIME
        )
    except subprocess.TimeoutExpired as error:
        raise DrawingError(f"dot did not finish in {DRAWING_TIME} seconds; choose a smaller scenario") from error
    if done.returncode != 0:
        raise DrawingError(f"dot failed with status {done.returncode}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def attributes(values: Mapping[str, str]) -> str:
    """Attributes of a node or an edge."""
    return ", ".join(f"{name}={quoted(value)}" for name, value in values.items())


def quoted(text: str) -> str:
    """A DOT string; backslashes are doubled, or Graphviz would read one and an N as the name of the node, and `&lt;` stays `&lt;`."""
    clean = escaped(text).replace("\\", "\\\\").replace('"', '\\"')
    clean = re.sub("&(?=#?[0-9A-Za-z]+;)", "&amp;", clean)
    return '"' + clean.replace("\n", "\\n") + '"'

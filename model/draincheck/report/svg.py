"""Scalable vector graphics, as plain as can be: no script, no font, no picture from elsewhere.

Colours have names and two values each, for light and for dark; what prints is light. What cannot stand in XML, or would turn the direction of
text, is shown by its number.
"""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import wrap
from typing import Final
from unicodedata import east_asian_width
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from draincheck.escape import harmless

__all__ = ["COLOURS", "SIZE", "WIDE", "Sheet", "columns", "lines_of", "shortened"]

#: for each name the colour on white and the one on black
COLOURS: Final[Mapping[str, tuple[str, str]]] = {
    "paper": ("#ffffff", "#0d1117"),
    "ink": ("#1b1f24", "#e6edf3"),
    "muted": ("#636c76", "#8d96a0"),
    "faint": ("#d4d9e0", "#30363d"),
    "band": ("#f2f4f7", "#1b212b"),
    "blue": ("#1f5fd0", "#6cb0ff"),
    "teal": ("#0c7a75", "#4fd1c5"),
    "orange": ("#b3560b", "#e8a24c"),
    "green": ("#1a7334", "#56d364"),
    "red": ("#c02a1d", "#ff7b72"),
}

#: the size of letters, in pixels, and how wide one of a monospaced font is at most, as a share of that
SIZE: Final = 11.5
WIDE: Final = 0.605

_FONT: Final = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace"


class Sheet:
    """A drawing in the making. Coordinates are pixels from the top left."""

    def __init__(self, title: str, description: str) -> None:
        """Both are for whoever does not see it."""
        self.root = Element(
            "svg",
            {
                "xmlns": "http://www.w3.org/2000/svg",
                "class": "lanes",
                "role": "img",
                "aria-labelledby": "title description",
            },
        )
        SubElement(self.root, "title", {"id": "title"}).text = harmless(title)
        SubElement(self.root, "desc", {"id": "description"}).text = harmless(description)
        SubElement(self.root, "style").text = _style()
        self._markers()
        self.paper = self.rect(0, 0, 0, 0, "f-paper")

    def _markers(self) -> None:
        """Heads of arrows, one for each colour that they are drawn in."""
        place = SubElement(self.root, "defs")
        for name in ("blue", "teal", "orange", "muted", "red"):
            size = {"markerWidth": "7", "markerHeight": "7", "refX": "6", "refY": "3.5", "orient": "auto"}
            head = SubElement(place, "marker", {"id": f"head-{name}", "markerUnits": "userSpaceOnUse", **size})
            SubElement(head, "path", {"d": "M0,0.5 L6.5,3.5 L0,6.5 z", "class": f"f-{name}"})

    def add(self, tag: str, kind: str, **values: float | str) -> Element:
        """An element; underscores in the names of its attributes are hyphens."""
        attributes = {name.replace("_", "-"): _plain(value) for name, value in values.items()}
        return SubElement(self.root, tag, {**({"class": kind} if kind else {}), **attributes})

    def rect(self, x: float, y: float, width: float, height: float, kind: str, **values: float | str) -> Element:
        """A rectangle."""
        return self.add("rect", kind, x=x, y=y, width=width, height=height, **values)

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str) -> Element:
        """A straight line."""
        return self.add("line", kind, x1=x1, y1=y1, x2=x2, y2=y2)

    def text(self, x: float, y: float, said: str, kind: str = "", **values: float | str) -> Element | None:
        """A line of text with its base line at y; None where there is nothing to say."""
        if not said:
            return None
        found = self.add("text", kind, x=x, y=y, **values)
        found.text = harmless(said)
        return found

    def path(self, d: str, kind: str, title: str = "", head: str = "") -> Element:
        """A line of any form, with the head of an arrow at its end, and what it means for whoever points at it."""
        found = self.add("path", kind, d=d)
        if head:
            found.set("marker-end", f"url(#head-{head})")
        if title:
            self.tell(found, title)
        return found

    def tell(self, element: Element | None, title: str) -> None:
        """What an element means, for whoever points at it."""
        if element is not None:
            SubElement(element, "title").text = harmless(title)

    def whole(self, width: float, height: float) -> str:
        """The file, so large."""
        for element in (self.root, self.paper):
            element.set("width", _plain(width))
            element.set("height", _plain(height))
        self.root.set("viewBox", f"0 0 {_plain(width)} {_plain(height)}")
        indent(self.root, "")
        return tostring(self.root, encoding="unicode") + "\n"


def _plain(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.1f}".removesuffix(".0")


def _style() -> str:
    """Rules that say `lanes` first: on a page that holds the drawing they are about nothing else."""
    plain = (
        f".lanes text {{ font: {SIZE}px {_FONT}; white-space: pre; }}\n"
        ".lanes .big { font-size: 15px; font-weight: 700; }\n"
        ".lanes .bold { font-weight: 700; }\n"
        ".lanes .small { font-size: 10px; }\n"
        ".lanes .end { text-anchor: end; }\n"
        ".lanes .middle { text-anchor: middle; }\n"
        ".lanes path, .lanes line { fill: none; stroke-width: 1.3; }\n"
        ".lanes .thin { stroke-width: 1; }\n"
        ".lanes .dashed { stroke-dasharray: 4 3; }\n"
        ".lanes .dotted { stroke-dasharray: 1.5 3; }\n"
        ".lanes .shade { fill-opacity: 0.1; }\n"
        ".lanes .dot { stroke-width: 1.8; }\n"
    )
    return f"\n{plain}{_colours(0)}@media screen and (prefers-color-scheme: dark) {{\n{_colours(1)}}}\n"


def _colours(which: int) -> str:
    """Classes that fill (`f-red`) and that stroke (`s-red`); text has the colour of ink."""
    lines = [f".lanes text {{ fill: {COLOURS['ink'][which]}; }}"]
    for name, pair in COLOURS.items():
        lines.append(f".lanes .f-{name} {{ fill: {pair[which]}; }} .lanes .s-{name} {{ stroke: {pair[which]}; }}")
    return "".join(f"{line}\n" for line in lines)


# -- text -------------------------------------------------------------------------------------------


def columns(text: str) -> int:
    """How many columns a text takes."""
    return sum(2 if east_asian_width(sign) in "WF" else 1 for sign in text)


def lines_of(text: str, width: float, size: float = SIZE) -> list[str]:
    """A text in lines that fit into so many pixels, words that do not broken."""
    said = " ".join(harmless(text).split())
    fits = max(4, int(width / (size * WIDE)))
    return wrap(said, fits if columns(said) == len(said) else fits // 2) or [""]


def shortened(text: str, most: int) -> str:
    """A text in one line of at most so many columns."""
    said = " ".join(harmless(text).split())
    fits = most if columns(said) == len(said) else most // 2
    return said if len(said) <= fits else f"{said[: fits - 1]}…"

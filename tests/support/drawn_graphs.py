"""Pictures that Graphviz draws, read back: how large their letters are, what they say, and where their nodes lie."""

from __future__ import annotations

import json
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from itertools import combinations
from typing import Any, NamedTuple

__all__ = ["SCREEN", "Box", "boxes", "nodes_of", "overlapping", "smallest_letters", "texts"]

#: how wide a picture is looked at, in pixels
SCREEN = 1400


class Box(NamedTuple):
    """A node as it is drawn, in inches."""

    name: str
    left: float
    low: float
    right: float
    high: float


def _dot(text: str, form: str) -> str:
    done = subprocess.run(["dot", f"-T{form}"], input=text.encode(), capture_output=True, check=True, timeout=60)
    return done.stdout.decode()


def boxes(dot_text: str) -> list[Box]:
    """The nodes of a graph, as Graphviz places them."""
    lines = [line.split(maxsplit=6) for line in _dot(dot_text, "plain").splitlines() if line.startswith("node ")]
    return [_box(name, *map(float, sizes)) for _, name, *sizes, _ in lines]


def _box(name: str, x: float, y: float, width: float, height: float) -> Box:
    return Box(name, x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def overlapping(found: Sequence[Box]) -> list[tuple[str, str]]:
    """The pairs of nodes that lie over each other."""
    pairs = combinations(found, 2)
    return [
        (a.name, b.name)
        for a, b in pairs
        if a.left < b.right and b.left < a.right and a.low < b.high and b.low < a.high
    ]


def nodes_of(dot_text: str) -> dict[str, dict[str, Any]]:
    """The nodes with their attributes, as Graphviz reads them, by name."""
    data: dict[str, Any] = json.loads(_dot(dot_text, "json0"))
    return {item["name"]: item for item in data.get("objects", [])}


def smallest_letters(svg: str) -> float:
    """The size of the smallest letters, in pixels, where a picture that is wider than the screen is made as wide as that."""
    root = ET.fromstring(svg)
    width = float(root.attrib["viewBox"].split()[2])
    sizes = [float(text.attrib["font-size"]) for text in root.iter() if text.tag.endswith("}text")]
    return min(sizes) * min(96 / 72, SCREEN / width)


def texts(svg: str) -> str:
    """All that a picture says, its lines joined."""
    return "\n".join("".join(text.itertext()) for text in ET.fromstring(svg).iter() if text.tag.endswith("}text"))

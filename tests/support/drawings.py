"""SVG read back by an XML parser: its texts with the room that they take, its arrows, and what it asks of others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple
from unicodedata import east_asian_width
from xml.etree import ElementTree

SVG = "{http://www.w3.org/2000/svg}"
#: the widest monospaced fonts that are named take so much of their size for a letter
LETTER = 0.6025


class Text(NamedTuple):
    """A line of text, upright."""

    words: str
    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Text) -> bool:
        """Whether they share room; half a pixel is no matter."""
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.bottom, other.bottom) - max(self.top, other.top)
        return wide > 0.5 and high > 0.5


class Picture:
    """A drawing, parsed. Raises ParseError where it is no XML."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.root = ElementTree.fromstring(text)
        self.texts = list(self._texts())

    @property
    def size(self) -> tuple[float, float]:
        """Its width and height."""
        return float(self.root.attrib["width"]), float(self.root.attrib["height"])

    @property
    def words(self) -> str:
        """All that it says, without spaces."""
        return "".join("".join(text.split()) for text in self.root.itertext())

    @property
    def names(self) -> list[str]:
        """What leans: the names of lanes, and what stands beside a loop."""
        return [item.text or "" for item in self.root.iter(f"{SVG}text") if "transform" in item.attrib]

    def foreign(self) -> list[str]:
        """Elements and attributes that run something or load something."""
        found = [item.tag for item in self.root.iter() if item.tag.removeprefix(SVG) in BANNED]
        values = [value for item in self.root.iter() for name, value in item.attrib.items() if _loads(name, value)]
        style = self.root.findtext(f"{SVG}style") or ""
        return [*found, *values, *re.findall(r"@import|url\(|@font-face", style)]

    def overlaps(self) -> list[tuple[str, str]]:
        """Pairs of texts that share room."""
        return [(a.words, b.words) for a, b in combinations(self.texts, 2) if a.overlaps(b)]

    def outside(self) -> list[str]:
        """Texts that reach out of the drawing."""
        width, height = self.size
        return [t.words for t in self.texts if t.left < 0 or t.top < 0 or t.right > width or t.bottom > height]

    def ends(self, head: str) -> list[tuple[float, float, float, float]]:
        """For each arrow with such a head where it begins and where it ends."""
        paths = [i.attrib["d"] for i in self.root.iter(f"{SVG}path") if i.get("marker-end") == f"url(#head-{head})"]
        numbers = [[float(number) for number in re.findall(r"-?[0-9.]+", path)] for path in paths]
        return [(n[0], n[1], n[-1], n[-2]) for n in numbers if len(n) > 4]

    def _texts(self) -> Iterator[Text]:
        for item in self.root.iter(f"{SVG}text"):
            if "transform" in item.attrib:
                continue
            kinds = item.get("class", "").split()
            size = 15.0 if "big" in kinds else 10.0 if "small" in kinds else 11.5
            words = "".join(item.itertext())
            x, y, wide = float(item.attrib["x"]), float(item.attrib["y"]), _columns(words) * size * LETTER
            left = x - wide if "end" in kinds else x - wide / 2 if "middle" in kinds else x
            yield Text(words, left, y - 0.8 * size, left + wide, y + 0.2 * size)


BANNED = {"script", "foreignObject", "image", "use", "a", "iframe", "animate", "set"}


def _loads(name: str, value: str) -> bool:
    return name.startswith("on") or name.endswith("href") or ("url(" in value and not value.startswith("url(#"))


def _columns(text: str) -> int:
    return sum(2 if east_asian_width(sign) in "WF" else 1 for sign in text)

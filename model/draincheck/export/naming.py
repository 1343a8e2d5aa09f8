"""Names of models in languages that have rules for theirs: readable, and never one for two things."""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from itertools import count

from draincheck.escape import printable

__all__ = ["LONGEST", "Spellings", "letters", "remark"]

#: longer names are cut: some tools keep names in buffers of a fixed size
LONGEST = 60


def letters(name: str) -> str:
    """The name as letters, digits and single underscores of ASCII, a letter first; what has none is `x`."""
    text = re.sub("[^A-Za-z0-9]+", "_", name)[:LONGEST].strip("_")
    return text if text[:1].isalpha() else f"x_{text}".strip("_")


def remark(text: str) -> str:
    """A text as one line of printable ASCII in which no comment ends or begins."""
    line = printable(text)
    return re.sub(r"(?<=\*)(?=[/)])|(?<=[/(])(?=\*)", " ", line)


class Spellings:
    """Gives names to things, each another one, whatever they are called: what is taken, or reserved, is numbered on.

    `spelled` makes a name of the language from any text and a number (1 for the first that asks for it).
    """

    def __init__(self, spelled: Callable[[str, int], str], reserved: Container[str] = ()) -> None:
        self._spelled, self._reserved = spelled, reserved
        self._taken: set[str] = set()

    def new(self, name: str) -> str:
        """A name that nothing else has."""
        tried = (self._spelled(name, number) for number in count(1))
        found = next(text for text in tried if text not in self._taken and text not in self._reserved)
        self._taken.add(found)
        return found

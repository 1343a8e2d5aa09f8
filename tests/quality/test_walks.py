"""The walks of ARCHITECTURE.md lead along places that are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLACE = re.compile(r"^    ([a-z_/0-9]+\.py) +(\w+)  ", re.MULTILINE)


def walks() -> list[tuple[str, str]]:
    """The places of all walks: a file and what is defined in it."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    section = text[text.index("## 4. Four walks") : text.index("## 5. ")]
    return PLACE.findall(section)


def defined(file: str) -> set[str]:
    """The functions and classes of a file."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}


@pytest.mark.parametrize(("file", "name"), walks())
def test_the_place_is_there(file: str, name: str) -> None:
    """Who opens the file finds the name."""
    assert name in defined(file)


def test_there_are_four_walks() -> None:
    """No line of them is passed over; a name that nobody has defined would be seen."""
    assert len(walks()) == 35
    assert "no_such_name" not in defined("model/draincheck/run.py")

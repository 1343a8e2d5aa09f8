"""Each public class has a name of its own, so that a reader who meets one knows which it is."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
#: QEMU's things, which the model and the core both have under QEMU's name
QEMU = {"AioContext", "Coroutine", "Disk", "GSource"}


def classes(sources: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The public classes of modules, each with its file."""
    for file, text in sources:
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                yield node.name, file


def twice(sources: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """The names that stand in several places, and where."""
    places: dict[str, list[str]] = defaultdict(list)
    for name, file in classes(sources):
        places[name].append(file)
    return {name: files for name, files in places.items() if len(files) > 1}


def of_the_project() -> Iterator[tuple[str, str]]:
    """Every file that is installed, with its text."""
    for room in ("model", "specs", "cli"):
        for file in sorted((ROOT / room).rglob("*.py")):
            yield str(file.relative_to(ROOT)), file.read_text(encoding="utf-8")


def test_public_classes_have_different_names() -> None:
    """But for those of QEMU, whose two readings are model and core."""
    found = twice(of_the_project())
    assert {name: files for name, files in found.items() if name not in QEMU} == {}
    assert all(sum("/core/" in file for file in files) == 1 and len(files) == 2 for files in found.values())


def test_a_name_that_stands_twice_would_be_found() -> None:
    """Negative control."""
    assert twice([("a.py", "class Row: ..."), ("b.py", "class Row: ...\nclass _Row: ...")]) == {"Row": ["a.py", "b.py"]}

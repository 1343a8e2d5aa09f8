"""The core's independence: agreement with the model is worth something only because the core shares nothing with it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import draincheck.core

CORE = Path(draincheck.core.__file__).parent
ALLOWED = {"greenlet", "draincheck.knobs", "draincheck.revisions"}


def imports(source: str) -> Iterator[str]:
    """The modules that a source text imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            yield node.module or ""


def foreign(source: str) -> set[str]:
    """What is imported and neither the core's own, nor allowed, nor of the standard library."""
    return {
        name
        for name in imports(source)
        if name not in ALLOWED
        and not name.startswith("draincheck.core")
        and name.split(".")[0] not in sys.stdlib_module_names
    }


def test_the_core_imports_nothing_of_the_checker_but_the_knob_vectors() -> None:
    """Nor anything else but greenlet."""
    found = {file.name: names for file in CORE.glob("*.py") if (names := foreign(file.read_text(encoding="utf-8")))}
    assert found == {}


def test_an_import_of_the_model_would_be_found() -> None:
    """Negative control."""
    assert foreign("from draincheck.qemu import build\nimport z3\nimport os\n") == {"draincheck.qemu", "z3"}

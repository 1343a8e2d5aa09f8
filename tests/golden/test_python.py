"""What `import draincheck` brings; what PYTHON.md shows of it, tests/golden/test_pages.py does."""

from __future__ import annotations

import doctest
import subprocess
import sys
from pathlib import Path

import pytest

import draincheck

ROOT = Path(__file__).parents[2]


def failures(text: str) -> int:
    """How many examples of a text do not come out as it says."""
    examples = doctest.DocTestParser().get_doctest(text, {}, "the library", None, 0)
    report: list[str] = []
    return doctest.DocTestRunner(verbose=False).run(examples, out=report.append).failed


def test_the_example_of_the_library_is_true() -> None:
    """The one in its docstring."""
    assert failures(draincheck.__doc__ or "") == 0


@pytest.mark.parametrize("name", draincheck.__all__)
def test_every_public_name_is_there(name: str) -> None:
    """And says what it is."""
    assert getattr(draincheck, name).__doc__


def test_an_unknown_name_is_an_attribute_error() -> None:
    """As of any module."""
    with pytest.raises(AttributeError, match="has no attribute 'chek'"):
        _ = draincheck.chek


def test_importing_the_library_imports_nothing_else() -> None:
    """Each name is loaded when it is used, and not before."""
    code = "import sys; import draincheck; print(*[n for n in sys.modules if n.startswith('draincheck.')])"
    code += "; draincheck.Limits; print(*[n for n in sys.modules if n == 'draincheck.verdict'])"
    paths = {"PYTHONPATH": str(ROOT / "model")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=paths)
    assert done.stdout.splitlines() == ["", "draincheck.verdict"]

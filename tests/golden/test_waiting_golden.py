"""Who waits for what, as it is printed: byte for byte, and at 80 columns. `UPDATE_GOLDEN=1 pytest tests/golden` writes the file anew."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from draincheck.lang import Model
from draincheck.report.waiting import waiting_lines
from tests.golden.test_cli_golden import UPDATE, steady
from tests.quality.test_waiting import EXPECTED, shown

FILE = Path(__file__).parent / "waiting.txt"


def drawn(make: Callable[[], Model], width: int = 78) -> list[str]:
    """The table of a model's counterexample."""
    return [line.text for line in waiting_lines(shown(make()), width)]


def everything() -> Iterator[str]:
    """The tables of all models in which something waits for ever."""
    for make in EXPECTED:
        yield from (f"-- {make.__name__}", *drawn(make), "")


def test_the_tables_are_exactly_these() -> None:
    """All of them, one below the other."""
    text = steady("\n".join(everything()))
    if os.environ.get(UPDATE):
        FILE.write_text(text, encoding="utf-8")
    assert text == FILE.read_text(encoding="utf-8")


@pytest.mark.parametrize("make", EXPECTED, ids=lambda make: make.__name__)
def test_nothing_is_lost_at_any_width(make: Callable[[], Model]) -> None:
    """Narrow tables say the same words as wide ones, in lines that fit."""
    narrow, wide = drawn(make, 60), drawn(make, 1000)
    assert " ".join(narrow).split() == " ".join(wide).split()
    assert max(map(len, narrow)) <= 60

"""Generated functions: compiled once for all systems that have them in common, and not kept for ever."""

from __future__ import annotations

import pytest

from draincheck.engines import successors
from draincheck.engines.successors import compiled


def test_equal_texts_are_one_function() -> None:
    """Whatever system they belong to; a text says all there is to say, constants included."""
    first = compiled(["s + 1", "s & 6", "s + 1"], "one system")
    again = compiled(["s & 6", "s + 2"], "another")
    assert list(first) == ["s + 1", "s & 6"] and again["s & 6"] is first["s & 6"]
    assert [function(7) for function in (*first.values(), *again.values())] == [8, 6, 6, 9]


def test_functions_are_forgotten_when_there_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a system has asked for keeps working; the next one that wants it gets a new one."""
    monkeypatch.setattr(successors, "_functions", {})
    monkeypatch.setattr(successors, "MOST_FUNCTIONS", 1)
    first = compiled(["s + 3", "s + 4"], "one system")
    again = compiled(["s + 3"], "another")
    assert first["s + 3"] is not again["s + 3"] and first["s + 4"](0) == 4 and again["s + 3"](0) == 3

"""How the cases of a test are divided among the quick run, the full one, and `make long`."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from _pytest.mark.structures import MarkDecorator, ParameterSet

from tests.support.samples import evenly, sampled


def marks(found: Sequence[ParameterSet]) -> dict[object, list[str]]:
    """By case the marks that it bears."""
    return {item.values[0]: [mark.name for mark in item.marks if isinstance(mark, MarkDecorator)] for item in found}


def test_cases_are_quick_or_slow() -> None:
    """So many of the first, or those that are named, run always, and the others in the full run."""
    assert marks(sampled("abc", 1)) == {"a": [], "b": ["slow"], "c": ["slow"]}
    assert marks(sampled("abc", ["b"])) == {"a": ["slow"], "b": [], "c": ["slow"]}


def test_what_is_behind_those_of_the_full_run_is_long() -> None:
    """Where it is said how many the full run has."""
    assert marks(sampled("abcd", 1, full=2)) == {"a": [], "b": ["slow"], "c": ["long"], "d": ["long"]}


def test_a_case_that_is_not_there_is_refused() -> None:
    """A sample of something else would be none."""
    with pytest.raises(ValueError, match="no such case"):
        sampled("abc", ["d"])


def test_a_sample_is_spread() -> None:
    """One of every three, then the others; none is lost."""
    assert evenly("abcdefg", 3) == ["a", "d", "g", "b", "e", "c", "f"]

"""A sample of a large test for the quick run: the same test, the same promise, fewer cases."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, TypeVar

import pytest
from _pytest.mark.structures import ParameterSet

T = TypeVar("T")


def sampled(cases: Iterable[Any], quick: int | Collection[Any], full: int | None = None) -> list[ParameterSet]:
    """Parameters of a test: these cases, or so many of the first, run always, the others in the full run alone.

    Where `full` says how many of the first there are in the full run, all behind them are left to `make long`.
    """
    listed = list(cases)
    always = listed[:quick] if isinstance(quick, int) else quick
    unknown = [case for case in always if case not in listed]
    if unknown:
        raise ValueError(f"no such case: {unknown}")
    full = len(listed) if full is None else full
    rest = [pytest.mark.slow if number < full else pytest.mark.long for number in range(len(listed))]
    return [pytest.param(case, marks=[] if case in always else [mark]) for case, mark in zip(listed, rest, strict=True)]


def evenly(cases: Sequence[T], step: int) -> list[T]:
    """The same cases, one of every so many before all others: the first of them are a sample of all."""
    return [case for first in range(step) for case in cases[first::step]]

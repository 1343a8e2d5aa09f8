"""A sample of a large test for the quick run: the same test, the same promise, fewer cases."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import pytest
from _pytest.mark.structures import ParameterSet


def sampled(cases: Iterable[Any], quick: int | Collection[Any]) -> list[ParameterSet]:
    """Parameters of a test: these cases, or so many of the first, run always; all others in the full run alone."""
    listed = list(cases)
    always = listed[:quick] if isinstance(quick, int) else quick
    unknown = [case for case in always if case not in listed]
    if unknown:
        raise ValueError(f"no such case: {unknown}")
    return [pytest.param(case, marks=[] if case in always else [pytest.mark.slow]) for case in listed]

"""Traces as files: one function for each format of `check_invariants.trace_formats`, which loads what it needs of these modules."""

from __future__ import annotations

from msgspec.structs import replace

from check_invariants.trace_formats import Exhibit
from draincheck import __version__
from draincheck.subject import About

__all__ = ["about"]


def about(given: Exhibit) -> About:
    """What a reader has to know who has nothing else, with the version that says so."""
    return replace(given.subject.about, tool=f"check-invariants {__version__}")

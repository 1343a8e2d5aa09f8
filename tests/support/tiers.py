"""When machine code takes over, in tests: soon."""

from __future__ import annotations

import pytest

from draincheck.native import tiers

__all__ = ["few"]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred states are many, and two hundred are worth a word."""
    monkeypatch.setattr(tiers, "MANY", 100)
    monkeypatch.setattr(tiers, "WAITED", 200)

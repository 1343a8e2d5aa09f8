"""The explorer's text for those who run no scripts, byte for byte; and that a file is whole, wherever the package is installed."""

from __future__ import annotations

import os
import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest

from tests.golden.test_cli_golden import UPDATE, printed, steady

FILE = Path(__file__).with_name("report.txt")


def page() -> str:
    """A report, with what varies blotted out of its text."""
    return printed("report", "examples/deadlock.py:deadlock", "-o", "-")


def test_the_text_is_exactly_this(monkeypatch: pytest.MonkeyPatch) -> None:
    """`UPDATE_GOLDEN=1 pytest` writes it anew."""
    for known in (
        "_names",
        "_lines",
    ):  # files are called by their paths from where they were run first: by another test, perhaps
        monkeypatch.setattr(f"draincheck.location.{known}", {})
    found = re.search("<main>.*</main>", page(), re.DOTALL)
    assert found is not None
    text = re.sub(r"(?<=Made by check-invariants )[^ ]+(?=\.)", "V", steady(found.group()))
    if os.environ.get(UPDATE):
        FILE.write_text(text, encoding="utf-8")
    assert text == FILE.read_text(encoding="utf-8")


def test_a_page_names_the_digests_of_what_it_brings() -> None:
    """The one style and the one script that are in it, and lets nothing else in."""
    whole = page()
    for kind, element in (("style-src", "style"), ("script-src", "script")):
        inside = re.findall(f"<{element}>(.*?)</{element}>", whole, re.DOTALL)
        assert len(inside) == 1
        assert f"{kind} 'sha256-{b64encode(sha256(inside[0].encode()).digest()).decode()}'" in whole
    assert "default-src 'none'" in whole

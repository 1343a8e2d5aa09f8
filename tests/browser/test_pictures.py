"""The pictures of README and docs show what the explorer shows today."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.support.pictures import FOLDER, MOST, PICTURES, words_of
from tests.support.samples import sampled


@pytest.mark.needs("chromium-headless-shell")
@pytest.mark.parametrize("name", sampled(PICTURES, [name for name in PICTURES if name != "answer"]))
def test_a_picture_is_of_the_page_as_it_is(browser: Browser, tmp_path: Path, name: str) -> None:
    """Word for word; `make pictures` makes them anew."""
    visit = PICTURES[name].visit(browser, tmp_path)
    words = words_of(visit)
    visit.close()
    assert words == (FOLDER / f"{name}.txt").read_text(encoding="utf-8")


def test_every_picture_is_there_and_small() -> None:
    """What is in README and docs is read over the network."""
    assert max((FOLDER / f"{name}.png").stat().st_size for name in PICTURES) <= MOST

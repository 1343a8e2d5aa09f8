"""The browser that all tests of a process share, and the files that they look at."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser

from tests.support.cli import run
from tests.support.visits import Visit, browsing


class Opens(Protocol):
    """Opens a file at a place of it, in a new visit."""

    def __call__(self, file: Path, place: str = "", **options: Any) -> Visit: ...


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A browser."""
    with browsing() as found:
        yield found


@pytest.fixture
def opens(browser: Browser) -> Iterator[Opens]:
    """Opens files; visits end with the test."""
    visits: list[Visit] = []

    def opened(file: Path, place: str = "", **options: Any) -> Visit:
        visits.append(Visit(browser, file, place, **options))
        return visits[-1]

    yield opened
    for visit in visits:
        visit.close()


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A function that writes a report about what its arguments select, once."""
    folder = tmp_path_factory.mktemp("reports")

    @cache
    def report(*selection: str) -> Path:
        file = folder / f"{len(list(folder.iterdir()))}.html"
        result = run("report", *selection, "-o", str(file))
        assert result.exit_code == 0, result.output
        return file

    return report

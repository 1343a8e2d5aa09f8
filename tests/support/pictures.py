"""The pictures of README and docs, and the texts of the pages that they are made of: `make pictures` makes both anew.

A picture is compared by its text: pixels depend on fonts and on the browser. So each lies beside a file with the words of the page at the place
where it was taken, and a test makes the page again.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from playwright.sync_api import Browser

from tests.support.cli import run
from tests.support.visits import Visit, browsing

__all__ = ["FOLDER", "PICTURES", "Picture", "words_of"]

ROOT = Path(__file__).parents[2]
FOLDER: Final = ROOT / "docs" / "pictures"
#: no picture has more bytes
MOST: Final = 200_000


class Picture(NamedTuple):
    """A picture.

    Attributes:
        selection: what the report is about; a log is read by `log`.
        place: where in it.
        height: how much of the page is seen, in pixels.
        scheme: light or dark.
    """

    selection: tuple[str, ...]
    place: str
    height: int
    scheme: str = "light"

    def visit(self, browser: Browser, folder: Path) -> Visit:
        """The page at its place."""
        file = folder / "report.html"
        words = (
            ("log", *self.selection, "--html")
            if self.selection[0].endswith(".log")
            else ("report", *self.selection, "-o")
        )
        done = run(*words, str(file))
        assert done.exit_code in (0, 12), done.output
        view = {"width": 1200, "height": self.height}
        return Visit(browser, file, self.place, viewport=view, color_scheme=self.scheme, reduced_motion="reduce")


#: by name, without a suffix
PICTURES: Final = {
    "answer": Picture(("--revision", "v2.6.0"), "#/", 900),
    "explorer": Picture(("--revision", "v2.6.0", "--scenario", "mirror"), "#/0/0/26", 840),
    "explorer-branch": Picture(("--revision", "v2.6.0", "--scenario", "mirror"), "#/0/0/17/0.0.0.0", 800, "dark"),
    "own-model": Picture(("examples/event_loop.py:event_loop",), "#/0/0/9999", 900),
    "log": Picture(("tests/data/made-logs/00-new-loss.log",), "#/0/0/3", 800),
    "deadlock": Picture(("examples/deadlock.py:deadlock",), "#/0/1/9999", 900),
}


def words_of(visit: Visit) -> str:
    """The words that the page shows, as lines; versions are left out."""
    text = visit.page.locator(".app").inner_text()
    lines = (line.strip() for line in text.splitlines())
    return "".join(f"{line}\n" for line in lines if line and not line.startswith("Made by"))


def _made(browser: Browser) -> Iterator[tuple[str, bytes, str]]:
    for name, picture in PICTURES.items():
        with TemporaryDirectory() as folder:
            visit = picture.visit(browser, Path(folder))
            yield name, visit.page.screenshot(), words_of(visit)
            visit.close()


def main() -> None:
    """Make all pictures anew."""
    FOLDER.mkdir(exist_ok=True)
    with browsing() as browser:
        for name, picture, words in _made(browser):
            assert len(picture) <= MOST, f"{name}: {len(picture)} bytes"
            (FOLDER / f"{name}.png").write_bytes(picture)
            (FOLDER / f"{name}.txt").write_text(words, encoding="utf-8")
            print(f"docs/pictures/{name}.png: {len(picture)} bytes")


if __name__ == "__main__":
    main()

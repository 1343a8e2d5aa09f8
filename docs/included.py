"""Pages that include a file from elsewhere in the repository: links to that file lead to the page when the documentation is built.

So a page links to the file that is there, `../../LANGUAGE.md#6-properties`, and is right in both views.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

__all__ = ["FOLDER", "as_built", "inclusions"]

FOLDER = Path(__file__).parent

_INCLUSION = re.compile(r"^```\{include\} (.*)$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s#:]+\.md)(?=[)#])")


def inclusions(page: Path, text: str) -> list[Path]:
    """The files that a page includes."""
    return [_there(page, name) for name in _INCLUSION.findall(text)]


def as_built(page: Path, text: str) -> str:
    """The text of a page of this folder, with links to what other pages include led to these pages."""

    def led(link: re.Match[str]) -> str:
        home = _homes().get(_there(page, link[1]))
        return link[0] if home is None else f"]({os.path.relpath(home, page.parent)}"

    return _LINK.sub(led, text)


def _homes() -> dict[Path, Path]:
    """File -> the page that includes it."""
    pages = {page: page.read_text(encoding="utf-8") for page in FOLDER.rglob("*.md")}
    return {file: page for page, text in pages.items() for file in inclusions(page, text)}


def _there(page: Path, name: str) -> Path:
    return (page.parent / name).resolve()

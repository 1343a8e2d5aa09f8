"""Links in README and the documentation: the files are there, and in these the headings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from tests.support.house import ROOT

PAGES = sorted(
    path.relative_to(ROOT)
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "specs/README.md", ROOT / "tests/README.md")
)

INCLUDED = r"^```\{include\} (.*)$"


def links(text: str) -> list[str]:
    """Where the links and pictures of a page lead, those out of the repository left out."""
    inline = [child for token in MarkdownIt("commonmark").enable("table").parse(text) for child in token.children or ()]
    targets = [str(child.attrGet("href") or child.attrGet("src") or "") for child in inline]
    return [target for target in targets if target and not re.match(r"\w+:", target)]


def anchors(path: Path) -> set[str]:
    """What can stand behind `#` in a link to a page: its headings, as GitHub and MyST name them; those of a page that it includes, too."""
    text = path.read_text(encoding="utf-8")
    included = re.findall(INCLUDED, text, re.MULTILINE)
    own = {_slug(heading) for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}
    return own.union(*(anchors(path.parent / each) for each in included))


def _slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def broken(page: Path, text: str) -> list[str]:
    """Links of a page that lead nowhere."""
    found = list[str]()
    for link in links(text):
        name, _, anchor = link.partition("#")
        there = (ROOT / page).parent / name if name else ROOT / page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            found.append(link)
    return found


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_a_link_leads_somewhere(page: Path) -> None:
    """Each of them."""
    assert broken(page, (ROOT / page).read_text(encoding="utf-8")) == []


def test_a_link_that_leads_nowhere_is_noticed() -> None:
    """Negative control: another file, another heading, a picture; those of others are not asked."""
    text = "[a](docs/nowhere.md) [b](docs/tutorial.md#nothing) ![c](no.png) [d](https://no.example/) [e](docs/tutorial.md#3-check-it)"
    assert broken(Path("README.md"), text) == ["docs/nowhere.md", "docs/tutorial.md#nothing", "no.png"]
    assert broken(Path("README.md"), "| t |\n|---|\n| [f](gone.md) |") == ["gone.md"]


def test_every_page_can_be_reached() -> None:
    """From README and the index, by links, tables of contents and includes; docs/README.md is for those who write pages."""
    reached, todo = {ROOT / "docs/README.md"}, [ROOT / "README.md", ROOT / "docs/index.md"]
    while todo:
        page = todo.pop()
        if page not in reached and page.suffix == ".md":
            reached.add(page)
            todo += [there for there in onward(page) if there.exists()]
    assert set((ROOT / "docs").rglob("*.md")) - reached == set()


def onward(page: Path) -> list[Path]:
    """Where a page leads."""
    text = page.read_text(encoding="utf-8")
    contents = "\n".join(re.findall(r"^```\{toctree\}\n(?::.*\n)*\n(.*?)```", text, re.MULTILINE | re.DOTALL))
    names = [link.partition("#")[0] for link in links(text)] + [f"{name}.md" for name in contents.split()]
    return [(page.parent / name).resolve() for name in [*names, *re.findall(INCLUDED, text, re.MULTILINE)] if name]

"""Links in README and the documentation, where the repository is read and as they are built: the files are there, and in these the headings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from docs.included import FOLDER, as_built, inclusions
from tests.support.house import ROOT

PAGES = sorted(
    path.relative_to(ROOT)
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "specs/README.md", ROOT / "tests/README.md")
)

#: the pages that are built
BUILT = [page for page in PAGES if page.parts[0] == "docs" and page.name != "README.md"]


def links(text: str) -> list[str]:
    """Where the links and pictures of a page lead, those out of the repository left out."""
    inline = [child for token in MarkdownIt("commonmark").enable("table").parse(text) for child in token.children or ()]
    targets = [str(child.attrGet("href") or child.attrGet("src") or "") for child in inline]
    return [target for target in targets if target and not re.match(r"\w+:", target)]


def anchors(path: Path, built: bool = False) -> set[str]:
    """What can stand behind `#` in a link to a page: its headings, as GitHub and MyST name them; as built those of what it includes, too."""
    text = path.read_text(encoding="utf-8")
    found = {_slug(heading) for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}
    return found.union(*(anchors(each) for each in inclusions(path, text) if built))


def _slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def broken(page: Path, text: str) -> list[str]:
    """Links of a page that lead nowhere in the repository, or to a page that is nothing there, as all that it says is included."""
    return [link for link in links(text) if not _leads(page, link, built=False)]


def broken_as_built(page: Path, text: str) -> list[str]:
    """Links of a page of the documentation that lead nowhere when it is built, or out of it."""
    return [link for link in links(as_built(ROOT / page, text)) if not _leads(page, link, built=True)]


def _leads(page: Path, link: str, built: bool) -> bool:
    name, _, anchor = link.partition("#")
    there = ((ROOT / page).parent / name).resolve() if name else ROOT / page
    if not there.exists() or (built and FOLDER not in there.parents):
        return False
    if not built and there.suffix == ".md" and there.read_text(encoding="utf-8").startswith("```{include}"):
        return False
    return not anchor or anchor in anchors(there, built)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_a_link_leads_somewhere(page: Path) -> None:
    """Each of them, in the repository."""
    assert broken(page, (ROOT / page).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", BUILT, ids=str)
def test_a_link_leads_somewhere_as_built(page: Path) -> None:
    """Each of them, and none out of the documentation."""
    assert broken_as_built(page, (ROOT / page).read_text(encoding="utf-8")) == []


def test_a_link_that_leads_nowhere_is_noticed() -> None:
    """Negative control: another file, another heading, a picture; those of others are not asked."""
    text = "[a](docs/nowhere.md) [b](docs/tutorial.md#nothing) ![c](no.png) [d](https://no.example/) [e](docs/tutorial.md#3-check-it)"
    assert broken(Path("README.md"), text) == ["docs/nowhere.md", "docs/tutorial.md#nothing", "no.png"]
    assert broken(Path("README.md"), "| t |\n|---|\n| [f](gone.md) |") == ["gone.md"]


def test_a_page_that_is_included_is_linked_where_it_is() -> None:
    """Negative control: the page that includes it is nothing in the repository, and has no headings; built it has, and the link leads there."""
    page, stub = (
        Path("docs/how-to/sizes.md"),
        "[a](../reference/language.md) [b](../reference/language.md#6-properties)",
    )
    assert broken(page, stub) == ["../reference/language.md", "../reference/language.md#6-properties"]
    home = "[a](../../LANGUAGE.md) [b](../../LANGUAGE.md#6-properties) [c](../../LANGUAGE.md#7-nothing)"
    assert broken(page, home) == ["../../LANGUAGE.md#7-nothing"]
    assert as_built(ROOT / page, home) == home.replace("../../LANGUAGE.md", "../reference/language.md")
    assert broken_as_built(page, home) == ["../reference/language.md#7-nothing"]
    assert broken_as_built(page, "[d](../../README.md)") == ["../../README.md"]


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
    contents = "\n".join(re.findall(r"^```\{toctree\}\n(?::[^\n]*\n)*\n(.*?)```", text, re.MULTILINE | re.DOTALL))
    names = [link.partition("#")[0] for link in links(text)] + [f"{name}.md" for name in contents.split()]
    return [*((page.parent / name).resolve() for name in names if name), *inclusions(page, text)]

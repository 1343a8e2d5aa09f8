"""CONTRIBUTING.md's model: that it is not as it expects would be noticed (what the page does is done by tests/golden/test_pages.py)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.cli import run
from tests.support.house import ROOT

#: a name of the code that a sentence mentions: what is called, with its bracket, what is private, a class or a constant
NAME = re.compile(r"`(_\w+\(|[a-z]\w*\(|_\w+|[A-Z][A-Za-z]+)[^`]*`")

PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


@pytest.fixture
def typed_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example as a file."""
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    Path("queue_resume.py").write_text(code, encoding="utf-8")


@pytest.mark.usefixtures("typed_in")
def test_a_file_that_expects_something_else_is_noticed() -> None:
    """Negative control: without one of its expectations it is not as it says."""
    file = Path("queue_resume.py")
    assert run("check", "queue_resume.py").exit_code == 0
    file.write_text(
        file.read_text(encoding="utf-8").replace('expect={"no deadlock": "violated"}', "expect={}"), encoding="utf-8"
    )
    assert run("check", "queue_resume.py").exit_code == 10


@pytest.mark.parametrize("title", ["Add a revision", "Add an engine"])
def test_what_a_recipe_names_is_there(title: str) -> None:
    """Each name of the code stands in one of the files that the same recipe names."""
    recipe = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    named = [
        place / name for name in re.findall(r"`([\w/]+\.py)`", recipe) for place in (ROOT, ROOT / "model/draincheck")
    ]
    code = "".join(file.read_text(encoding="utf-8") for file in named if file.exists())
    assert [name for name in NAME.findall(recipe) if not re.search(rf"\b{re.escape(name)}", code)] == []

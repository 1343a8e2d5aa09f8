"""The pictures of graphs in the documentation are those that the commands of their page draw, as far as words go: places are up to Graphviz."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.cli import run
from tests.support.drawn_graphs import texts
from tests.support.house import ROOT

pytestmark = pytest.mark.needs("dot")

PICTURES = ROOT / "docs" / "pictures"
UPDATE = "UPDATE_GOLDEN" in os.environ

#: the commands of docs/how-to/pictures.md that draw, by the pictures' names
COMMANDS = {"bandage.svg": ("--revision", "ab27c3b5e7"), "S1-path.svg": ("--trace", "S1.json")}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the trace in it that the page exports."""
    monkeypatch.chdir(tmp_path)
    trace = run("trace", "export", "--revision", "ab27c3b5e7", "--property", "S1", "-o", "S1.json")
    assert trace.exit_code == 0
    return tmp_path


@pytest.mark.parametrize("name", COMMANDS)
def test_a_picture_says_what_its_command_draws(name: str, desk: Path) -> None:
    """Line by line; `UPDATE_GOLDEN=1` draws it anew."""
    assert run("graph", *COMMANDS[name], "-o", name).exit_code == 0
    drawn, kept = (desk / name).read_text(encoding="utf-8"), PICTURES / name
    if UPDATE:
        kept.write_text(drawn, encoding="utf-8")
    assert texts(drawn) == texts(kept.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_picture_that_says_something_else_is_noticed(name: str) -> None:
    """Negative control: one word otherwise."""
    kept = (PICTURES / name).read_text(encoding="utf-8")
    assert "safe for good" in texts(kept)
    assert texts(kept) != texts(kept.replace("safe for good", "safe", 1))


def test_the_page_shows_both() -> None:
    """Its commands are these."""
    page = (ROOT / "docs/how-to/pictures.md").read_text(encoding="utf-8")
    for name, arguments in COMMANDS.items():
        assert f"check-invariants graph {' '.join(arguments)} -o {name}" in page and f"](../pictures/{name})" in page

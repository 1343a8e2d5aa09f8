"""The walks of ARCHITECTURE.md lead along places that are there, and that what they tell of passes."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

from tests.support.cli import run

ROOT = Path(__file__).parents[2]
PLACE = re.compile(r"^    ([a-z_/0-9]+\.py) +(\w+)  ", re.MULTILINE)
#: a file, and what is defined in it
Place = tuple[str, str]

#: by what a walk begins with commands that lead along it, in turn
COMMANDS: dict[str, Sequence[str]] = {
    "A knob": ["check --revision ab27c3b5e7 --scenario mirror --set walk_checks_external=off"],
    "A trace": ["check --revision ab27c3b5e7 --scenario mirror --property S1", "check examples/deadlock.py:deadlock"],
    "A verdict": ["check --revision ab27c3b5e7 --scenario mirror --property S1"],
    "A certificate": [
        "prove --revision 9a0cec664e --scenario commit --property S1 --output {folder}/S1.smt2",
        "certificate check {folder}/S1.smt2",
    ],
}


def walks() -> dict[str, list[Place]]:
    """The places of each walk, by what it begins with."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    section = text[text.index("## 4. Four walks") : text.index("## 5. ")]
    titles = re.split(r"^\*\*(.*?),", section, flags=re.MULTILINE)[1:]
    return {title: PLACE.findall(places) for title, places in zip(titles[::2], titles[1::2], strict=True)}


def defined(file: str) -> set[str]:
    """The functions and classes of a file."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}


@contextmanager
def passed(seen: dict[Place, None]) -> Generator[None]:
    """What is called in here: functions, and for their methods the classes, in the order in which they are passed first."""

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(str(ROOT)):
            file = frame.f_code.co_filename.removeprefix(f"{ROOT}/")
            seen.update(dict.fromkeys((file, name) for name in frame.f_code.co_qualname.split(".")))

    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(None)


def missed(places: Sequence[Place], commands: Sequence[str], folder: Path) -> list[Place]:
    """The places of a walk that commands do not pass."""
    seen: dict[Place, None] = {}
    with passed(seen):
        for command in commands:
            assert run(*command.format(folder=folder).split()).exit_code in (0, 12, 13)
    return [place for place in places if place not in seen]


@pytest.mark.parametrize("title", COMMANDS)
def test_a_walk_leads_where_something_passes(title: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who opens a file finds the name, and what the walk tells of comes by."""
    monkeypatch.chdir(ROOT)
    places = walks()[title]
    assert all(name in defined(file) for file, name in places)
    assert missed(places, COMMANDS[title], tmp_path) == []


def test_a_place_that_nothing_passes_is_noticed(tmp_path: Path) -> None:
    """The control: what Python alone calls, and a name that nobody has defined."""
    places = [("model/draincheck/checking.py", "check"), ("model/draincheck/run.py", "no_such_name")]
    assert missed(places, COMMANDS["A verdict"], tmp_path) == places


def test_there_are_four_walks() -> None:
    """No line of them is passed over."""
    assert {title: len(places) for title, places in walks().items()} == dict(zip(COMMANDS, (10, 9, 7, 9), strict=True))

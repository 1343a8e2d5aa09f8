"""The house is as ARCHITECTURE.md draws it: arrows between rooms lead downstairs, and no file needs itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.house import ROOT, Module, arrows, circles, lost, modules, room, upward
from tests.support.sizes import sizes

pytestmark = pytest.mark.slow

PAGE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")


def floors() -> list[list[str]]:
    """The rooms of each floor, from above, as the page lists them."""
    _, _, below = PAGE.partition("Arrows point down, never up")
    lines = below.partition("\n\n")[2].partition("\n\n")[0].splitlines()
    return [
        [name if number < 3 else f"draincheck.{name}" for name in line.split()] for number, line in enumerate(lines)
    ]


@pytest.fixture(scope="module")
def graph() -> dict[str, set[str]]:
    """What each file of the house imports."""
    return arrows(modules())


def test_arrows_lead_downstairs(graph: dict[str, set[str]]) -> None:
    """Every room is on a floor of ARCHITECTURE.md, section 3, and imports only what is on lower floors."""
    assert upward(graph, floors()) == []


def test_no_imports_run_in_a_circle(graph: dict[str, set[str]]) -> None:
    """Those inside functions count, and those that a table names; what type checkers alone read does not."""
    assert circles(graph) == []


def test_what_a_table_names_is_there() -> None:
    """Whatever is loaded when it is called for: no type checker follows a text."""
    assert lost(modules()) == []


def test_every_room_is_there(graph: dict[str, set[str]]) -> None:
    """The page names no room that is gone."""
    assert {name for line in floors() for name in line} == {room(name) for name in graph}


# -- negative controls ------------------------------------------------------------------------------

LOWER = "from __future__ import annotations\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from draincheck.upper import X\n"


def house(folder: Path, **files: str) -> dict[str, Module]:
    """A small house with these files in the library."""
    for name, text in files.items():
        path = folder / "model" / "draincheck" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return modules(folder, {"draincheck": "model"})


@pytest.mark.parametrize("text", ["import draincheck.upper", "from draincheck import upper", "from .upper import X"])
def test_an_arrow_upstairs_is_noticed(tmp_path: Path, text: str) -> None:
    """However it is written, and inside a function too."""
    found = arrows(house(tmp_path, upper="from draincheck.lower import Y", lower=f"def f():\n    {text}\n"))
    assert upward(found, [["draincheck.upper"], ["draincheck.lower"]]) == ["draincheck.lower -> draincheck.upper"]
    assert circles(found) == [["draincheck.lower", "draincheck.upper"]]


def test_an_arrow_that_a_table_has_is_noticed(tmp_path: Path) -> None:
    """And one that leads nowhere, to no such name or to no such module; not what merely has a colon."""
    table = "HOMES = 'draincheck.upper:Y', 'draincheck.upper:Z', 'draincheck.none:Y', 'draincheck.upper: Y', 'other:Y'"
    known = house(tmp_path, upper="from draincheck.lower import HOMES\nclass Y: ...", lower=table)
    assert upward(arrows(known), [["draincheck.upper"], ["draincheck.lower"], ["draincheck.none"]]) == [
        "draincheck.lower -> draincheck.upper"
    ]
    assert circles(arrows(known)) == [["draincheck.lower", "draincheck.upper"]]
    assert lost(known) == ["draincheck.lower: draincheck.none:Y", "draincheck.lower: draincheck.upper:Z"]


def test_what_type_checkers_read_is_no_arrow(tmp_path: Path) -> None:
    """The other control: the same for types alone."""
    found = arrows(house(tmp_path, upper="from draincheck.lower import Y", lower=LOWER))
    assert upward(found, [["draincheck.upper"], ["draincheck.lower"]]) == []
    assert circles(found) == []


def test_a_room_on_no_floor_is_noticed(tmp_path: Path) -> None:
    """A new room has to be drawn."""
    assert upward(arrows(house(tmp_path, upper="")), []) == ["draincheck.upper is on no floor"]


CODE = '''"""Doc."""

from typing import Any, cast


def f(x: Any) -> int:
    """Doc.

    More.
    """
    # why
    return cast(int, (
        x
    ))
'''


def test_sizes_count_what_is_code(tmp_path: Path) -> None:
    """No blank line, comment or docstring; functions as long as they are; `Any` and `cast` where they are used."""
    found = sizes(house(tmp_path, one=CODE, two="x = 1\n" * 451).values())
    assert (found.files, found.code, found.functions) == (2, 5 + 451, (9,))
    assert (found.loose, found.casts, found.large) == (1, 1, (("draincheck.two", 451),))

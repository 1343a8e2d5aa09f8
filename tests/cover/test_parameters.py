"""Parameters of a function that makes a model: by its signature, from texts and from values."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Literal

import pytest

from draincheck.errors import UnfitParameters
from draincheck.parameters import MOST, Parameters, called_with
from draincheck.sorts import Value

if TYPE_CHECKING:
    from nowhere import Unknown  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]


class Mode(Enum):
    FAST = 1
    SLOW = 2


def build(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    recheck: bool = False,
    cycles: int = 1,
    name: str = "x",
    how: Literal["spin", "sleep", 3] = "spin",
    mode: Mode = Mode.FAST,
    most: int | None = None,
    by_default=True,
    ratio: float = 0.5,
    what: Unknown = None,
) -> dict[str, object]:
    """All kinds of parameter."""
    return locals()


TAKES = Parameters.of(build, "build")


def mixed(x: Literal[0, 1, True, False] = 0) -> None:
    """Values that Python takes for the same."""


def test_values_that_python_takes_for_the_same_are_several() -> None:
    """True is 1 there, and is written otherwise here; what is said twice is one."""
    (found,) = Parameters.of(mixed, "mixed").all
    values = found.several("0,1,on,off,1,on")
    assert [(type(value), value) for value in values] == [(int, 0), (int, 1), (bool, True), (bool, False)]


@pytest.mark.parametrize(
    ("name", "given", "meant"),
    [
        ("recheck", "on", True),
        ("recheck", "No", False),
        ("recheck", True, True),
        ("cycles", "-3", -3),
        ("cycles", 3, 3),
        ("name", "on", "on"),
        ("name", "2..4", "2..4"),
        ("how", "sleep", "sleep"),
        ("how", "3", 3),
        ("how", 3, 3),
        ("mode", "SLOW", "SLOW"),
        ("most", "7", 7),
        ("by_default", "off", False),
    ],
)
def test_a_value_is_read_by_the_type_of_its_parameter(name: str, given: Value, meant: Value) -> None:
    """Annotations count, `X | None` is X, and without one the default's type."""
    (found,) = TAKES.read({name: given}).values()
    assert (type(found), found) == (type(meant), meant)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("recheck", "maybe"),
        ("recheck", "1"),
        ("recheck", 1),
        ("cycles", "two"),
        ("cycles", "2.5"),
        ("cycles", ""),
        ("cycles", "1_000"),
        ("cycles", True),
        ("cycles", "2..4"),
        ("name", 3),
        ("how", "spinn"),
        ("how", True),
        ("mode", "1"),
        ("most", "none"),
        ("ratio", "0.5"),
        ("what", "x"),
        ("rechek", "on"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_parameters_name(name: str, given: Value) -> None:
    """Neither another type nor another spelling passes for a value."""
    with pytest.raises(UnfitParameters, match=name):
        TAKES.read({name: given})


def test_an_unknown_parameter_names_the_nearest_and_all() -> None:
    """So that one message is enough."""
    with pytest.raises(
        UnfitParameters, match=r"did you mean recheck\?; build\(\) takes recheck \(off or on; default off\), cycles"
    ):
        TAKES.read({"rechek": "on"})


def test_a_parameter_without_default_is_demanded() -> None:
    """Given by position or by name."""

    def needs(first: int, /, *, second: bool) -> tuple[int, bool]:
        return first, second

    takes = Parameters.of(needs, "needs")
    with pytest.raises(UnfitParameters, match=r"needs\(\) needs second"):
        takes.read({"first": "1"})
    assert called_with(needs, takes.made(takes.read({"second": "on", "first": "1"}))) == (1, True)


def test_a_function_gets_members_where_files_have_names() -> None:
    """An Enum's member is written by its name."""
    values = TAKES.read({"mode": "SLOW", "cycles": "2"})
    assert values == {"cycles": 2, "mode": "SLOW"}
    got = called_with(build, TAKES.made(values))
    assert isinstance(got, dict)
    assert (got["mode"], got["cycles"], got["how"]) == (Mode.SLOW, 2, "spin")


@pytest.mark.parametrize(
    ("name", "given", "meant"),
    [
        ("cycles", "2..4", (2, 3, 4)),
        ("cycles", "-1..1,7, 9", (-1, 0, 1, 7, 9)),
        ("cycles", "2,2", (2,)),
        ("cycles", 5, (5,)),
        ("recheck", "on,off", (True, False)),
        ("mode", "FAST,SLOW", ("FAST", "SLOW")),
        ("name", "a,b", ("a,b",)),
    ],
)
def test_lists_and_ranges_are_several_values(name: str, given: Value, meant: tuple[Value, ...]) -> None:
    """But of a text, which may contain anything."""
    assert TAKES.named(name).several(given) == meant


@pytest.mark.parametrize("given", ["4..2", "1..", "1,,2", "2..x", f"0..{MOST}", "on..off"])
def test_ranges_that_are_none_are_refused(given: str) -> None:
    """An empty one and an enormous one, too."""
    with pytest.raises(UnfitParameters, match="cycles"):
        TAKES.named("cycles").several(given)
    assert len(TAKES.named("cycles").several(f"1..{MOST}")) == MOST


@pytest.mark.parametrize("function", [print, int, lambda *a, **k: None])
def test_what_has_no_parameters_to_set_takes_none(function: Callable[..., object]) -> None:
    """Nothing fails where a signature cannot be had, or takes anything."""
    with pytest.raises(UnfitParameters):
        Parameters.of(function, "f").read({"nothing of the kind": "1"})

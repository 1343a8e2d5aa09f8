"""Prime cubes and covers, held against their definitions on random sets."""

from __future__ import annotations

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from draincheck.analysis.decision_tables import Cube, Space, cover, members, prime_cubes

SIZES = st.lists(st.integers(2, 3), min_size=1, max_size=4).map(tuple)


@st.composite
def sets_of_vectors(draw: st.DrawFn) -> tuple[tuple[int, ...], int]:
    """Sizes of some knobs, and a set of vectors over them."""
    sizes = draw(SIZES)
    count = 1
    for size in sizes:
        count *= size
    return sizes, draw(st.integers(0, (1 << count) - 1))


def cubes(sizes: tuple[int, ...]) -> list[tuple[int, ...]]:
    return list(product(*(range(1, 1 << size) for size in sizes)))


def larger(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return a != b and all(x & ~y == 0 for x, y in zip(a, b, strict=True))


@given(sets_of_vectors())
@settings(max_examples=60, deadline=None)
def test_prime_cubes_are_the_maximal_cubes_inside(given_set: tuple[tuple[int, ...], int]) -> None:
    """By definition: every cube in the set that no larger cube in the set contains."""
    sizes, wanted = given_set
    inside = [choices for choices in cubes(sizes) if members(choices, sizes) & ~wanted == 0]
    maximal = {a for a in inside if not any(larger(a, b) for b in inside)}
    found = prime_cubes(wanted, sizes)
    assert set(found) == maximal and len(found) == len(maximal)


KNOBS = ("order", "drain", "begin", "park_requests")
SPACE = Space(KNOBS)
SUBSETS = st.integers(0, SPACE.everything)


def covered(table: tuple[Cube, ...]) -> int:
    return sum(1 << SPACE.number(v) for v in SPACE.vectors() if any(cube.contains(v) for cube in table))


@given(SUBSETS)
@settings(max_examples=60, deadline=None)
def test_a_cover_contains_exactly_its_set(wanted: int) -> None:
    """Vector by vector, through `Cube.contains`."""
    assert covered(cover(SPACE, wanted)) == wanted


@given(SUBSETS, SUBSETS)
@settings(max_examples=60, deadline=None)
def test_free_vectors_may_be_covered_and_no_others(wanted: int, free: int) -> None:
    """All that is wanted, nothing that is neither wanted nor free."""
    wanted &= ~free
    found = covered(cover(SPACE, wanted, free))
    assert wanted & ~found == 0 and found & ~(wanted | free) == 0


@given(SUBSETS)
@settings(max_examples=60, deadline=None)
def test_no_cube_of_a_cover_is_superfluous(wanted: int) -> None:
    """Negative control of the exactness: leaving out any one cube leaves something uncovered."""
    table = cover(SPACE, wanted)
    assert all(covered((*table[:i], *table[i + 1 :])) != wanted for i in range(len(table)))


def test_values_that_nobody_wants_are_not_shown() -> None:
    """A value that only free vectors have is left out of a knob that matters; a knob that does not matter is not brought in for it."""
    wanted = SPACE.members({"drain": "nested", "begin": "none"})
    free = SPACE.members({"drain": "yield_first"})
    assert [str(cube) for cube in cover(SPACE, wanted, free)] == ["drain=nested, begin=none"]
    free |= SPACE.members({"drain": "yield_late"})
    assert [str(cube) for cube in cover(SPACE, wanted, free)] == ["begin=none"]


def test_vectors_are_numbered_in_their_order() -> None:
    """2 x 3 x 3 x 2 vectors, each with its own number."""
    assert [SPACE.number(vector) for vector in SPACE.vectors()] == list(range(36))
    assert SPACE.members({}) == SPACE.everything and SPACE.members({"order": "any"}).bit_count() == 18


def test_cubes_read_as_text() -> None:
    """Only the knobs that matter, with the values they may have; switches as on and off."""
    wanted = SPACE.members({"begin": "none", "park_requests": True}) | SPACE.members(
        {"begin": "after_release", "park_requests": True}
    )
    assert [str(cube) for cube in cover(SPACE, wanted)] == ["begin=none or after_release, park_requests=on"]
    assert [str(cube) for cube in cover(SPACE, SPACE.everything)] == ["(anything)"]
    assert cover(SPACE, 0) == ()

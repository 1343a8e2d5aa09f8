"""Memory for machine code: as much as was asked for, whatever the system's pages are like."""

from __future__ import annotations

import itertools
import mmap

import pytest

from draincheck.engines import liveness
from draincheck.lang import Model
from draincheck.native.memory import LARGE, Pages
from draincheck.native.tiers import Tier
from draincheck.verdict import Outcome

SIZES = [1, 4097, 2 * LARGE - 1, 2 * LARGE, 2 * LARGE + 8, 3 * LARGE]


@pytest.mark.parametrize("size", SIZES)
def test_a_view_is_as_long_as_was_asked(size: int) -> None:
    """The last of the large pages may be longer."""
    with Pages(size).view as view:
        assert len(view) == size
        view[:] = b"\xff" * size


@pytest.mark.parametrize("grows_in_place", [True, False])
@pytest.mark.parametrize(("size", "larger"), [*itertools.pairwise(SIZES)])
def test_what_is_in_it_stays_when_it_grows(
    size: int, larger: int, grows_in_place: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is new is zero; also where the system cannot make a map larger."""
    if not grows_in_place:
        monkeypatch.setattr("draincheck.native.memory._taken", lambda size: Rigid(-1, size))
    pages = Pages(size)
    with pages.view as view:
        view[:] = b"\x07" * size
    pages.grow(larger)
    with pages.view as view:
        assert bytes(view) == b"\x07" * size + bytes(larger - size)


class Rigid(mmap.mmap):
    """A map that stays as large as it is."""

    def resize(self, newsize: int) -> None:
        """Not here."""
        raise OSError


@pytest.mark.slow
def test_more_parts_of_a_graph_than_a_large_page_has_room_for() -> None:
    """823,543 states that are not done, each a part of its own: seven threads that may stop anywhere, and one that does not."""
    m = Model("many parts")
    done = m.bool("done")
    for number in range(7):
        with m.thread(f"w{number}", may_stop=True) as p:
            for step in range(6):
                p.do(f"s{step}")
    with m.thread("main") as p:
        p.do("finish", done.set())
    m.eventually("done", done)
    m.progress()
    system = m.compile()
    found = liveness.decide(system, tier=Tier.NATIVE)["done"]
    assert found.outcome is Outcome.HOLDS

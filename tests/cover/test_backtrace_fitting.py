"""How a stack of a backtrace is laid over the calls of a process."""

from __future__ import annotations

import itertools
from random import Random

import pytest

from draincheck.backtrace.fitting import ABSENT, INLINED, STRANGE, fit
from draincheck.backtrace.stacks import GAP

CALLS = ("main_loop_wait", "os_host_main_loop_wait", "g_main_context_dispatch", "aio_dispatch", "aio_bh_poll")


def brute(frames: tuple[str, ...], calls: tuple[str, ...]) -> int:
    """The same by trying every choice of which frames stand for which calls; a gap takes in any run of calls."""
    best = None
    for chosen in itertools.product((False, True), repeat=len(frames)):
        kept = [i for i, name in enumerate(frames) if chosen[i] and name != GAP]
        for places in itertools.combinations(range(len(calls)), len(kept)):
            if any(frames[i] != calls[j] for i, j in zip(kept, places, strict=True)):
                continue
            cost = STRANGE * sum(not chosen[i] and name != GAP for i, name in enumerate(frames))
            cost += _missing(frames, kept, places, len(calls))
            best = cost if best is None else min(best, cost)
    assert best is not None
    return best


def _missing(frames: tuple[str, ...], kept: list[int], places: tuple[int, ...], number: int) -> int:
    """What the calls between those that were found cost, as the module's text says it."""
    cost, ends = 0, [(-1, -1), *zip(kept, places, strict=True), (len(frames), number)]
    for (i, a), (j, b) in itertools.pairwise(ends):
        if b - a > 1 and GAP not in frames[i + 1 : j]:
            cost += (b - a - 1) * (INLINED if i >= 0 and j < len(frames) else ABSENT)
    return cost


def test_the_same_fits() -> None:
    """Perfectly."""
    assert fit(CALLS, CALLS).cost == 0


@pytest.mark.parametrize(
    ("frames", "cost"),
    [
        (("main_loop_wait", GAP, "aio_bh_poll"), 0),
        ((GAP,), 0),
        (("main_loop_wait", "g_main_context_dispatch", "aio_dispatch", "aio_bh_poll"), INLINED),
        (CALLS[:-1], ABSENT),
        (CALLS[1:], ABSENT),
        ((*CALLS, "mirror_exit"), STRANGE),
        (("mirror_exit", GAP), STRANGE),
    ],
)
def test_what_does_not_fit_is_counted(frames: tuple[str, ...], cost: int) -> None:
    """Gaps match anything; what is inlined, absent or strange has its price."""
    assert fit(frames, CALLS).cost == cost


def test_the_cheapest_way_is_found() -> None:
    """Against trying all ways, on many short stacks."""
    chance = Random(7)
    for _ in range(400):
        frames = tuple(chance.choice(["a", "b", "c", GAP]) for _ in range(chance.randint(1, 5)))
        calls = tuple(chance.choice("abc") for _ in range(chance.randint(1, 5)))
        found = fit(frames, calls)
        assert found.cost == brute(frames, calls)

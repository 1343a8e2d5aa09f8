"""What it takes to look for a backtrace that somebody has made large on purpose: counted, not timed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache, partial
from types import FrameType
from typing import Any

import pytest

from draincheck.backtrace import locating
from draincheck.backtrace.fitting import Fit, fit
from draincheck.backtrace.located import Candidate, Located, candidates, located
from draincheck.backtrace.reading import read_backtrace
from draincheck.verdict import Limits
from drainspecs.mirror.code_base import CodeBase
from tests.support.backtraces import gdb

KNOWN = ("main_loop_wait", "aio_dispatch", "aio_bh_poll", "mirror_exit", "bdrv_drain", "aio_poll", "iothread_run")


@cache
def systems() -> tuple[Candidate, ...]:
    return tuple(candidates([CodeBase.named("65c1b5b622", "dataplane")], Limits(states=100_000)))


def deep(size: int) -> str:
    """One stack, with functions that models know all along."""
    return gdb([("deep", ["clone", "start_thread", *(KNOWN[i * i % len(KNOWN)] for i in range(size))])])


def wide(size: int) -> str:
    """Threads that all stand differently."""
    return gdb((f"T{i}", [KNOWN[i >> (2 * j) & 3] for j in range(6)] + [f"f{i}"]) for i in range(size))


def alike(size: int) -> str:
    """The same thread again and again."""
    return gdb((f"T{i}", ["clone", "start_thread", "iothread_run", "aio_poll", "ppoll"]) for i in range(size))


#: a stack of a recursion without end; more threads than a QEMU has
LARGE = ((deep, 20_000), (wide, 5_000))


def operations(job: Callable[[], object]) -> int:
    """How many functions are called, in Python and in C."""
    count = 0

    def called(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        job()
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize(
    ("made", "size"),
    [*[pytest.param(*each, marks=pytest.mark.slow) for each in LARGE], (deep, 2_000), (wide, 400), (alike, 200)],
)
def test_the_cost_grows_with_the_text(made: Callable[[int], str], size: int) -> None:
    """Four times as large takes at most about four times as long."""
    systems()
    small, large = (operations(partial(found_of, made(length))) for length in (size // 4, size))
    assert large < 4.5 * small


def test_a_square_would_show() -> None:
    """Negative control: of what looks at each pair the count grows sixteenfold."""

    def pairs(size: int) -> int:
        return sum(len((i, j)) for i in range(size) for j in range(size))

    assert operations(partial(pairs, 80)) > 4.5 * operations(partial(pairs, 20))


def test_no_long_stack_is_laid_over_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has more functions than any process can stand in is never laid over one: that would copy a list for each of them."""
    lengths: list[int] = []

    def seen(frames: tuple[str, ...], calls: tuple[str, ...]) -> Fit:
        lengths.append(len(frames))
        return fit(frames, calls)

    monkeypatch.setattr(locating, "fit", seen)
    found_of(deep(5_000))
    found_of(deep(4))
    assert lengths
    assert max(lengths) < 100


def found_of(text: str) -> Located:
    return located(read_backtrace(text), systems())


def test_threads_that_stand_alike_are_looked_for_once() -> None:
    """And counted."""
    (pair,) = [pair for pair in found_of(alike(200)).places[0].match.pairs if pair.stack is not None]
    assert pair.count == 200


def test_threads_that_were_not_looked_for_are_counted() -> None:
    """Nothing is dropped silently."""
    found = found_of(wide(500))
    assert found.left_out > 0
    assert found.left_out + len(found.stacks) <= 500


def test_no_frame_of_a_deep_stack_is_dropped() -> None:
    """The outermost ones say most."""
    (stack,) = read_backtrace(deep(20_000)).stacks
    assert len(stack.frames) == 20_000

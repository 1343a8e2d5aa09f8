"""Work in several processes: the same results in the same order, and errors as they are."""

from __future__ import annotations

import os
from multiprocessing import active_children

import pytest

from check_invariants.exit import NotWritable
from draincheck.pool import in_processes


def square(number: int) -> tuple[int, int]:
    """The square, and who has found it."""
    return number * number, os.getpid()


def fragile(number: int) -> int:
    """Fails at 3."""
    if number == 3:
        raise NotWritable("no room for 3")
    return number


@pytest.mark.parametrize("processes", [1, 2, 3, None])
def test_results_come_in_order(processes: int | None) -> None:
    """Whoever makes them."""
    found = list(in_processes(square, range(20), processes))
    assert [item for item, _ in found] == [number * number for number in range(20)]
    if processes == 1:
        assert {process for _, process in found} == {os.getpid()}
    if processes in (2, 3):
        assert os.getpid() not in {process for _, process in found}


def test_nothing_and_one_need_no_processes() -> None:
    """A single item is done here."""
    assert list(in_processes(square, [])) == []
    assert list(in_processes(square, [3], 4)) == [(9, os.getpid())]


def test_errors_come_through_and_nobody_is_left() -> None:
    """What was done before is given out first; the processes end."""
    before = set(active_children())
    found: list[int] = []
    with pytest.raises(NotWritable, match="no room for 3") as caught:
        found.extend(in_processes(fragile, [1, 2, 3, 4, 5, 6], 2))
    assert caught.value.exit_code == 2
    assert not set(active_children()) - before


def test_who_stops_early_leaves_nobody() -> None:
    """A loop that is left ends the processes."""
    before = set(active_children())
    results = in_processes(square, range(50), 2)
    assert next(results)[0] == 0
    results.close()  # type: ignore[attr-defined]
    assert not set(active_children()) - before

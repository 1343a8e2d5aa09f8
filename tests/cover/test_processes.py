"""Work in several processes: the same results in the same order, and errors as they are."""

from __future__ import annotations

import gc
import os
from typing import Any

import pytest

from check_invariants.exit import NotWritable
from draincheck.engines.explicit import explore
from draincheck.errors import ModelError, ModelFault, WorkerLost
from draincheck.pool import in_processes
from draincheck.semantics.validation import demand_faultless
from draincheck.worker import Worker
from tests.support.machines import counter
from tests.support.processes import children


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


@pytest.mark.parametrize("processes", [0, -1, 1.5, "2", True])
def test_what_is_no_number_of_processes_is_refused(processes: Any) -> None:
    """Whatever there is to do."""
    with pytest.raises(ModelError, match="processes is a whole number from 1, not "):
        list(in_processes(square, [1, 2], processes))


def test_errors_come_through_and_nobody_is_left() -> None:
    """What was done before is given out first; the processes end."""
    before = children(os.getpid())
    found: list[int] = []
    with pytest.raises(NotWritable, match="no room for 3") as caught:
        found.extend(in_processes(fragile, [1, 2, 3, 4, 5, 6], 2))
    assert caught.value.exit_code == 2
    assert not children(os.getpid()) - before


def test_who_stops_early_leaves_nobody() -> None:
    """A loop that is left ends the processes."""
    before = children(os.getpid())
    results = in_processes(square, range(50), 2)
    assert next(results)[0] == 0
    results.close()  # type: ignore[attr-defined]
    assert not children(os.getpid()) - before


class Odd(Exception):
    """An exception that cannot be made again from what it says."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


def odd(number: int) -> int:
    """Fails in a way that cannot be sent."""
    raise Odd(number, number)


def faulty(number: int) -> int:
    """Fails as an engine does that meets a faulty action."""
    demand_faultless(explore(counter(2 + number, guarded=False)).verdicts.values())
    return number


def _refused() -> str:
    """What a process says that cannot do what it was asked for, and that nobody ends."""
    worker = Worker[int, int](fragile)
    worker.ask(3)
    try:
        worker.reply().get()
    except NotWritable as error:
        return str(error)
    return ""


def test_a_process_that_has_failed_ends_when_nobody_holds_it() -> None:
    """At once, and not when Python looks for what refers to itself; negative control: it lives while somebody does."""
    before = children(os.getpid())
    gc.disable()
    try:
        assert _refused() == "no room for 3"
        assert not children(os.getpid()) - before
        held = Worker[int, int](fragile)
        assert children(os.getpid()) - before == {held.process}
        held.end()
    finally:
        gc.enable()


def test_what_cannot_be_sent_is_said_in_words() -> None:
    """Its class and its message come through."""
    with pytest.raises(RuntimeError, match="Odd: 1 and 1"):
        list(in_processes(odd, [1, 2], 2))


def test_faults_come_through_whole() -> None:
    """With the line, the process and the message."""
    with pytest.raises(ModelFault) as caught:
        list(in_processes(faulty, [1, 2], 2))
    error = caught.value
    assert (error.process, str(error.line)) == ("p", "machine.py:1")
    assert str(error) == "machine.py:1: value out of range: number leaves 0..3 (p: count, after 3 actions)"


def ends(number: int) -> int:
    """Takes its process away."""
    os._exit(number)


def test_a_process_that_ends_by_itself_is_an_error() -> None:
    """Nobody waits for what it will never say."""
    with pytest.raises(WorkerLost, match="code 3"):
        list(in_processes(ends, [3, 3], 2))

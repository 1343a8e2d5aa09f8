"""Many runs of the core take as much memory as one: a machine that is closed goes."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from tracemalloc import get_traced_memory, start, stop

import pytest

from check_invariants.__main__ import SELDOM
from draincheck.conformance.matrix import conform_one
from draincheck.core.machine import Machine
from draincheck.core.run import simulate
from draincheck.core.scheduler import PCT, Random, Scheduler
from draincheck.revisions import find_revision
from drainspecs.mirror.code_base import CodeBase
from drainspecs.mirror.scenarios import find_scenario
from tests.support.samples import sampled

CODE_BASE = CodeBase(find_revision("ab27c3b5e7"), find_scenario("mirror"), None, {})

MEGABYTE = 1_000_000


def machines() -> int:
    """How many machines there are."""
    gc.collect()
    return sum(isinstance(item, Machine) for item in gc.get_objects())


@pytest.mark.slow
@pytest.mark.parametrize("scheduler", sampled([Random, PCT], 1))
def test_no_run_is_kept(scheduler: type[Scheduler]) -> None:
    """After a simulation no machine is left, though most stopped in the middle of something."""
    before = machines()
    simulate(*CODE_BASE.on_core(), 0, 20, scheduler=scheduler)
    assert machines() == before


@pytest.mark.slow
def test_a_machine_that_is_not_closed_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands in the middle of something holds its machine: so they have to be closed."""
    before = machines()
    monkeypatch.setattr(Machine, "close", lambda self: None)
    simulate(*CODE_BASE.on_core(), 0, 20)
    assert machines() > before


@pytest.mark.slow
def test_comparing_keeps_no_machine() -> None:
    """Nor does the comparison of model and core, which makes one for each path."""
    before = machines()
    assert not conform_one(CODE_BASE.system(), CODE_BASE.turned.knobs, CODE_BASE.scenario).divergences
    assert machines() <= before + 1


def peak(runs: int) -> int:
    """The most memory that so many runs take, in bytes."""
    start()
    try:
        simulate(*CODE_BASE.on_core(), 0, runs)
        return get_traced_memory()[1]
    finally:
        stop()


@pytest.fixture
def sooner() -> Iterator[None]:
    """Cycles are looked for ten times as often as in the command, where that takes some thousand runs (`__main__.SELDOM`)."""
    gc.set_threshold(SELDOM[0] // 10, *SELDOM[1:])
    yield
    gc.set_threshold(*SELDOM)


@pytest.mark.long
@pytest.mark.usefixtures("sooner")
def test_memory_does_not_grow_with_runs() -> None:
    """Three times as many runs as it takes until cycles are looked for take no more memory."""
    simulate(*CODE_BASE.on_core(), 0, 50)
    few = peak(1_000)
    assert peak(3_000) < few + 2 * MEGABYTE

"""Runs of all kinds, for whatever draws or writes one: a real row, a deadlock, a lasso, a long one, an empty one, names that nobody meant."""

from __future__ import annotations

from collections.abc import Callable

from draincheck.checking import check
from draincheck.report.account import Item
from draincheck.run import Run, Trace
from draincheck.subject import About
from drainspecs.mirror.code_base import CodeBase
from tests.support.machines import clock
from tests.support.reports import nasty_suite, scripted_run, waiting

ABOUT = About("model", "m", "what p does", "m.py:build")


def of_code_base(scenario: str = "mirror", name: str = "S4") -> tuple[Run, About]:
    """A counterexample of v2.6.0."""
    subject = CodeBase.named("v2.6.0", scenario)
    found = check(subject, [name])
    trace = found[name].verdict.trace
    assert trace is not None
    return Run.of(found.system, trace), subject.about


def ticks(number: int, loop: int | None = None) -> Run:
    """A bit that goes up and down so many times."""
    system = clock()
    return Run.of(system, Trace("machine", system.digest, "", (0,), (0, 1) * number, loop))


def _of(item: Item) -> tuple[Run, About]:
    assert item.run is not None
    return item.run, ABOUT


RUNS: dict[str, Callable[[], tuple[Run, About]]] = {
    "mirror": of_code_base,
    "dataplane-stop": lambda: of_code_base("dataplane-stop"),
    "scripted": lambda: (scripted_run(), ABOUT),
    "waiting": lambda: _of(waiting().items[0]),
    "nasty": lambda: _of(nasty_suite().items[0]),
    "long": lambda: (ticks(500), ABOUT),
    "lasso": lambda: (ticks(2, 2), ABOUT),
    "empty": lambda: (ticks(0), ABOUT),
}

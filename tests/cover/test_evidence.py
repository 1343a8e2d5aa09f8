"""What generated code makes up does not become a verdict: paths are executed by the system's own rules."""

from __future__ import annotations

import pytest

from draincheck.engines import explicit
from draincheck.engines.explicit import explore
from draincheck.errors import EvidenceError
from draincheck.exploration import loop
from draincheck.exploration.explorer import Explorer
from draincheck.exploration.loop import StepNote
from draincheck.exploration.writer import Writer
from draincheck.properties import Assertion, Reachable
from draincheck.sorts import BOOL, IntSort
from draincheck.system import BoolVar, IntVar
from draincheck.verdict import Limits
from tests.support.machines import Machine, counter


def test_wrong_successor_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trace that generated code made up does not survive being executed by the system."""
    original = Writer.successor
    monkeypatch.setattr(Writer, "successor", lambda *args: f"{original(*args)} + 1")
    with pytest.raises(EvidenceError, match="does not show it"):
        explore(counter(6, "small"), Limits(states=20))


def test_wrong_guard_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """An action that generated code takes where it is not enabled does not get into a trace."""
    monkeypatch.setattr(Writer, "all_of", lambda *_: "")
    bit, done = BoolVar("bit", BOOL, (0,)), BoolVar("done", BOOL, (0,))
    machine = Machine(bit, done)
    machine.action("finish", bit, done.set())
    machine.action("wait", ~done)
    with pytest.raises(EvidenceError, match="cannot be taken"):
        explore(machine.system(Reachable("done", done)))


def test_wrong_violation_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A path to a state that does not violate the property is no counterexample."""
    monkeypatch.setattr(explicit.Search, "_shown", lambda search, *_: search._found.layers[0][0])
    for name in ("small", "top", "back", "alive"):
        with pytest.raises(EvidenceError, match=f"'{name}' does not show it"):
            explore(counter(5, name))


def test_wrong_assertion_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A path whose last action breaks no assertion is no counterexample to it."""
    number = IntVar("number", IntSort(0, 2), (0,))
    machine = Machine(number)
    machine.action("count", number < 2, number.inc(), checks=[("first", number.is_(0))])
    monkeypatch.setattr(Explorer, "path", lambda *_: ((0,), []))
    with pytest.raises(EvidenceError, match="'first' does not show it"):
        explore(machine.system(Assertion("first")))


def test_wrong_check_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that only generated code finds broken is an error of the engine."""
    machine = Machine(number := IntVar("number", IntSort(0, 2), (0,)))
    machine.action("count", number < 2, number.inc(), checks=[("low", number < 2)])
    monkeypatch.setattr(loop, "StepNote", lambda action, fault, broken="": StepNote(action, fault, broken))
    monkeypatch.setattr(Writer, "condition", lambda *_: "False")
    with pytest.raises(EvidenceError, match=r"action 0 \(count\) does not break 'low' there"):
        explore(machine.system(Assertion("low")))


def test_wrong_fault_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault that only generated code finds is an error of the engine."""
    monkeypatch.setattr(Writer, "condition", lambda *_: "True")
    with pytest.raises(EvidenceError, match="does not show it"):
        explore(counter(5, "small", guarded=False))

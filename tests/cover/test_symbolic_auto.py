"""The race of explicit search and bounded model checking."""

from __future__ import annotations

from threading import Event

import pytest

from draincheck.engines import portfolio
from draincheck.engines.smt import bmc
from draincheck.errors import EvidenceError
from draincheck.expr import all_
from draincheck.properties import Always, CanAlwaysFinish
from draincheck.reason import NothingUpTo
from draincheck.run import rerun
from draincheck.sorts import BOOL
from draincheck.system import BoolVar, TransitionSystem
from draincheck.verdict import Limits, Outcome, Reporter, Verdict
from tests.support.machines import Machine, bounded, counter, event_loop, philosophers


def test_small_system_is_searched_explicitly(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system of a few states is decided before anybody thinks of z3."""
    monkeypatch.setattr(portfolio, "BoundedSearch", None)
    verdict = portfolio.check(counter(5, "small"), "small")
    assert (verdict.outcome, str(verdict.reason)) == (
        Outcome.VIOLATED,
        "explicit search: shortest counterexample: 5 actions",
    )


def combination_lock(digits: int) -> TransitionSystem:
    """A lock that opens at once where every digit happens to be right: explicit search begins with all 2 to the power of `digits`."""
    right, opened = [BoolVar(f"digit {i}", BOOL, (0, 1)) for i in range(digits)], BoolVar("opened", BOOL, (0,))
    machine = Machine(*right, opened)
    machine.action("open", all_(*right), opened.set())
    return machine.system(Always("closed", ~opened))


def test_wide_system_is_left_to_z3() -> None:
    """A shallow bug in a system whose states nobody can list is found by bounded model checking, and the verdict says so."""
    system = combination_lock(digits=60)
    verdict = portfolio.check(system, "closed", first_states=1000)
    assert str(verdict.reason) == "bounded model checking: shortest counterexample: 1 action"
    assert verdict.trace is not None
    assert len(rerun(system, verdict.trace)) == 1


def test_explicit_search_goes_on_beside_z3(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where z3 never answers until it is stopped, explicit search does, with more states each time."""
    stopped = Event()
    monkeypatch.setattr(bmc.BoundedSearch, "stop", lambda self: stopped.set())

    def unanswered(self: bmc.BoundedSearch, reporter: Reporter) -> dict[str, Verdict]:
        assert stopped.wait(600)
        return {"drained": Verdict("drained", Outcome.UNKNOWN, NothingUpTo("counterexample", None))}

    monkeypatch.setattr(bmc.BoundedSearch, "run", unanswered)
    verdict = portfolio.check(event_loop(2, 2), "drained", first_states=100)
    assert (verdict.outcome, str(verdict.reason)) == (Outcome.HOLDS, "explicit search: exhaustive")


def test_property_that_z3_does_not_decide_is_searched_explicitly() -> None:
    """Progress is decided by explicit search alone, however many states that takes."""
    verdict = portfolio.check(philosophers(), "both can rest", first_states=2)
    assert (verdict.outcome, str(verdict.reason)) == (
        Outcome.VIOLATED,
        "explicit search: shortest counterexample: 2 actions",
    )


def test_neither_knows() -> None:
    """If limits stop both, the verdict says how far each of them came."""
    verdict = portfolio.check(event_loop(3, 2), "drained", Limits(states=2000, depth=3), first_states=100)
    assert verdict.outcome is Outcome.UNKNOWN
    assert str(verdict.reason) == (
        "explicit search: state limit 2000 reached after 2000 states; bounded model checking: no counterexample of up to 3 steps"
    )


@pytest.mark.usefixtures("hurry")
def test_time_limit_is_that_of_the_user() -> None:
    """Both engines have what is left of the time, and speak of the limit that was given."""
    verdict = portfolio.check(event_loop(4, 2), "drained", Limits(seconds=9000), first_states=100)
    assert verdict.outcome is Outcome.UNKNOWN
    assert str(verdict.reason).count("time limit 9000 s reached") >= 1
    assert str(verdict.reason).count("time limit") == str(verdict.reason).count("time limit 9000 s")


def test_bound_is_not_a_reason_to_search_on() -> None:
    """What a bound hides stays hidden however many states may be stored."""
    verdict = portfolio.check(bounded(), "in range")
    assert verdict.outcome is Outcome.UNKNOWN
    assert "bound passed: nested polls" in str(verdict.reason)


def test_faults_have_their_verdicts() -> None:
    """An error of a run has its verdict beside the one that was asked for."""
    found = portfolio.decide(counter(30, "small", guarded=False), "small")
    assert found["values in range"].outcome is Outcome.VIOLATED


def test_errors_of_the_program_pass_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong with an engine is raised, in whichever thread it happens."""

    def broken(self: bmc.BoundedSearch, reporter: Reporter) -> None:
        raise EvidenceError("wrong")

    monkeypatch.setattr(bmc.BoundedSearch, "run", broken)
    with pytest.raises(EvidenceError):
        portfolio.check(event_loop(4, 2), "drained", first_states=100)


def test_fault_that_was_found_is_not_lost_while_the_thread_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other engine's error is its answer, even if its thread is still about to end when that is noticed."""
    system = counter(1, "small", guarded=False)
    search = bmc.BoundedSearch(system, ["small"], Limits())

    def found(reporter: Reporter) -> dict[str, Verdict]:
        raise EvidenceError("wrong")

    monkeypatch.setattr(search, "run", found)
    other = portfolio._Other(search, "small")
    other.start()
    other.join()
    alive = iter([True, False])
    monkeypatch.setattr(other, "is_alive", lambda: next(alive))
    other.end()
    with pytest.raises(EvidenceError):
        other.verdicts()


def test_same_verdicts_as_each_engine() -> None:
    """Whoever answers, outcome and length are the same."""
    for system, name in (
        (counter(5, "small"), "small"),
        (philosophers(), "no deadlock"),
        (event_loop(1, 1), "drained"),
    ):
        assert _known(system, name, 1) == _known(system, name, 100_000)


def _known(system: TransitionSystem, name: str, first_states: int) -> tuple[Outcome, int]:
    assert not isinstance(system.property_named(name), CanAlwaysFinish)
    verdict = portfolio.check(system, name, first_states=first_states)
    return verdict.outcome, len(verdict.trace.actions) if verdict.trace is not None else -1

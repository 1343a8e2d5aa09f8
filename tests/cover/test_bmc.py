"""Bounded model checking on tiny machines whose answers are known by heart."""

from __future__ import annotations

import pytest

from draincheck.engines import explicit
from draincheck.engines.smt import bmc
from draincheck.engines.smt.mutexes import Pairs
from draincheck.engines.smt.unrolling import Unrolling
from draincheck.errors import EvidenceError, ModelError
from draincheck.expr import TRUE
from draincheck.properties import Always, Assertion, Eventually, NoDeadlock, Reachable
from draincheck.run import rerun
from draincheck.sorts import BOOL, IntSort
from draincheck.system import BoolVar, FaultKind, IntVar, TransitionSystem
from draincheck.verdict import SILENT, Limits, Outcome, Silent
from tests.support.engines import one
from tests.support.machines import Machine, bounded, clock, counter, event_loop, philosophers


def without_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the analysis of pairs find nothing, so that z3 has to do everything."""
    monkeypatch.setattr("draincheck.engines.smt.mutexes.MOST_WORK", 0)


def twins(last: int, wraps: bool) -> TransitionSystem:
    """Two numbers that count together up to a last one, and begin again or stay there."""
    number, twin = (IntVar(name, IntSort(0, last), (0,)) for name in ("number", "twin"))
    machine = Machine(number, twin)
    machine.action("count", number < last, number.inc(), twin.inc())
    if wraps:
        machine.action("begin again", number.is_(last), number.set(0), twin.set(0))
    return machine.system(Always("same", number.is_(twin)), Reachable("different", ~number.is_(twin)))


def test_counterexample_is_shortest_and_can_be_executed() -> None:
    """The counterexample of a counter that must stay small has as many steps as it takes to get there."""
    system = counter(5, "small")
    verdict = one(bmc.decide, system, "small")
    assert (verdict.outcome, str(verdict.reason)) == (Outcome.VIOLATED, "shortest counterexample: 5 actions")
    assert verdict.trace is not None
    assert rerun(system, verdict.trace)[-1].after == (5,)


def test_initial_state_may_be_the_counterexample() -> None:
    """A property that an initial state violates has a counterexample without steps, from that state."""
    bit = BoolVar("bit", BOOL, (0, 1))
    verdict = one(bmc.decide, Machine(bit).system(Always("low", ~bit)), "low")
    assert verdict.trace is not None
    assert (verdict.trace.initial, verdict.trace.actions) == ((1,), ())


def test_nothing_up_to_a_depth_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """That a search up to a depth finds nothing never becomes holds."""
    without_pairs(monkeypatch)
    verdict = one(bmc.decide, twins(2, wraps=True), "same", Limits(depth=7))
    assert (verdict.outcome, str(verdict.reason)) == (Outcome.UNKNOWN, "no counterexample of up to 7 steps")
    verdict = one(bmc.decide, twins(2, wraps=True), "different", Limits(depth=1))
    assert (verdict.outcome, str(verdict.reason)) == (Outcome.UNKNOWN, "no witness of up to 1 step")


def test_counterexample_one_step_beyond_the_depth_is_not_seen() -> None:
    """The depth counts steps: 4 do not suffice where 5 do."""
    assert one(bmc.decide, counter(5, "small"), "small", Limits(depth=4)).outcome is Outcome.UNKNOWN
    assert one(bmc.decide, counter(5, "small"), "small", Limits(depth=5)).outcome is Outcome.VIOLATED


def test_system_whose_paths_end_is_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no path is longer than what was searched, there is nothing else to be found."""
    without_pairs(monkeypatch)
    verdicts = bmc.decide(twins(3, wraps=False), ["same", "different"])
    assert [(v.outcome, str(v.reason)) for v in verdicts.values()] == [
        (Outcome.HOLDS, "no path is longer than 3 steps"),
        (Outcome.VIOLATED, "no path is longer than 3 steps"),
    ]


def test_pairs_decide_without_z3(monkeypatch: pytest.MonkeyPatch) -> None:
    """A property that pairs of values imply needs no solver."""
    monkeypatch.setattr("draincheck.engines.smt.bmc.incremental", None)
    verdict = one(bmc.decide, twins(2, wraps=True), "same")
    assert (verdict.outcome, str(verdict.reason)) == (
        Outcome.HOLDS,
        "every reachable state is excluded by its pairs of values",
    )


def test_pairs_do_not_decide_behind_a_bound() -> None:
    """Where a bound may hide states, that no reachable pair of values violates a property is not enough."""
    verdict = one(bmc.decide, bounded(), "in range")
    assert verdict.outcome is Outcome.UNKNOWN
    assert str(verdict.reason) == "every reachable state is excluded by its pairs of values, but a bound may be passed"


def test_counterexample_before_a_bound_counts() -> None:
    """A bound hides what comes after it, not what comes before."""
    verdict = one(bmc.decide, bounded(), "small")
    assert (verdict.outcome, str(verdict.reason)) == (Outcome.VIOLATED, "shortest counterexample: 2 actions")


@pytest.mark.parametrize("name", ["no deadlock", "P has both", "exclusive"])
def test_philosophers_are_decided_as_by_explicit_search(name: str) -> None:
    """Deadlock, witness and exclusion are what explicit search finds, and as short."""
    verdict, expected = one(bmc.decide, philosophers(), name), explicit.check(philosophers(), name)
    assert verdict.outcome is expected.outcome
    assert verdict.trace is None or expected.trace is not None
    assert [len(v.trace.actions) for v in (verdict, expected) if v.trace] in ([], [2, 2])


def test_progress_is_not_decided() -> None:
    """That some state stays reachable is nothing that a single state could show to be violated."""
    verdict = one(bmc.decide, philosophers(), "both can rest")
    assert (verdict.outcome, str(verdict.reason)) == (
        Outcome.UNKNOWN,
        "bounded model checking does not decide this kind of property",
    )


def test_final_state_is_no_deadlock() -> None:
    """A state without successors in which the system may end is none of those that are looked for."""
    assert one(bmc.decide, philosophers(), "no deadlock").outcome is Outcome.VIOLATED
    assert one(bmc.decide, philosophers(final=True), "no deadlock", Limits(depth=20)).outcome is not Outcome.VIOLATED


def test_assertion_ends_with_the_action_that_breaks_it() -> None:
    """The last step of the counterexample of an assertion is the action whose check fails."""
    bit = BoolVar("bit", BOOL, (0,))
    machine = Machine(bit)
    machine.action("set", ~bit, bit.set())
    machine.action("look", bit, checks=[("A", TRUE), ("B", ~bit)])
    system = machine.system(Assertion("A"), Assertion("B"))
    verdict = one(bmc.decide, system, "B")
    assert verdict.trace is not None
    assert verdict.trace.actions == (0, 1)
    assert one(bmc.decide, system, "A").outcome is Outcome.HOLDS


def test_fault_is_found_as_by_explicit_search() -> None:
    """A value that leaves its range has the same verdict, with the same trace, beside the one that was asked for."""
    system = counter(2, "in range", guarded=False)
    found, expected = bmc.decide(system, ["in range"]), explicit.explore(system).verdicts
    assert found["values in range"] == expected["values in range"]
    assert {name: verdict.outcome for name, verdict in found.items()} == {
        "in range": Outcome.HOLDS,
        "values in range": Outcome.VIOLATED,
    }
    assert str(found["in range"].reason).endswith(", of runs without an error")
    assert one(bmc.decide, system, "values in range") == expected["values in range"]


@pytest.mark.parametrize("first", [FaultKind.BOUND, FaultKind.RANGE])
def test_only_the_first_fault_of_an_action_counts(first: FaultKind) -> None:
    """Where a bound comes first, the range error behind it is none; the other way round it is."""
    number = IntVar("number", IntSort(0, 1), (0,))
    machine = Machine(number)
    faults = [(FaultKind.BOUND, number > 0, "bound"), (FaultKind.RANGE, number > 0, "number leaves 0..1")]
    machine.action("count", TRUE, number.inc(), faults=sorted(faults, key=lambda fault: fault[0] is not first))
    system = machine.system(NoDeadlock("alive"))
    if first is FaultKind.BOUND:
        expected = {"alive": Outcome.UNKNOWN, "no bound passed": Outcome.VIOLATED}
    else:
        expected = {"alive": Outcome.HOLDS, "values in range": Outcome.VIOLATED}
    found = bmc.decide(system, ["alive"], Limits(depth=4))
    assert {name: verdict.outcome for name, verdict in found.items()} == expected


@pytest.mark.parametrize("name", ["left", "met"])
def test_fault_as_near_as_the_counterexample_is_found(name: str) -> None:
    """Of two states one step away one shows the property and the other enables a faulty action: both are found, whichever is first."""
    place = IntVar("place", IntSort(0, 2), (0,))
    machine = Machine(place)
    machine.action("left", place.is_(0), place.set(1))
    machine.action("right", place.is_(0), place.set(2))
    machine.action("too far", place.is_(2), place.inc(), faults=[(FaultKind.RANGE, TRUE, "place leaves 0..2")])
    shown = place.is_(1)
    system = machine.system(Always("left", ~shown), Reachable("met", shown), Always("at once", place > 0))
    found = bmc.decide(system, [name])
    assert [verdict.trace and verdict.trace.actions for verdict in found.values()] == [(0,), (1,)]
    assert one(bmc.decide, system, "at once").outcome is Outcome.VIOLATED


def test_fault_beyond_all_properties_is_not_looked_for() -> None:
    """A search that has found everything it was asked for goes no deeper."""
    found = bmc.decide(counter(4, "small", "top", guarded=False), ["small", "top"], Limits(depth=3))
    assert {verdict.outcome for verdict in found.values()} == {Outcome.UNKNOWN}
    number = IntVar("number", IntSort(0, 4), (0,))
    machine = Machine(number)
    machine.action("count", TRUE, number.inc(), faults=[(FaultKind.RANGE, number.is_(4), "number leaves 0..4")])
    system = machine.system(*(Always(f"below {n}", number < n) for n in (1, 2, 4)))
    assert bmc.decide(system, ["below 2", "below 1"])["below 2"].outcome is Outcome.VIOLATED
    assert "values in range" in bmc.decide(system, ["below 2", "below 4"])


def test_liveness_is_not_decided() -> None:
    """A demand on whole runs is none that a state could show violated."""
    bit = BoolVar("bit", BOOL, (0,))
    verdict = one(bmc.decide, Machine(bit).system(Eventually("set", bit)), "set")
    assert (verdict.outcome, verdict.trace) == (Outcome.UNKNOWN, None)


def test_unknown_property_is_an_error() -> None:
    """The name of a property that the system does not have is refused."""
    with pytest.raises(ModelError, match="no property 'small'"):
        one(bmc.decide, clock(), "small")


@pytest.mark.usefixtures("hurry")
def test_time_limit_ends_a_search() -> None:
    """A search that is out of time says up to which depth it found nothing, and how much time it had."""
    verdict = one(bmc.decide, event_loop(3, 2), "drained", Limits(seconds=9000))
    assert verdict.outcome is Outcome.UNKNOWN
    assert str(verdict.reason).endswith("; time limit 9000 s reached")


def test_what_z3_says_is_executed_before_it_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A path that the system does not have never becomes a verdict."""
    assert one(bmc.decide, counter(5, "small"), "small").trace is not None
    monkeypatch.setattr(Unrolling, "path", lambda self: ((0,), [0, 0]))
    with pytest.raises(EvidenceError):
        one(bmc.decide, counter(5, "small"), "small")


def test_stopped_search_is_unknown() -> None:
    """A search that another thread has stopped says so."""
    search = bmc.BoundedSearch(counter(5, "small"), ["small"], Limits())
    search.stop()
    assert str(search.run(SILENT)["small"].reason) == "no counterexample found; interrupted"


def test_progress_is_reported_by_depth() -> None:
    """The reporter learns how deep the search is."""
    depths: list[int] = []

    class Watch(Silent):
        def progress(self, states: int, transitions: int, depth: int, queue: int) -> None:
            depths.append(depth)

    one(bmc.decide, counter(3, "small"), "small", reporter=Watch())
    assert depths == [0, 1, 2, 3]


def test_pairs_are_analysed_once_for_all_properties(monkeypatch: pytest.MonkeyPatch) -> None:
    """Properties that are checked together share the analysis of their system, and get the verdicts they get alone."""
    made: list[Pairs] = []

    def counted(system: TransitionSystem) -> Pairs:
        made.append(Pairs(system))
        return made[-1]

    system = counter(3, "small", "top", "alive")
    alone = {name: one(bmc.decide, system, name) for name in ("small", "top", "alive")}
    monkeypatch.setattr("draincheck.engines.smt.bmc.Pairs", counted)
    assert bmc.decide(system, ["small", "top", "alive"]) == alone
    assert len(made) == 1


def test_properties_are_decided_in_one_search() -> None:
    """Each property gets its own shortest path from a search that they share, in the order in which they were asked for."""
    number = IntVar("number", IntSort(0, 6), (0,))
    machine = Machine(number)
    machine.action("count", number < 5, number.inc())
    machine.action("jump", number.is_(2), number.set(5))
    below = [Always(f"below {n}", number < n) for n in (5, 3, 1)]
    system = machine.system(*below, Reachable("four", number.is_(4)), Always("below 6", number < 6))
    found = bmc.decide(system, ["below 5", "four", "below 6", "below 1", "below 3"], Limits(depth=9))
    assert [*found] == ["below 5", "four", "below 6", "below 1", "below 3"]
    assert [v.trace and len(v.trace.actions) for v in found.values()] == [3, 4, None, 1, 3]
    assert found["below 6"].outcome is Outcome.HOLDS

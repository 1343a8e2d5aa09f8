"""k-induction on small systems: what it proves, and that it never takes a failed step for a counterexample."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from draincheck.engines.smt import induction
from draincheck.expr import TRUE, all_
from draincheck.properties import Always, Reachable
from draincheck.run import rerun
from draincheck.sorts import BOOL, IntSort
from draincheck.system import BoolVar, FaultKind, IntVar, TransitionSystem
from draincheck.verdict import Limits, Outcome
from tests.support.engines import one
from tests.support.machines import Machine, bounded, counter, event_loop, philosophers


@pytest.fixture
def without_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the analysis of pairs find nothing, so that it decides nothing."""
    monkeypatch.setattr("draincheck.engines.smt.mutexes.MOST_WORK", 0)


def ring(*more: Always) -> TransitionSystem:
    """Three places in a ring of four; a token that could only come from the fourth would break what is demanded."""
    place = IntVar("place", IntSort(0, 4), (0,))
    machine = Machine(place)
    for here, there in ((0, 1), (1, 2), (2, 0), (3, 4), (4, 4)):
        machine.action(f"{here} to {there}", place.is_(here), place.set(there))
    return machine.system(Always("not at 4", place < 4), Reachable("at 4", place.is_(4)), *more)


def test_inductive_property_is_proved() -> None:
    """What every step preserves is proved with k = 1."""
    verdict, proof = one(induction.prove, philosophers(), "exclusive")
    assert (verdict.outcome, str(verdict.reason)) == (Outcome.HOLDS, "k-induction, k = 1")
    assert proof is not None
    assert (proof.property, proof.k, proof.simple) == ("exclusive", 1, False)


@pytest.mark.usefixtures("without_pairs")
def test_failed_step_is_unknown() -> None:
    """That the induction step fails from an unreachable state is no counterexample."""
    verdict, proof = one(induction.prove, ring(), "not at 4", Limits(depth=1), mined=False)
    assert (verdict.outcome, str(verdict.reason), proof) == (Outcome.UNKNOWN, "not inductive with k up to 1", None)


@pytest.mark.usefixtures("without_pairs")
def test_more_steps_prove_more() -> None:
    """Two different states before the violation are more than the ring has outside of the reachable ones."""
    verdict, proof = one(induction.prove, ring(), "not at 4", mined=False)
    assert str(verdict.reason) == "k-induction, k = 2"
    assert proof is not None
    assert proof.simple


@pytest.mark.usefixtures("without_pairs")
def test_lemma_takes_the_place_of_steps() -> None:
    """A lemma that excludes the unreachable state makes the property inductive at once."""
    system = ring()
    place = system.variables[0]
    assert isinstance(place, IntVar)
    verdict, _ = one(induction.prove, system, "not at 4", lemmas=[place < 3], mined=False)
    assert str(verdict.reason) == "k-induction, k = 1"


def test_pairs_of_values_are_lemmas() -> None:
    """What pairs of values exclude for ever needs nobody to write it down."""
    assert str(one(induction.prove, ring(), "not at 4")[0].reason) == "k-induction, k = 1"


def test_false_lemma_is_named() -> None:
    """A lemma that some reachable state violates proves nothing, and the verdict says which one it is."""
    system = ring()
    place = system.variables[0]
    assert isinstance(place, IntVar)
    verdict = one(induction.prove, system, "not at 4", lemmas=[place < 4, place < 2])[0]
    assert verdict.outcome is Outcome.UNKNOWN
    assert str(verdict.reason).endswith("; lemma 2 is no invariant, it is false after 2 steps")


def test_counterexample_on_the_way_is_found() -> None:
    """A property that is violated after fewer steps than the induction looks back gets its counterexample."""
    system = counter(5, "small")
    verdict, proof = one(induction.prove, system, "small")
    assert (verdict.outcome, str(verdict.reason), proof) == (
        Outcome.VIOLATED,
        "shortest counterexample: 5 actions",
        None,
    )
    assert verdict.trace is not None
    assert rerun(system, verdict.trace)[-1].after == (5,)


def test_goal_that_is_never_met_is_refuted() -> None:
    """That no state meets a goal is proved like an invariant; a goal that is met gets its witness."""
    assert one(induction.prove, ring(), "at 4")[0].outcome is Outcome.VIOLATED
    verdict = one(induction.prove, counter(2, "top"), "top")[0]
    assert (verdict.outcome, str(verdict.reason)) == (Outcome.HOLDS, "shortest witness: 2 actions")


def test_every_property_that_holds_is_proved_in_the_end() -> None:
    """With states that must differ, induction ends at the latest when there are no more of them."""
    bits = [BoolVar(name, BOOL, (0,)) for name in "abc"]
    machine = Machine(*bits)
    machine.action("shift", ~bits[2], bits[1].set(bits[0]), bits[2].set(bits[1]), bits[0].clear())
    machine.action("turn", bits[2], *(bit.set(other) for bit, other in zip(bits, [*bits[1:], bits[0]], strict=True)))
    verdict = one(induction.prove, machine.system(Always("none", ~all_(*bits))), "none", mined=False)[0]
    assert verdict.outcome is Outcome.HOLDS


def test_bound_makes_it_unknown() -> None:
    """Where a bound can be passed nothing is proved."""
    verdict, proof = one(induction.prove, bounded(), "in range")
    assert proof is None
    assert verdict.outcome is Outcome.UNKNOWN
    assert "a bound is passed after 3 steps" in str(verdict.reason)


def test_counterexample_at_the_depth_of_a_bound_counts() -> None:
    """A property violated in a state as near as one that passes a bound is violated; further away it is unknown."""
    number = IntVar("number", IntSort(0, 3), (0,))
    machine = Machine(number)
    machine.action("up", number < 3, number.inc())
    machine.action("jump", number.is_(0), number.set(3))
    machine.action("deeper", number.is_(3), number.set(3), faults=[(FaultKind.BOUND, TRUE, "nested polls")])
    system = machine.system(Always("not one", ~number.is_(1)), Always("not two", ~number.is_(2)))
    assert str(one(induction.prove, system, "not one")[0].reason) == "shortest counterexample: 1 action"
    assert (
        str(one(induction.prove, system, "not two")[0].reason)
        == "no counterexample of up to 1 step; a bound is passed after 1 step"
    )
    both = induction.prove(system, ["not two", "not one"])
    assert {name: verdict.outcome for name, (verdict, _) in both.items()} == {
        "not two": Outcome.UNKNOWN,
        "not one": Outcome.VIOLATED,
        "no bound passed": Outcome.VIOLATED,
    }


@pytest.mark.usefixtures("without_pairs")
def test_properties_are_proved_each_by_itself() -> None:
    """A property is no lemma for another that is proved in the same search: what needs it stays unproved."""
    system = ring()
    place = system.variables[0]
    assert isinstance(place, IntVar)
    system = replace(system, properties=(*system.properties[:1], Always("not at 3", ~place.is_(3))))
    names = [item.name for item in system.properties]
    found = induction.prove(system, names, Limits(depth=1), mined=False)
    assert [str(verdict.reason) for verdict, _ in found.values()] == [
        "not inductive with k up to 1",
        "k-induction, k = 1",
    ]
    alone = [one(induction.prove, system, name, Limits(depth=1), mined=False)[0] for name in names]
    assert alone == [verdict for verdict, _ in found.values()]


def test_an_error_that_is_reached_ends_the_proof() -> None:
    """A value out of range is violated, and nothing is proved of what it stands in the way of."""
    found = induction.prove(counter(2, "in range", guarded=False), ["in range"])
    assert {name: (verdict.outcome, proof) for name, (verdict, proof) in found.items()} == {
        "in range": (Outcome.UNKNOWN, None),
        "values in range": (Outcome.VIOLATED, None),
    }
    assert str(found["in range"][0].reason).endswith("a value leaves its range after 2 steps")


def test_progress_is_not_decided() -> None:
    """That a goal stays reachable is no invariant."""
    verdict, proof = one(induction.prove, philosophers(), "both can rest")
    assert (verdict.outcome, proof) == (Outcome.UNKNOWN, None)
    assert str(verdict.reason) == "k-induction does not decide this kind of property"


@pytest.mark.usefixtures("without_pairs", "hurry")
def test_time_limit_is_unknown() -> None:
    """Out of time, induction says how far it got."""
    verdict = one(induction.prove, event_loop(2, 2), "drained", Limits(seconds=1000), mined=False)[0]
    assert verdict.outcome is Outcome.UNKNOWN


def test_wide_system_is_proved() -> None:
    """An event loop whose states nobody can count is proved from pairs of values: 8 devices of 2 slots, 90 bits."""
    verdict, proof = one(induction.prove, event_loop(8, 2), "drained")
    assert (verdict.outcome, str(verdict.reason)) == (Outcome.HOLDS, "k-induction, k = 1")
    assert proof is not None


def test_wide_system_with_the_bug_is_not() -> None:
    """The same without its disable counter gets a counterexample."""
    assert (
        str(one(induction.prove, event_loop(2, 1, buggy=True), "drained")[0].reason)
        == "shortest counterexample: 7 actions"
    )

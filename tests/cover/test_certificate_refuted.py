"""Wrong certificates that only a solver can tell from right ones: everything about them is in order but what they claim."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from draincheck.certificate import SOLVERS, Certificate, check, make
from draincheck.certificate.queries import signatures
from draincheck.engines.explicit import states
from draincheck.engines.smt.relation import Relation
from draincheck.properties import Always, CanAlwaysFinish
from draincheck.sorts import IntSort
from draincheck.system import IntVar, TransitionSystem
from tests.support.certificates import by_induction, forged, invariant_of, number_line, ring, with_bodies
from tests.support.machines import Machine, counter, event_loop, philosophers
from tests.support.samples import sampled

both = pytest.mark.parametrize("solver", SOLVERS)
#: where many questions are asked: the second solver in the full run
first = pytest.mark.parametrize("solver", sampled(SOLVERS, 1))


def line(*jumps: tuple[int, int], demand: int = 6) -> TransitionSystem:
    """A token that goes from 0 to 3 and back, and nowhere else but by jumps."""
    place = IntVar("place", IntSort(0, 7), (0,))
    machine = Machine(place)
    machine.action("on", place < 3, place.inc())
    machine.action("back", (place > 0) & (place <= 3), place.dec())
    for here, there in jumps:
        machine.action("jump", place.is_(here), place.set(there))
    return machine.system(Always("low", place <= demand))


def reason(certificate: Certificate, system: TransitionSystem, solver: str) -> str:
    """Why a certificate is not accepted."""
    verdict = check(certificate, system, solver)
    assert (verdict.accepted, verdict.undecided) == (False, False)
    return verdict.reason


SMALL = {"philosophers": philosophers(), "line": line(), "event loop": event_loop(1, 1)}


@first
@pytest.mark.parametrize("name", sampled(SMALL, 2))
def test_every_dropped_state_is_missed(name: str, solver: str) -> None:
    """Without any one of the reachable states the invariant is not one: a state is initial, or some step leads to it."""
    system = SMALL[name]
    certificate = make(system, [item.name for item in system.properties if isinstance(item, Always)])
    reached = list(states(system))
    assert check(with_bodies(system, certificate, [invariant_of(system, reached)]), system, solver).accepted
    for dropped in reached:
        others = [state for state in reached if state != dropped]
        wrong = with_bodies(system, certificate, [invariant_of(system, others)])
        query = "initial states inside" if dropped in system.initial else "closed under every action"
        assert f"{solver} refutes it: '{query}'" in reason(wrong, system, solver), dropped


@both
def test_added_transition_leads_out(solver: str) -> None:
    """The invariant of a model with fewer transitions is not closed under one more; where it stays inside it is."""
    certificate = make(line())
    assert reason(forged(line((2, 5)), certificate), line((2, 5)), solver) == (
        f"{solver} refutes it: 'closed under every action' has a solution"
    )
    assert check(forged(line((2, 0)), certificate), line((2, 0)), solver).accepted


@both
def test_added_initial_state_is_outside(solver: str) -> None:
    """The invariant of a model with fewer initial states."""
    place = IntVar("place", IntSort(0, 7), (0, 5))
    machine = Machine(place)
    machine.action("on", place < 3, place.inc())
    system = machine.system(Always("low", place <= 6))
    assert "'initial states inside'" in reason(forged(system, make(line())), system, solver)


@both
def test_strengthened_property_is_not_implied(solver: str) -> None:
    """A property that is false in a reachable state does not follow from the reachable states."""
    system = line(demand=2)
    assert reason(forged(system, make(line())), system, solver) == f"{solver} refutes it: 'inside low' has a solution"
    assert check(forged(line(demand=3), make(line())), line(demand=3), solver).accepted


@both
@pytest.mark.parametrize(
    ("body", "query"),
    [
        ("false", "initial states inside"),
        ("true", "inside low"),
        ("(domain v0)", "inside low"),
        ("(= v0 #b000)", "closed"),
    ],
)
def test_trivial_invariants_prove_nothing(solver: str, body: str, query: str) -> None:
    """No state, every state, the initial state."""
    assert f"'{query}" in reason(with_bodies(line(), make(line()), [body]), line(), solver)


@both
def test_faults_are_not_in_an_invariant(solver: str) -> None:
    """A state that enables a faulty action is no part of an invariant, whatever the property says about it."""
    system = counter(2, "in range", guarded=False)
    certificate = with_bodies(system, forged(system, make(counter(2, "in range"))), ["(domain v0)"])
    assert "'no action at fault'" in reason(certificate, system, solver)


@first
def test_k_that_is_too_small_opens(solver: str) -> None:
    """What is 3-inductive is not 2-inductive."""
    system = number_line(3)
    certificate = by_induction(system, "not last")
    assert certificate.header.k == 3
    assert check(certificate, system, solver).accepted
    for k in (1, 2):
        assert "'closed under every action'" in reason(forged(system, certificate, k=k), system, solver)
    assert check(forged(system, certificate, k=4), system, solver).accepted


@first
def test_missing_simple_paths_open(solver: str) -> None:
    """What is inductive over paths of different states is not so over all paths."""
    system = ring(stays=True)
    certificate = by_induction(system, "not at 4")
    assert check(certificate, system, solver).accepted
    for k in (2, 3, 4):
        wrong = forged(system, certificate, simple=False, k=k)
        assert "'closed under every action'" in reason(wrong, system, solver)


@both
def test_k_looks_at_the_first_states_too(solver: str) -> None:
    """An invariant that a path leaves in its second state is none, however far the induction looks back."""
    system = line()
    for k in (2, 3):
        wrong = with_bodies(system, make(system), ["(= v0 #b000)"], k=k)
        assert "'initial states inside'" in reason(wrong, system, solver)


@first
def test_weakened_rank_does_not_come_nearer(solver: str) -> None:
    """A rank that is constant, one bit of which is, or that grows towards the goal."""
    system = counter(5, "ahead")
    certificate = make(system)
    bits = [name for name in signatures(Relation(system), certificate.header) if "rank" in name]
    assert len(bits) == 3
    for number in range(3):
        for constant in ("true", "false"):
            bodies = [constant if n == number else None for n in range(3)]
            wrong = with_bodies(system, certificate, [None, *bodies, None])
            assert "'ahead: its strategy comes nearer'" in reason(wrong, system, solver)
    upwards = [f"(= ((_ extract {n} {n}) v0) #b1)" for n in range(3)]
    wrong = with_bodies(system, certificate, [None, *upwards, None])
    assert "'ahead: its strategy comes nearer'" in reason(wrong, system, solver)


def line_with_goal() -> TransitionSystem:
    """A line of four places with three actions, from anywhere on which home stays reachable."""
    place = IntVar("place", IntSort(0, 3), (0,))
    machine = Machine(place)
    machine.action("on", place < 3, place.inc())
    machine.action("stay", place.is_(2), place.set(2))
    machine.action("back", place > 0, place.dec())
    return machine.system(CanAlwaysFinish("home", place.is_(0)))


@first
def test_wrong_strategy_leads_nowhere(solver: str) -> None:
    """A strategy that names an action that is not enabled, is not there, or leads away from the goal."""
    system = line_with_goal()
    certificate = make(system)
    assert check(with_bodies(system, certificate, [None, None, None, "#b10"]), system, solver).accepted
    for action, query in (("#b00", "can be followed"), ("#b01", "can be followed"), ("#b11", "can be followed")):
        wrong = with_bodies(system, certificate, [None, None, None, action])
        assert f"'home: its strategy {query}'" in reason(wrong, system, solver), action
    away = with_bodies(system, certificate, [None, None, None, "(ite (= v0 #b11) #b10 #b00)"])
    assert "'home: its strategy comes nearer'" in reason(away, system, solver)


def test_a_goal_that_can_be_missed_has_no_certificate() -> None:
    """Whatever its rank and strategy say: the last state has no action to follow."""
    honest = make(counter(5, "ahead"))
    system = counter(5, "back")
    claims = tuple(replace(claim, property="back") for claim in honest.header.claims)
    for solver in SOLVERS:
        wrong = forged(system, honest, claims=claims)
        assert "back: its strategy c" in reason(wrong, system, solver)

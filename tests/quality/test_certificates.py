"""Certificates of the QEMU model: everything that holds in the default matrix has one that both solvers accept, and wrong ones are refuted."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random, SystemRandom

import pytest
from msgspec.structs import replace

from draincheck.certificate import SOLVERS, Certificate, check, make
from draincheck.engines.explicit import explore, states
from draincheck.expr import all_, constant, eq, not_
from draincheck.properties import Always, Reachable
from draincheck.revisions import find_revision
from draincheck.system import Action, TransitionSystem, Update
from draincheck.verdict import Outcome
from drainspecs.mirror.scenarios import find_scenario
from drainspecs.suite.certificates import Coverage, by_system, coverage, uncovered
from drainspecs.suite.matrix import Row, RowResult, default_rows, system_of
from tests.language.campaign import first_seed
from tests.support.certificates import forged, invariant_of, with_bodies
from tests.support.rows import decided
from tests.support.samples import sampled

#: a test for each system of the matrix, so that processes share them
PARTS = 98
#: by chance, another one for every commit: each takes some seconds
ORDER = Random(first_seed()).sample(range(PARTS), PARTS)


@pytest.fixture
def results() -> Sequence[RowResult]:
    """The default matrix, searched once."""
    return decided()


@pytest.mark.slow
@pytest.mark.parametrize("part", sampled(ORDER, 1, 3))
def test_default_matrix_is_certified(results: Sequence[RowResult], part: int) -> None:
    """Every verdict that needs a certificate is claimed by one that z3 and cvc5 accept: what holds, and what is out of reach."""
    for digest, group in list(by_system(results).items())[part::PARTS]:
        system = system_of(group[0].row)
        certificate = make(system)
        for solver in SOLVERS:
            verdict = check(certificate.text, system, solver)
            assert verdict.accepted, (system.name, verdict.reason)
        assert uncovered(group, {digest: [certificate.header]}) == []


@pytest.mark.slow
def test_the_parts_are_the_whole_matrix(results: Sequence[RowResult]) -> None:
    """263 rows, 110 systems; 3,002 verdicts need a certificate, 1,310 are violated, which counterexamples show, and 422 never asked."""
    systems = by_system(results)
    parts = [digest for part in range(PARTS) for digest in list(systems)[part::PARTS]]
    assert sorted(parts) == sorted(systems)
    assert sum(map(len, systems.values())) == len(default_rows())
    assert coverage(results) == Coverage(
        263, 110, 126807, holds=3002, unreachable=0, violated=1310, never_asked=422, unknown=0
    )


@pytest.mark.slow
def test_missing_claim_is_uncovered(results: Sequence[RowResult]) -> None:
    """Negative control of the account: without a certificate, or a claim, or with the opposite claim, the verdict is listed."""
    (digest, group), *_ = by_system(results).items()
    header = make(system_of(group[0].row)).header
    assert len(uncovered(group, {})) == len(group) * len(header.claims)
    first, *others = header.claims
    for claims in ((*others,), (replace(first, verdict="violated"), *others)):
        found = uncovered(group, {digest: [replace(header, claims=tuple(claims))]})
        assert found == [
            f"{result.row.revision.name} / {result.row.scenario.name}: {first.property} holds" for result in group
        ]
    verdicts = dict(group[0].exploration.verdicts)
    violated = next(name for name, verdict in verdicts.items() if verdict.outcome is Outcome.VIOLATED)
    verdicts[violated] = replace(verdicts[violated], outcome=Outcome.UNKNOWN)
    unknown = replace(group[0], exploration=replace(group[0].exploration, verdicts=verdicts))
    assert [line.split(": ")[1] for line in uncovered([unknown], {digest: [header]})] == [f"{violated} unknown"]
    verdicts[violated] = replace(verdicts[violated], outcome=Outcome.VIOLATED, trace=None)
    unreachable = replace(group[0], exploration=replace(group[0].exploration, verdicts=verdicts))
    assert [line.split(": ")[1] for line in uncovered([unreachable], {digest: [header]})] == [f"{violated} violated"]


# -- wrong certificates of a code base --------------------------------------------------------------

NAMES = ["S1", "S2", "B1"]


@pytest.fixture(scope="module")
def system() -> TransitionSystem:
    """The code base that opens its section first."""
    return system_of(Row(find_revision("9a0cec664e"), find_scenario("mirror")))


@pytest.fixture(scope="module")
def certificate(system: TransitionSystem) -> Certificate:
    """What holds there."""
    return make(system, NAMES)


def refutations(certificate: Certificate, system: TransitionSystem) -> list[str]:
    """The queries that a solution was found for, one a solver."""
    found: list[str] = []
    for solver in SOLVERS:
        verdict = check(certificate, system, solver)
        assert not verdict.accepted
        assert verdict.reason.startswith(f"{solver} refutes it: ")
        found.append(verdict.reason.split("'")[1])
    return found


@pytest.mark.slow
def test_dropped_states_are_missed(system: TransitionSystem, certificate: Certificate) -> None:
    """A reachable state that the invariant leaves out, drawn at random, is found by both solvers."""
    seed = SystemRandom().randrange(1 << 32)
    reached = sorted(states(system))
    for dropped in Random(seed).sample(reached, 4):
        wrong = with_bodies(system, certificate, [invariant_of(system, [s for s in reached if s != dropped])])
        query = "initial states inside" if dropped in system.initial else "closed under every action"
        assert refutations(wrong, system) == [query] * 2, f"seed {seed}: state {reached.index(dropped)}"


def test_added_transition_leads_out(system: TransitionSystem, certificate: Certificate) -> None:
    """The invariant of the code base is none of the same with one step more, from its initial state to a state that was unreachable."""
    reached, start = set(states(system)), system.initial[0]
    number, value = next(
        (n, value)
        for n, variable in enumerate(system.variables)
        for value in range(variable.sort.low, variable.sort.high + 1)
        if (*start[:n], value, *start[n + 1 :]) not in reached
    )
    here = all_(*(eq(v, constant(v.sort, stored)) for v, stored in zip(system.variables, start, strict=True)))
    variable = system.variables[number]
    jump = Action(
        index=len(system.actions),
        process=system.actions[0].process,
        parts=system.actions[0].parts,
        guard=here,
        updates=(Update(variable, constant(variable.sort, value)),),
    )
    wider = replace(system, actions=(*system.actions, jump))
    assert refutations(forged(wider, certificate), wider) == ["closed under every action"] * 2


@pytest.mark.slow
def test_strengthened_property_is_not_implied(system: TransitionSystem, certificate: Certificate) -> None:
    """That the story is never told to its end is false in some reachable state."""
    goal = next(item.goal for item in system.properties if isinstance(item, Reachable))
    items = [
        replace(item, holds=all_(item.holds, not_(goal))) if isinstance(item, Always) and item.name == "S2" else item
        for item in system.properties
    ]
    stronger = replace(system, properties=tuple(items))
    assert refutations(forged(stronger, certificate), stronger) == ["inside S2"] * 2


def test_trivial_invariants_prove_nothing(system: TransitionSystem, certificate: Certificate) -> None:
    """Neither no state at all, nor every state."""
    assert refutations(with_bodies(system, certificate, ["false"]), system) == ["initial states inside"] * 2
    everything = refutations(with_bodies(system, certificate, ["true"]), system)
    assert set(everything) <= {"closed under every action", "no action at fault", "inside S1", "inside S2", "inside B1"}


@pytest.mark.slow
def test_violated_property_is_not_proved_by_another_code_base(certificate: Certificate) -> None:
    """The bandage loses writes; no claim that is true of its successor makes S1 hold there."""
    broken = system_of(Row(find_revision("ab27c3b5e7"), find_scenario("mirror")))
    assert explore(broken).verdicts["S1"].outcome is Outcome.VIOLATED
    reached = list(states(broken))
    honest = make(broken, ["B1"])
    counterexample = explore(broken).verdicts["S1"].trace
    assert counterexample is not None
    asked = (counterexample.initial, counterexample.actions)
    claims = (replace(honest.header.claims[0], property="S1", asked=asked),)
    wrong = with_bodies(
        broken, replace(honest, header=replace(honest.header, claims=claims)), [invariant_of(broken, reached)]
    )
    assert refutations(wrong, broken) == ["inside S1"] * 2
    assert "made for another model" in check(certificate, broken).reason


@pytest.mark.slow
def test_weakened_rank_and_strategy_are_refuted(system: TransitionSystem) -> None:
    """That the job can always finish is not shown by a rank that is constant, nor by one action for all states."""
    honest = make(system, ["F1"])
    (claim,) = honest.header.claims
    reached = invariant_of(system, list(states(system)))
    number = honest.text.split("(define-fun strategy0.0 ")[1].split(") (_ BitVec ")[-1].split(")")[0]
    strategy = f"#b{0:0{int(number)}b}"
    wrong = with_bodies(system, honest, [reached, *["true"] * claim.progress[0], strategy])
    assert set(refutations(wrong, system)) == {"F1: its strategy can be followed"}

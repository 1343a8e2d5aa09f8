"""The drain invariant for any number of writes: proved by induction or refuted by bounded model checking, and nothing by accident."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from random import Random

import pytest
from msgspec.structs import replace

from draincheck.certificate import check, from_proof
from draincheck.engines.explicit import explore
from draincheck.engines.smt.induction import Proof
from draincheck.engines.smt.relation import Relation
from draincheck.errors import TraceError
from draincheck.eventloop import AioContext
from draincheck.expr import all_
from draincheck.knobs import turned
from draincheck.lang import BoolExpr, BoolVar, IntVar, ModelError, Process
from draincheck.naturals import is_natural
from draincheck.properties import Always, FaultKind
from draincheck.qemu import build
from draincheck.qemu.counted_state import HostNotifier
from draincheck.revisions import Revision, code_bases, find_revision
from draincheck.run import rerun
from draincheck.semantics.violation import fault_found, shown_by
from draincheck.system import State, TransitionSystem
from draincheck.verdict import Limits, Outcome
from drainspecs.mirror.counted import S1, Family, Story, decide_all
from drainspecs.mirror.expectations import expected
from drainspecs.mirror.properties import DrainInvariant
from drainspecs.mirror.scenarios import find_scenario
from drainspecs.suite.matrix import with_order_any
from tests.support.samples import sampled

MIRROR = find_scenario("mirror")

#: the length of the shortest counterexample for any number of writes
STEPS = {
    "5a7e7a0bad": 20, "b112a65c52": 20, "6ee4ce1ee7": 20, "f3926945c8": 19, "3f09bfbc7b": 19, "dca21ef23b": 19, "3a1e8074d7": 19,
    "c1e1e5fa8f": 19, "cdb5e3155e": 19,
    "176c36997f": 20, "a77fd4bb29": 27, "39bf92dd70": 27, "14560d69e7": 27, "37989ced44": 27, "ab27c3b5e7": 27, "6820643fdb": 27,
    "03de2f5274": 20, "b880481579": 27, "463e0be101": 27,
    "ab27c3b5e7-without-37989ced44": 27, "d4a92a8420-without-37989ced44": 34, "3f09bfbc7b-reopen-drains": 19,
}  # fmt: skip


@cache
def systems() -> list[list[Revision]]:
    """The code bases by their system: those that differ in nothing of this story share one."""
    found: dict[str, list[Revision]] = {}
    for row in code_bases():
        found.setdefault(Family.of(row).any_writes().digest, []).append(row)
    return list(found.values())


#: how many there are, and those of every run
SYSTEMS, QUICK = 29, (3,)


def of(name: str, story: type[Story] = Story) -> Family:
    """The family of a code base."""
    return Family(find_revision(name), story)


def parts(system: TransitionSystem) -> dict[str, BoolExpr]:
    """The parts of the invariant."""
    return {item.name: item.holds for item in system.properties if isinstance(item, Always)}


def wanted(row: Revision) -> Outcome:
    """What the story expects of S1."""
    expectation = expected(row.name, MIRROR, "S1")
    assert expectation is not None
    return expectation.outcome


# -- every code base --------------------------------------------------------------------------------


def test_every_code_base_belongs_to_a_system() -> None:
    """All 53 are decided below, and those that share a system are expected to share the verdict."""
    assert (sum(map(len, systems())), len(systems())) == (53, SYSTEMS)
    for rows in systems():
        assert len({wanted(row) for row in rows}) == 1


@pytest.mark.slow
@pytest.mark.parametrize("number", sampled(range(SYSTEMS), QUICK, 5))
def test_the_verdict_is_that_of_the_story_and_of_the_finite_model(number: int) -> None:
    """What holds has a certificate that z3 and cvc5 accept; what is violated, a path that was executed with as few writes as possible."""
    rows = systems()[number]
    family = Family.of(rows[0])
    found = family.decide()
    named = explore(build("named", rows[0].knobs, MIRROR, DrainInvariant()).compile()).verdicts["S1"]
    assert found.verdict.outcome is named.outcome is wanted(rows[0])
    if found.proof is not None:
        assert not {row.name for row in rows} & set(STEPS)
        assert_certified(family)
        return
    trace = found.verdict.trace
    assert trace is not None
    assert {row.name: len(trace.actions) for row in rows} == {row.name: STEPS[row.name] for row in rows}
    assert found.writes == 1
    assert explore(family.finite(0)).verdicts[S1].outcome is Outcome.NEVER_ASKED
    assert rerun(family.member(trace.initial), trace)[-1].broken == (S1,)
    assert family.in_finite(trace).steps[-1].broken == (S1,)


def assert_certified(family: Family) -> None:
    """Both solvers accept the certificate against a model that is made anew."""
    certificate = family.certificate(family.prove())
    for solver in ("z3", "cvc5"):
        verdict = check(certificate.text, family.any_writes(), solver)
        assert verdict.accepted, verdict.reason
        assert verdict.queries == 4


@pytest.mark.slow
@pytest.mark.parametrize("name", sampled(["9a0cec664e", "d4a92a8420"], 1, 1))
def test_s1_is_proved_for_any_number_of_writes(name: str) -> None:
    """By one step of induction, after the bandage is reverted and after the section comes before the count."""
    found = of(name).prove()
    assert (found.verdict.outcome, str(found.verdict.reason)) == (Outcome.HOLDS, "k-induction, k = 1")
    assert_certified(of(name))


@pytest.mark.slow
def test_code_bases_of_one_system_are_decided_once() -> None:
    """The second one gets the same verdict, and a certificate that names its own knobs."""
    rows = [
        find_revision("0ff841f6d1"),
        find_revision("1c627137c1"),
        find_revision("4a1cba3802"),
        find_revision("0062ea0fd6"),
    ]
    first, same, other, again = decide_all(rows)
    assert first is same and other is again and first is not other
    certificate = Family.of(rows[3]).certificate(again)
    assert certificate.header.model == "0062ea0fd6 / any number of writes"
    assert check(certificate, Family.of(rows[3]).any_writes()).accepted


# -- any number -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_certificate_is_about_integers_without_an_upper_end() -> None:
    """Counters are integers of which nothing is said but that they are not negative, and the guest may have any number of writes to make."""
    family = of("9a0cec664e")
    certificate = family.certificate(family.prove())
    system = family.any_writes()
    assert "(set-logic QF_LIA)" in certificate.text
    domain, initial = (
        line for line in certificate.model if line.startswith(("(define-fun domain", "(define-fun init"))
    )
    naturals = [n for n, variable in enumerate(system.variables) if is_natural(variable.sort)]
    assert len(naturals) == 12
    assert system.variables[0].name == "writes to make" and 0 in naturals
    for n in naturals:
        assert f"(v{n} Int)" in domain
        assert re.findall(rf"\([^()]*\bv{n}\b[^()]*\)", domain.partition(") Bool ")[2]) == [f"(<= 0 v{n})"]
    assert started(initial) == set(range(1, len(system.variables)))


def started(initial: str) -> set[int]:
    """The numbers of the variables of which the definition of `init` says more than that they are in their domain."""
    _, _, said = initial.partition(") Bool ")[2].partition(")")
    return {int(number) for number in re.findall(r"\bv(\d+)\b", said)}


def test_a_number_of_writes_that_is_given_is_seen() -> None:
    """Negative control: a member of the family starts with its number, and a finite one has an end to it."""
    member, finite = Relation(of("9a0cec664e").with_writes(3)), Relation(of("9a0cec664e").finite(3))
    assert "(= v0 3)" in member.initial and 0 in started(member.initial)
    assert (member.logic, finite.logic) == ("QF_LIA", "QF_BV")


@pytest.mark.parametrize("name", sampled(["d4a92a8420", "9a0cec664e"], 1))
def test_a_thousand_writes_stay_inside_the_invariant(name: str) -> None:
    """A member of the family starts in it, and stays there on a long random run on which hundreds of requests are in flight."""
    system = of(name).with_writes(1000)
    (state,) = system.initial
    holds = list(parts(system).values())
    random, most, made = Random(1), 0, 0
    for _ in range(4000):
        assert all(system.holds(part, state) for part in holds)
        enabled = list(system.enabled(state))
        (action,) = random.choices(enabled, [1 if action.process == "storage" else 50 for action in enabled])
        assert not system.broken_checks(state, action) and system.fault(state, action) is None
        state = system.step(state, action)
        values = named(system, state)
        most, made = max(most, values["in flight on the source"]), 1000 - values["writes to make"]
    assert made > 300 and most > 50


def named(system: TransitionSystem, state: State) -> Mapping[str, int]:
    """The stored values of a state by name."""
    return {variable.name: value for variable, value in zip(system.variables, state, strict=True)}


def test_states_without_an_end_cannot_be_listed() -> None:
    """Explicit search says so instead of searching no state at all."""
    with pytest.raises(ModelError, match="writes to make has no upper end"):
        explore(of("9a0cec664e").any_writes())


# -- the invariant ----------------------------------------------------------------------------------


def without(part: str) -> type[Story]:
    """The story with one part of its invariant less."""

    class Without(Story):
        def invariant(self) -> dict[str, BoolExpr]:
            return {name: holds for name, holds in super().invariant().items() if name != part}

    return Without


def is_needed(part: str, name: str) -> bool:
    """The invariant of a code base is not inductive without this part."""
    return of(name, without(part)).prove().proof is None


@pytest.mark.slow
def test_the_parts_that_induction_needs() -> None:
    """At 9a0cec664e all but the one about nested drains, which the code base does not have; that one is needed where it has."""
    spare = [part for part in parts(of("9a0cec664e").any_writes()) if not is_needed(part, "9a0cec664e")]
    assert spare == ["a nested drain runs"]
    assert is_needed("a nested drain runs", "ab27c3b5e7-nested-drain")
    assert is_needed("the bandage", "0ff841f6d1")


@pytest.mark.slow
@pytest.mark.parametrize(
    "part", sampled(["the window opens when the job leaves", "sections of the source", "the drain BH runs once"], 1, 1)
)
def test_solvers_refuse_an_invariant_that_lost_a_part(part: str) -> None:
    """z3 and cvc5 find a step that leads out of it, or a violation inside."""
    family = of("9a0cec664e")
    found = family.prove()
    assert found.proof is not None
    for lost, accepted in (("", True), (part, False)):
        certificate = from_proof(found.system, replace(claim(found.system, lost), asked=found.proof.asked))
        for solver in ("z3", "cvc5"):
            verdict = check(certificate, family.any_writes(), solver)
            assert verdict.accepted is accepted
            assert accepted or re.search("refutes it|does not confirm it", verdict.reason)


def claim(system: TransitionSystem, lost: str) -> Proof:
    """That S1, the absence of faults and the parts of the invariant but for one are inductive."""
    bad = [shown_by(system, system.property_named(S1)), fault_found(system, set(FaultKind))]
    kept = [holds for name, holds in parts(system).items() if name != lost]
    return Proof(S1, 1, all_(*(~condition for condition in bad if condition is not None), *kept), simple=False)


@pytest.mark.slow
def test_a_certificate_is_bound_to_its_code_base() -> None:
    """That of another code base is rejected before a solver is asked."""
    certificate = of("9a0cec664e").certificate(of("9a0cec664e").prove())
    verdict = check(certificate, of("d4a92a8420").any_writes())
    assert (verdict.accepted, verdict.queries) == (False, 0)
    assert "made for another model" in verdict.reason


def test_what_is_violated_is_not_proved() -> None:
    """The invariant does not imply S1 where a handler may run in the window."""
    found = of("ab27c3b5e7").prove()
    assert (found.verdict.outcome, found.proof) == (Outcome.UNKNOWN, None)


# -- weakened models --------------------------------------------------------------------------------


class IgnoresTheCounter(Story):
    """The fd walk runs handlers while external events are disabled."""

    def context(self, name: str, home: str, count: IntVar, notified: BoolVar) -> AioContext[HostNotifier]:
        """By a code base that does not ask."""
        return replace(
            super().context(name, home, count, notified), rules=turned(self.k, {"walk_checks_external": False})
        )


class DisablesNothing(Story):
    """aio_disable_external has no effect: neither the poll set nor the fd walk leaves a handler out."""

    def context(self, name: str, home: str, count: IntVar, notified: BoolVar) -> AioContext[HostNotifier]:
        """With handlers that are not external."""
        return replace(super().context(name, home, count, notified), external=False)


class OpensNoSection(Story):
    """The window opens with the last count, and no section is open then."""

    def drained_begin(self, p: Process, place: str = "drain") -> None:
        """Only drain."""
        self.drain_in_coroutine(p, place)

    def drained_end(self, p: Process) -> None:
        """There is nothing to end."""

    def invariant(self) -> dict[str, BoolExpr]:
        """No section of the source is ever open."""
        return {**super().invariant(), "sections of the source": self.node.counter.is_(0)}


@pytest.mark.parametrize(
    ("story", "name"),
    [
        pytest.param(IgnoresTheCounter, "9a0cec664e", marks=pytest.mark.long),
        pytest.param(DisablesNothing, "9a0cec664e", marks=pytest.mark.slow),
        pytest.param(OpensNoSection, "d4a92a8420", marks=pytest.mark.long),
    ],
)
def test_a_weakened_model_is_refuted(story: type[Story], name: str) -> None:
    """Negative control: without what protects it S1 is not proved, and a counterexample is found and executed."""
    family = of(name, story)
    assert of(name).prove().proof is not None
    assert family.prove().proof is None
    found = family.refute()
    assert found.verdict.outcome is Outcome.VIOLATED and found.verdict.trace is not None
    assert rerun(family.member(found.verdict.trace.initial), found.verdict.trace)[-1].broken == (S1,)
    with pytest.raises(TraceError, match="another model"):
        rerun(of(name).member(found.verdict.trace.initial), found.verdict.trace)


class NeedsTwo(Story):
    """Only a second request in the ring at the same time is a violation."""

    def requests_submitted(self, p: Process, requests: IntVar) -> None:
        """S1, of which one request is free."""
        p.check(S1, ~((requests > 1) & self.window & self.on_old_node))


@pytest.mark.slow
def test_the_number_of_writes_is_found() -> None:
    """A violation that takes two writes is found, and shown with two."""
    family = of("f3926945c8", NeedsTwo)
    found = family.refute()
    assert found.writes == 2
    assert explore(family.finite(1)).verdicts[S1].outcome is Outcome.HOLDS
    assert explore(family.finite(2)).verdicts[S1].outcome is Outcome.VIOLATED


class FalsePart(Story):
    """One part of the invariant is not true."""

    def invariant(self) -> dict[str, BoolExpr]:
        """Says that nothing is ever in flight."""
        return {"nothing is in flight": ~self.source.pending, **super().invariant()}


@pytest.mark.slow
def test_a_false_part_hides_no_counterexample() -> None:
    """What is not proved does not narrow the search: the same shortest path is found."""
    found = of("f3926945c8", FalsePart).refute()
    assert found.verdict.trace is not None and len(found.verdict.trace.actions) == STEPS["f3926945c8"]
    assert of("9a0cec664e", FalsePart).prove().proof is None


# -- limits -----------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.usefixtures("hurry")
def test_a_limit_makes_it_unknown() -> None:
    """Neither a depth nor a time that is too short reads as *holds*."""
    assert of("ab27c3b5e7").refute(Limits(depth=10)).verdict.outcome is Outcome.UNKNOWN
    assert of("ab27c3b5e7").decide(Limits(seconds=1000)).verdict.outcome is Outcome.UNKNOWN


def test_gsources_have_the_order_of_attachment() -> None:
    """Another order is refused, not ignored."""
    any_order = with_order_any(find_revision("9a0cec664e"))
    with pytest.raises(ModelError, match="attachment"):
        Family.of(any_order).any_writes()

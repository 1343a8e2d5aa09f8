"""A certificate shows that its properties are asked: by paths, executed by the system's own rules. Without one, or with a wrong one, it is refused."""

from __future__ import annotations

from itertools import count

import pytest
from msgspec.structs import replace

from draincheck import certify, interpreter
from draincheck.certificate import SOLVERS, Certificate, check, make
from draincheck.certificate.format import Header, InvariantClaim, Path
from draincheck.certificate.reached import complete
from draincheck.engines.smt.relation import Relation
from draincheck.errors import CertificateError, OutOfBudget
from draincheck.expr import TRUE
from draincheck.lang import Model
from draincheck.properties import Always, Assertion, CanAlwaysFinish, NoDeadlock, NoFault, Property, Reachable
from draincheck.reason import Stop, StopKind
from draincheck.sorts import IntSort
from draincheck.system import IntVar, TransitionSystem
from draincheck.verdict import Outcome, Silent
from tests.support.certificates import by_induction, forged
from tests.support.machines import Machine
from tests.support.samples import sampled
from tests.support.stuck_models import parked_coroutine, two_locks

both = pytest.mark.parametrize("solver", SOLVERS)


def walk(last: int = 3, *, asks: str = "checked", at: int = 2) -> TransitionSystem:
    """A number that goes from 0 to `last`; the step from `at` passes the check of an assertion of this name."""
    number = IntVar("number", IntSort(0, 3), (0,))
    machine = Machine(number)
    for here in range(3):
        checks = [(asks, TRUE)] if here == at else []
        machine.action(f"from {here}", number.is_(here) & (number < last), number.inc(), checks=checks)
    machine.action("stay", number.is_(3), number.set(3))
    known = (
        Assertion("checked"),
        Always("small", number <= 3),
        Reachable("at home", number.is_(0)),
        CanAlwaysFinish("some way on", number <= 3),
        NoDeadlock("alive"),
    )
    return machine.system(*known, final=TRUE)


def claim_of(certificate: Certificate, name: str) -> InvariantClaim:
    """What is claimed of a property."""
    return next(claim for claim in certificate.header.claims if claim.property == name)


def without(certificate: Certificate, system: TransitionSystem, name: str, asked: Path | None) -> Certificate:
    """A certificate of one property, with another path that is said to ask it; all else is right."""
    claim = claim_of(certificate, name)
    return said(forged(system, certificate, claims=(claim,)), replace(claim, asked=asked))


def said(certificate: Certificate, claim: InvariantClaim) -> Certificate:
    """The certificate with this claim in its header, and nothing else changed."""
    return replace(certificate, header=replace(certificate.header, claims=(claim,)))


def reason(certificate: Certificate, system: TransitionSystem, solver: str) -> str:
    """Why a certificate is refused."""
    verdict = check(certificate, system, solver)
    assert (verdict.accepted, verdict.undecided) == (False, False)
    return verdict.reason


@both
def test_paths_ask(solver: str) -> None:
    """Of an assertion the path leads to the step with its check; for the others any step does. A witness with a step asks by itself."""
    certificate = make(walk())
    first, third = ((0,), (0,)), ((0,), (0, 1, 2))
    assert {c.property: c.asked for c in certificate.header.claims} == {
        "checked": third, "small": first, "at home": first, "some way on": first, "alive": first,
    }  # fmt: skip
    assert check(certificate, walk(), solver).accepted


@both
def test_induction_says_what_asks(solver: str) -> None:
    """A proof brings the path along, found by whichever way."""
    certificate = by_induction(walk(), "checked", "small")
    assert claim_of(certificate, "checked").asked == ((0,), (0, 1, 2))
    assert check(certificate, walk(), solver).accepted


@both
@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (None, "nothing in it shows that it is ever asked"),
        (((0,), ()), "does not end with a step that does"),
        (((0,), (0,)), "does not end with a step that does"),
        (((0,), (0, 1, 2, 3)), "does not end with a step that does"),
        (((2,), (2,)), "does not start in an initial state"),
        (((0,), (2,)), "is not enabled there"),
        (((0,), (0, 2)), "is not enabled there"),
        (((0,), (0, 1, 9)), "takes action 9"),
        (((0,), (0, 1, -1)), "takes action -1"),
        (((0, 0), (0, 1, 2)), "does not start in an initial state"),
    ],
)
def test_wrong_paths_ask_nothing(asked: Path | None, words: str, solver: str) -> None:
    """Left out, empty, that of another property, too long, from elsewhere, or no run."""
    assert words in reason(without(make(walk(), ["checked"]), walk(), "checked", asked), walk(), solver)


@both
@pytest.mark.parametrize("name", ["small", "at home", "some way on", "alive"])
def test_every_kind_of_property_must_be_asked(name: str, solver: str) -> None:
    """Without a path, or with one that takes no step, nothing of what holds is certified."""
    for asked, words in ((None, "ever asked"), (((0,), ()), "a step that does")):
        assert words in reason(without(make(walk(), [name]), walk(), name, asked), walk(), solver)


@both
@pytest.mark.parametrize(
    "name", sampled(["checked", "small", "at home", "some way on", "alive"], ["checked", "some way on"])
)
@pytest.mark.parametrize(
    "system",
    [walk(last=0), walk(asks="cheked"), walk(last=2)],
    ids=["never moves", "a slip in the name", "check out of reach"],
)
def test_what_is_never_asked_is_never_certified(system: TransitionSystem, name: str, solver: str) -> None:
    """The path of a system that asks is none of one that does not; nor is any other. What is asked there is accepted."""
    outcome = interpreter.explore(system).verdicts[name].outcome
    for asked in (None, ((0,), ()), ((0,), (0,)), ((0,), (0, 1)), ((0,), (0, 1, 2)), ((3,), (3,))):
        verdict = check(without(make(walk(), [name]), system, name, asked), system, solver)
        assert not verdict.accepted or outcome is Outcome.HOLDS
    if outcome is Outcome.HOLDS:
        assert check(make(system, [name]), system, solver).accepted
    else:
        with pytest.raises(CertificateError, match="never asked"):
            make(system, [name])


def test_a_goal_out_of_reach_asks_nothing() -> None:
    """It is violated, asked or not; a path beside it is refused, for it would say nothing."""
    number = IntVar("number", IntSort(0, 3), (0,))
    system = Machine(number).system(Reachable("at 3", number.is_(3)))
    certificate = make(system)
    assert certificate.header.claims == (InvariantClaim("at 3", "violated"),)
    assert check(certificate, system).accepted
    assert "in vain" in reason(without(certificate, system, "at 3", ((0,), ())), system, "z3")


@both
def test_a_demand_on_every_system_must_be_asked_too(solver: str) -> None:
    """That no value leaves its range is no merit of a model that does nothing."""
    assert check(make(walk(), ["values in range"]), walk(), solver).accepted
    item: Property = walk().property_named("values in range")
    assert isinstance(item, NoFault)
    with pytest.raises(CertificateError, match="never asked"):
        make(walk(last=0), [item.name])


# -- no process is stuck ----------------------------------------------------------------------------


@both
@pytest.mark.parametrize(
    "model", [two_locks(ordered=True), parked_coroutine(completes=True)], ids=lambda m: str(m.name)
)
def test_that_no_process_is_stuck_is_certified(model: Model, solver: str) -> None:
    """A rank and a strategy for each process, by which it goes on or comes to rest."""
    system = model.compile()
    certificate = certify(model).certificate
    assert certificate is not None
    (claim,) = certificate.header.claims
    assert len(claim.progress) == len(system.at_rest)
    assert any(claim.progress)
    verdict = check(certificate, system, solver)
    assert (verdict.accepted, verdict.reason) == (True, "")


@both
def test_a_stuck_process_is_never_certified(solver: str) -> None:
    """The certificate of a model without a circle, passed off for the one with; and with ranks left out."""
    honest, wrong = two_locks(ordered=True).compile(), two_locks().compile()
    certificate = certify(honest).certificate
    assert certificate is not None
    (claim,) = certificate.header.claims
    assert not check(forged(wrong, certificate), wrong, solver).accepted
    for progress in ((), claim.progress[1:], (*claim.progress, 1)):
        assert "cannot be shown" in reason(said(certificate, replace(claim, progress=progress)), honest, solver)
    with pytest.raises(CertificateError, match="no deadlock: violated"):
        make(wrong, ["no deadlock"])


# -- limits -----------------------------------------------------------------------------------------


def test_making_a_certificate_keeps_within_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit that is reached after the search ends it, too; until then whoever waits is told that it works."""
    stop, told, looks = Stop(StopKind.SECONDS, 1), list[int](), count()

    class Told(Silent):
        def progress(self, states: int, transitions: int, depth: int, queue: int) -> None:
            told.append(states)

    def look() -> None:
        if next(looks) == 2:
            raise OutOfBudget(stop)

    monkeypatch.setattr("draincheck.certificate.reached.look", look)
    with pytest.raises(OutOfBudget) as caught:
        certify(walk(), ["some way on"], reporter=Told())
    assert caught.value.stop == stop
    assert told == [4, 4]


@both
def test_a_witness_whose_steps_matter_to_nobody_asks_nothing(solver: str) -> None:
    """It is there from the start, and what moves is a thread that does nothing."""
    m = Model("idle")
    there = m.bool("there", initial=True)
    with m.thread("spins") as p, p.loop():
        p.do("spin")
    m.reachable("met", there)
    system = m.compile()
    assert interpreter.explore(system).verdicts["met"].outcome is Outcome.NEVER_ASKED
    claim = InvariantClaim("met", witness=(system.initial[0], (0,)))
    certificate = complete(Relation(system), Header(system.name, system.digest, (claim,)), [])
    assert "nothing shows that it is ever asked" in reason(certificate, system, solver)

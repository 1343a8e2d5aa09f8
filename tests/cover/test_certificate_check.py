"""Certificates of small machines: made from reachable states and from k-induction, and accepted by both solvers."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from draincheck import optional
from draincheck.certificate import SOLVERS, InvariantClaim, certifiable, check, from_proof, make
from draincheck.certificate.queries import queries
from draincheck.engines import explicit
from draincheck.engines.smt.induction import Proof
from draincheck.engines.smt.relation import Relation
from draincheck.errors import CertificateError, NoSolver, NotInstalled
from draincheck.expr import TRUE
from draincheck.naturals import NATURAL, over_naturals
from draincheck.properties import Always, Eventually, LeadsTo, NoDeadlock
from draincheck.sorts import BOOL
from draincheck.system import BoolVar, IntVar, TransitionSystem
from draincheck.verdict import Limits
from tests.support.certificates import by_induction, number_line, ring
from tests.support.machines import Machine, bounded, clock, counter, event_loop, philosophers
from tests.support.samples import sampled

both = pytest.mark.parametrize("solver", SOLVERS)


@both
@pytest.mark.parametrize(
    "system",
    [
        clock(NoDeadlock("alive")),
        counter(5, "in range", "top", "ahead"),
        philosophers(final=True),
        event_loop(1, 2),
        event_loop(2, 1),
        ring(),
    ],
    ids=["clock", "counter", "philosophers", "event loop", "two devices", "ring"],
)
def test_reachable_states_are_accepted(system: TransitionSystem, solver: str) -> None:
    """Everything that holds in a machine is certified by its reachable states."""
    certificate = make(system)
    names = certifiable(system, explicit.explore(system))
    assert tuple(claim.property for claim in certificate.header.claims) == names != ()
    verdict = check(certificate, system, solver)
    assert (verdict.accepted, verdict.reason) == (True, "")
    assert verdict.queries == len(queries(Relation(system), certificate.header))


@both
@pytest.mark.parametrize("k", sampled([1, 2, 3, 4], [1, 3]))
def test_k_induction_is_accepted(solver: str, k: int) -> None:
    """The formula of a proof, with its k."""
    system = number_line(k)
    certificate = by_induction(system, "not last")
    assert (certificate.header.k, certificate.header.simple) == (k, k > 1)
    assert check(certificate, system, solver).accepted


@both
def test_simple_paths_are_accepted(solver: str) -> None:
    """A proof that needs the states of the induction to differ."""
    system = ring(stays=True)
    certificate = by_induction(system, "not at 4")
    assert (certificate.header.k, certificate.header.simple) == (2, True)
    assert check(certificate, system, solver).accepted


@both
def test_proofs_with_different_k_are_one_certificate(solver: str) -> None:
    """The conjunction of what is inductive with k = 1 and with k = 2 is so with k = 2."""
    system = ring(stays=True)
    place = system.variables[0]
    assert isinstance(place, IntVar)
    system = replace(system, properties=(*system.properties, Always("somewhere", place <= 4)))
    certificate = by_induction(system, "somewhere", "not at 4", "at 4")
    assert [claim.verdict for claim in certificate.header.claims] == ["holds", "holds", "violated"]
    assert certificate.header.k == 2
    assert check(certificate, system, solver).accepted


@both
def test_naturals_are_accepted(solver: str) -> None:
    """An invariant over numbers that have no end."""
    number, other = (IntVar(name, NATURAL, (0,)) for name in ("number", "other"))
    machine = Machine(number, other)
    machine.action("both", TRUE, number.inc(), other.inc())
    machine.action("back", number > 0, number.dec(), other.dec())
    system = over_naturals(machine.system(Always("equal", number.is_(other)), Always("small", number < 7)))
    proof = Proof("equal", 1, number.is_(other), False, asked=((0, 0), (0,)))
    certificate = from_proof(system, proof)
    assert "Int" in certificate.text
    assert check(certificate, system, solver).accepted
    wrong = check(from_proof(system, replace(proof, formula=number <= other)), system, solver)
    assert wrong.reason == f"{solver} refutes it: 'inside equal' has a solution"


def test_progress_has_rank_and_strategy() -> None:
    """That a goal stays reachable is claimed with as many bits as its distance takes."""
    claims = make(counter(5, "ahead", "in range")).header.claims
    asked = ((0,), (0,))
    assert claims == (InvariantClaim("ahead", progress=(3,), asked=asked), InvariantClaim("in range", asked=asked))


def test_goal_that_is_met_is_shown_by_a_witness() -> None:
    """No solver is asked about a path: it is executed."""
    system = counter(5, "top")
    certificate = make(system)
    assert certificate.header.claims == (InvariantClaim("top", witness=((0,), (0, 0, 0, 0, 0))),)
    assert (certificate.claim, certificate.queries) == ((), ())
    verdict = check(certificate, system)
    assert (verdict.accepted, verdict.queries) == (True, 0)


def test_goal_out_of_reach_is_certified_as_violated() -> None:
    """A Reachable that is not: the invariant excludes its goal."""
    certificate = make(ring(), ["at 4"])
    assert certificate.header.claims == (InvariantClaim("at 4", "violated"),)
    assert check(certificate, ring()).accepted


def test_wrong_witness_is_rejected() -> None:
    """A path that cannot be taken, starts elsewhere, or ends before the goal."""
    system = counter(5, "top")
    certificate = make(system)
    asked = ((0,), (0,))
    for witness, message in (
        (((0,), (0, 0, 0)), "does not end where its goal is met"),
        (((0,), (0,) * 6), "is not enabled there"),
        (((4,), (0,)), "does not start in an initial state"),
        (((), ()), "does not start in an initial state"),
        (((0,), (-1,)), "takes action -1"),
        (((0,), (1,)), "takes action 1"),
    ):
        claim = InvariantClaim("top", witness=witness, asked=None if witness[1] else asked)
        forged = replace(certificate, header=replace(certificate.header, claims=(claim,)))
        verdict = check(forged, system)
        assert not verdict.accepted
        assert message in verdict.reason


@pytest.mark.parametrize(
    ("name", "claim"),
    [
        ("in range", InvariantClaim("in range", "violated")),
        ("in range", InvariantClaim("in range", progress=(2,))),
        ("in range", InvariantClaim("in range", witness=((0,), ()))),
        ("ahead", InvariantClaim("ahead")),
        ("ahead", InvariantClaim("ahead", "violated", progress=(3,))),
        ("top", InvariantClaim("top")),
        ("top", InvariantClaim("top", "violated", witness=((0,), (0,)))),
    ],
)
def test_claim_that_makes_no_sense_is_rejected(name: str, claim: InvariantClaim) -> None:
    """Each kind of property is shown in its own way."""
    system = counter(5, "in range", "top", "ahead")
    certificate = make(system, [name])
    forged = replace(certificate, header=replace(certificate.header, claims=(claim,)))
    assert "it cannot be shown" in check(forged, system).reason


def test_claims_about_other_properties_are_rejected() -> None:
    """A property that the system does not have; no property at all."""
    system = counter(5, "in range")
    certificate = make(system)
    for claims, message in (((InvariantClaim("S1"),), "has no property 'S1'"), ((), "it claims nothing")):
        forged = replace(certificate, header=replace(certificate.header, claims=claims))
        assert message in check(forged, system).reason


@pytest.mark.parametrize(("name", "message"), [("small", "small: violated: a counterexample of 1 step shows that")])
def test_violated_property_has_no_certificate(name: str, message: str) -> None:
    """Its counterexample shows that."""
    with pytest.raises(CertificateError, match=f"^{message}$"):
        make(counter(1, name), [name])


def test_liveness_has_no_certificate() -> None:
    """Demands on whole runs are left out, and refused if named."""
    bit = BoolVar("bit", BOOL, (0,))
    machine = Machine(bit)
    machine.action("up", ~bit, bit.set())
    system = machine.system(Eventually("up in the end", bit), LeadsTo("on", ~bit, bit), NoDeadlock("alive"), final=bit)
    assert [claim.property for claim in make(system).header.claims] == ["alive"]
    for name, kind in (("up in the end", "eventually"), ("on", "leads_to")):
        with pytest.raises(CertificateError, match=rf"^{name}: a demand on whole runs \({kind}\)"):
            make(system, [name])


def test_incomplete_search_has_no_certificate() -> None:
    """A bound that is passed, a limit, or an error leaves nothing to certify, and neither does what was never asked."""
    with pytest.raises(CertificateError, match="in range: not known to hold: bound passed"):
        make(bounded(), ["in range"])
    with pytest.raises(CertificateError, match="in range: not known to hold"):
        make(counter(9, "in range"), ["in range"], Limits(states=3))
    with pytest.raises(CertificateError, match=r"a run ends with an error.*2 actions.*--property 'values in range'"):
        make(counter(2, "in range", guarded=False))
    with pytest.raises(CertificateError, match="in range: never asked: nothing to prove"):
        make(counter(0, "in range"), ["in range"])


@both
def test_text_and_file_are_checked_like_a_certificate(tmp_path: Path, solver: str) -> None:
    """Three ways to hand it over."""
    system = philosophers()
    certificate = make(system)
    path = tmp_path / "it.smt2"
    path.write_text(certificate.text)
    verdicts = {check(form, system, solver) for form in (certificate, certificate.text, path)}
    assert len(verdicts) == 1
    with pytest.raises(CertificateError, match="cannot read"):
        check(tmp_path / "other.smt2", system, solver)


@both
@pytest.mark.usefixtures("stumped")
def test_out_of_time_is_undecided(solver: str) -> None:
    """A query that is not answered in time is no refutation, and no confirmation either."""
    verdict = check(make(philosophers()), philosophers(), solver, seconds=0.01)
    assert (verdict.accepted, verdict.undecided) == (False, True)
    assert f"{solver} gives no answer to " in verdict.reason
    assert verdict.reason.endswith(" within 0.01 s")


@both
def test_in_time_it_is_decided(solver: str) -> None:
    """Negative control: a limit alone changes nothing."""
    assert check(make(philosophers()), philosophers(), solver, seconds=600).accepted


@both
def test_text_that_a_solver_cannot_read_is_rejected(solver: str) -> None:
    """A claim in the right language that is wrong in its sorts."""
    system = philosophers()
    certificate = make(system, ["exclusive"])
    (signature,) = (line.split(" Bool ", 1)[0] for line in certificate.text.splitlines() if "define-fun inv " in line)
    assert signature
    head = certificate.claim[0][: certificate.claim[0].index(") Bool ") + 7]
    for body in ("#b01", "(and v0 #b1)", "5", "(not v0 v1)", "((_ extract 9 0) v2)"):
        verdict = check(replace(certificate, claim=(f"{head}{body})",)), system, solver)
        assert not verdict.accepted
        assert verdict.reason.startswith(f"{solver} cannot read it: "), body


def test_unknown_and_missing_solvers_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says how to get one."""
    system = philosophers()
    with pytest.raises(NoSolver, match="unknown solver 'yices'; known: z3, cvc5"):
        check(make(system), system, "yices")
    monkeypatch.setattr(optional, "find_spec", lambda _: None)
    with pytest.raises(NotInstalled, match=r"cvc5, .*, is not installed: pip install 'check-invariants\[cvc5\]'"):
        check(make(system), system, "cvc5")

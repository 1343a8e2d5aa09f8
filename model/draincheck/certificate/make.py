"""Certificates made: from the reachable states of a system, or from a proof by k-induction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from draincheck.budget import running
from draincheck.certificate.format import Certificate, Header, InvariantClaim
from draincheck.certificate.reached import complete, decided, from_search, searched
from draincheck.engines.smt.induction import Proof
from draincheck.engines.smt.relation import Relation
from draincheck.engines.smt.writer import conjoined
from draincheck.errors import CertificateError
from draincheck.properties import FAULTS, Liveness, Property, Reachable
from draincheck.semantics.violation import ERRORS, outcome_if_not_shown
from draincheck.subject import Source
from draincheck.system import TransitionSystem
from draincheck.verdict import NO_LIMITS, Exploration, Limits, Outcome, Verdict
from draincheck.words import counted

__all__ = ["certifiable", "from_proof", "make", "met_error", "obstacle"]


def make(
    system: TransitionSystem,
    properties: Sequence[str] | None = None,
    limits: Limits = NO_LIMITS,
    source: Source | None = None,
) -> Certificate:
    """A certificate from the reachable states.

    Args:
        system: the model.
        properties: what it is to be about; all that hold (and what is not reachable) if not given.
        limits: of time, memory and states, for the search and all that comes after it.
        source: how the model is made again, for the header.

    Raises:
        CertificateError: the search did not end, a run meets an error, or one of the properties does not hold.
        OutOfBudget: time or memory was spent after the search.
    """
    items = system.properties if properties is None else [*map(system.property_named, dict.fromkeys(properties))]
    with running(limits) as budget:
        search = searched(system, items, budget)
        verdicts = decided(search, items)
        if ends := met_error(verdicts):
            raise CertificateError(f"{system.name}: {ends}")
        reasons = {item: reason for item in items if (reason := obstacle(item, verdicts.get(item.name)))}
        if reasons and properties is not None:
            item, reason = next(iter(reasons.items()))
            raise CertificateError(f"{item.name}: {reason}")
        return from_search(search, {item: verdicts[item.name] for item in items if item not in reasons}, source)


def certifiable(system: TransitionSystem, exploration: Exploration) -> tuple[str, ...]:
    """The properties of a system that `make` can certify, given what a search of it found."""
    return tuple(item.name for item in system.properties if not obstacle(item, exploration.verdicts.get(item.name)))


def obstacle(item: Property, verdict: Verdict | None) -> str:
    """Why there is no certificate for a verdict on a property (None: nobody has asked), "" if there is one."""
    if isinstance(item, Liveness):
        return f"a demand on whole runs ({item.written}), and there are no certificates for such properties"
    if verdict is None or verdict.outcome is Outcome.UNKNOWN:
        return f"not known to hold{f': {verdict.reason}' if verdict else ''}"
    if verdict.outcome is Outcome.NEVER_ASKED:
        return f"never asked: nothing to prove ({verdict.reason})"
    if verdict.outcome is Outcome.VIOLATED and not isinstance(item, Reachable):
        return f"violated{_shown(verdict)}"
    return ""


def met_error(verdicts: Mapping[str, Verdict]) -> str:
    """Why nothing is certified of a system some run of which ends with an error, "" if none was met.

    An invariant of a certificate speaks of steps without a fault: what it says would look like more than it is.
    """
    found = (verdict for name, verdict in verdicts.items() if name in FAULTS and verdict.outcome is Outcome.VIOLATED)
    verdict = next((verdict for verdict in found if FAULTS[verdict.property].kind in ERRORS), None)
    if verdict is None:
        return ""
    return (
        f"a run ends with an error, so nothing is certified of any: {verdict.property} is violated ({verdict.reason}); "
        f"`check-invariants check --property '{verdict.property}'` shows it"
    )


def _shown(verdict: Verdict) -> str:
    """What shows that a property is violated."""
    if verdict.trace is None:
        return ""
    return f": a counterexample of {counted(len(verdict.trace.actions), 'step')} shows that"


def from_proof(system: TransitionSystem, proofs: Proof | Sequence[Proof], source: Source | None = None) -> Certificate:
    """A certificate from proofs by k-induction: the conjunction of their formulas is the invariant, and the largest k its k.

    That is an induction, too: a formula that follows from k states in a row follows from more of them, and from more demands on them.
    """
    relation = Relation(system)
    found = [proofs] if isinstance(proofs, Proof) else list(proofs)
    claims = [_proved(system, proof) for proof in found]
    k, simple = max(proof.k for proof in found), any(proof.simple for proof in found)
    header = Header(system.name, system.digest, tuple(claims), k, simple, source or {})
    formulas = [relation.condition(formula) for formula in dict.fromkeys(proof.formula for proof in found)]
    return complete(relation, header, [conjoined([relation.applied("domain"), *formulas])])


def _proved(system: TransitionSystem, proof: Proof) -> InvariantClaim:
    """What a proof comes to: that no state shows a property, and that a run asks it."""
    outcome = outcome_if_not_shown(system.property_named(proof.property))
    asked = None if proof.asked is None else (proof.asked[0], tuple(proof.asked[1]))
    return InvariantClaim(proof.property, outcome.value, asked=asked)

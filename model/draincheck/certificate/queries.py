"""What a certificate consists of beside its claim: the definitions of the model, and the queries. Both are made from the system."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from msgspec import Struct

from draincheck.certificate.format import Header, InvariantClaim, needs_asking
from draincheck.engines.smt.relation import Relation
from draincheck.engines.smt.writer import conjoined, define
from draincheck.errors import CertificateError
from draincheck.escape import printable
from draincheck.expr import BoolExpr, any_
from draincheck.properties import CanAlwaysFinish, FaultKind, Property, Reachable
from draincheck.semantics.stuck import going_on
from draincheck.semantics.violation import ERRORS, decided_by_states, fault_found, shown_by
from draincheck.system import TransitionSystem

__all__ = ["Query", "constants", "goals", "model_part", "queries", "query_part", "shown", "signatures"]


class Query(Struct, frozen=True):
    """A question to a solver: what it is about, and a condition that must have no solution."""

    name: str
    condition: str


def goals(system: TransitionSystem, item: Property) -> Mapping[str, BoolExpr]:
    """What must stay reachable from every state, by whom it is about; nothing, for a property that single states decide.

    Of `CanAlwaysFinish` it is the goal (""), of `NoDeadlock` that a process goes on or rests, one for each process ("": for all together).
    """
    if isinstance(item, CanAlwaysFinish):
        return {"": item.goal}
    return {} if decided_by_states(system, item) else going_on(system)


def shown(system: TransitionSystem, claim: InvariantClaim) -> BoolExpr | None:
    """The states that show the property of a claim violated; None where it has goals, or needs no solver.

    Raises CertificateError for a claim that makes no sense for its property, and ModelError if there is no such property.
    """
    item = system.property_named(claim.property)
    _demand_sense(system, item, claim)
    if claim.witness is not None or claim.progress:
        return None
    condition = shown_by(system, item)
    if condition is None:
        raise CertificateError(f"there are no certificates for properties like {item.name} ({item.written})")
    return condition


def _demand_sense(system: TransitionSystem, item: Property, claim: InvariantClaim) -> None:
    """Raise CertificateError unless such a claim could show such a property, and says how it is asked."""
    holds, reachable = claim.verdict == "holds", isinstance(item, Reachable)
    shown = holds == (claim.witness is not None) if reachable else holds and claim.witness is None
    if not shown or len(claim.progress) != len(goals(system, item)):
        raise CertificateError(
            f"{item.name} is demanded by {item.written}: it cannot be shown that it {claim.verdict} in this way"
        )
    if needs_asking(claim) != (claim.asked is not None):
        more = (
            "nothing in it shows that it is ever asked" if needs_asking(claim) else "it has a path that asks it in vain"
        )
        raise CertificateError(f"{item.name}: {more}")


def model_part(relation: Relation, claims: Sequence[InvariantClaim]) -> list[str]:
    """The definitions of a model and of the properties that are claimed, with comments that say what the names stand for."""
    system = relation.system
    lines = ["(set-info :smt-lib-version 2.6)", f"(set-logic {relation.logic})"]
    lines += [f"; v{n}: {printable(v.name)}, {printable(str(v.sort))}" for n, v in enumerate(system.variables)]
    lines += [
        f"; c = {n}: {printable(action.process)}: {printable(action.name)}" for n, action in enumerate(relation.actions)
    ]
    lines += [relation.domain, relation.initial, *relation.step.splitlines()]
    lines.append(
        relation.predicate("faulty", any_(fault_found(system, ERRORS), fault_found(system, {FaultKind.BOUND})))
    )
    if any(claim.progress for claim in claims):
        lines += relation.enabled.splitlines()
    for number, claim in enumerate(claims):
        condition = shown(system, claim)
        if condition is not None:
            lines += [f"; {printable(claim.property)}", relation.predicate(f"violated{number}", condition)]
        if claim.progress:
            for n, (name, goal) in enumerate(goals(system, system.property_named(claim.property)).items()):
                lines += [f"; {printable(_about(claim, name))}", relation.predicate(f"goal{number}.{n}", goal)]
    return lines


def _about(claim: InvariantClaim, name: str) -> str:
    """What a goal is called: the property, and whom it is about."""
    return f"{claim.property}: {name}" if name else claim.property


def signatures(relation: Relation, header: Header) -> list[str]:
    """How the definitions of a claim begin, in order."""
    parameters = relation.parameters()
    found: list[str] = []
    if any(claim.witness is None for claim in header.claims):
        found.append(define("inv", parameters, "")[:-1])
    for number, claim in enumerate(header.claims):
        for n, bits in enumerate(claim.progress):
            found += [define(f"rank{number}.{n}.{bit}", parameters, "")[:-1] for bit in range(bits)]
            if bits:
                found.append(define(f"strategy{number}.{n}", parameters, "", relation.choice)[:-1])
    return found


def queries(relation: Relation, header: Header) -> list[Query]:
    """The questions that a certificate is made of."""
    claims = [(n, claim) for n, claim in enumerate(header.claims) if claim.witness is None]
    if not claims:
        return []
    found = [
        Query("initial states inside", _leaves(relation, header.k)),
        Query("closed under every action", _opens(relation, header)),
        Query("no action at fault", f"(and (inv {relation.at(0)}) (faulty {relation.at(0)}))"),
    ]
    for number, claim in claims:
        found += _of_claim(relation, number, claim)
    return found


def constants(relation: Relation, header: Header) -> list[str]:
    """The declarations of what the queries are about: the states of a path, and the actions between them."""
    lines = [line for n in range(header.k + 1) for line in relation.declared(n)]
    return sorted(lines, key=lambda line: line.startswith("(declare-const c."))  # actions behind all states


def query_part(relation: Relation, header: Header) -> list[str]:
    """Declarations and queries as commands."""
    asked = queries(relation, header)
    if not asked:
        return []
    lines = constants(relation, header)
    for query in asked:
        name = printable(query.name).replace('"', '""')
        lines += ["(push 1)", f'(echo "{name}")', "(set-info :status unsat)"]
        lines += [f"(assert {query.condition})", "(check-sat)", "(pop 1)"]
    return lines


def _leaves(relation: Relation, k: int) -> str:
    """One of the first k states of some path is outside."""
    outside = f"(not (inv {relation.at(k - 1)}))"
    for n in range(k - 1, 0, -1):
        outside = f"(or (not (inv {relation.at(n - 1)})) (and {relation.taken(n)} {outside}))"
    return f"(and (init {relation.at(0)}) {outside})"


def _opens(relation: Relation, header: Header) -> str:
    """A path leads out after k states that were inside."""
    inside = [f"(inv {relation.at(n)})" for n in range(header.k)]
    path = [relation.taken(n) for n in range(1, header.k + 1)]
    pairs = combinations(range(header.k + 1), 2) if header.simple else ()
    different = [relation.different(one, other) for one, other in pairs]
    return conjoined([*inside, *path, *different, f"(not (inv {relation.at(header.k)}))"])


def _of_claim(relation: Relation, number: int, claim: InvariantClaim) -> Iterator[Query]:
    """What is asked about one property."""
    first = relation.at(0)
    if not claim.progress:
        yield Query(f"inside {claim.property}", f"(and (inv {first}) (violated{number} {first}))")
        return
    names = goals(relation.system, relation.system.property_named(claim.property))
    for n, (name, bits) in enumerate(zip(names, claim.progress, strict=True)):
        yield from _of_goal(relation, f"{number}.{n}", _about(claim, name), bits)


def _of_goal(relation: Relation, number: str, what: str, bits: int) -> Iterator[Query]:
    """What is asked about a goal that stays reachable: from each state that does not meet it a step leads nearer."""
    first, second = relation.at(0), relation.at(1)
    away = f"(inv {first}) (not (goal{number} {first}))"
    if not bits:
        yield Query(f"{what}: it is met everywhere", f"(and {away})")
        return
    choice = f"(strategy{number} {first})"
    yield Query(f"{what}: its strategy can be followed", f"(and {away} (not (enabled {first} {choice})))")
    ranks = [(f"(rank{number}.{bit} {second})", f"(rank{number}.{bit} {first})") for bit in range(bits)]
    yield Query(
        f"{what}: its strategy comes nearer", f"(and {away} (step {first} {second} {choice}) (not {_less(ranks)}))"
    )


def _less(bits: Sequence[tuple[str, str]]) -> str:
    """That a number is less than another, given their bits, lowest first.

    Truth values instead of bit vectors, because cvc5 is twenty times faster on rankings that are written like this.
    """
    less = "false"
    for one, other in bits:
        less = f"(let ((a {one}) (b {other})) (or (and (not a) b) (and (= a b) {less})))"
    return less

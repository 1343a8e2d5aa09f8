"""Small systems to certify, and certificates that somebody has tampered with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from draincheck.certificate import Certificate, from_proof, read
from draincheck.certificate.diagram import Diagram, Rows, good_order
from draincheck.certificate.format import CLAIM, QUERIES, written
from draincheck.certificate.queries import model_part, query_part, signatures
from draincheck.engines.smt import induction
from draincheck.engines.smt.relation import Relation
from draincheck.engines.smt.writer import conjoined
from draincheck.exploration.layout import Layout
from draincheck.properties import Always, Reachable
from draincheck.sorts import IntSort
from draincheck.system import IntVar, State, TransitionSystem
from draincheck.verdict import Limits
from tests.support.engines import one
from tests.support.machines import Machine

__all__ = ["by_induction", "diagram", "forged", "invariant_of", "number_line", "ring", "with_bodies", "with_claim"]


def ring(stays: bool = False) -> TransitionSystem:
    """Three places in a ring of four; a token could come to the last only from the fourth, where it may also stay."""
    place = IntVar("place", IntSort(0, 4), (0,))
    machine = Machine(place)
    for here, there in ((0, 1), (1, 2), (2, 0), (3, 4), *([(3, 3)] if stays else [])):
        machine.action(f"{here} to {there}", place.is_(here), place.set(there))
    return machine.system(Always("not at 4", place < 4), Reachable("at 4", place.is_(4)))


def number_line(steps: int) -> TransitionSystem:
    """A token that stays at 0, beside a line of unreachable places that leads to the last: proved with k = steps."""
    place = IntVar("place", IntSort(0, steps), (0,))
    machine = Machine(place)
    machine.action("stay", place.is_(0), place.set(0))
    machine.action("on", (place > 0) & (place < steps), place.inc())
    return machine.system(Always("not last", place < steps))


def by_induction(system: TransitionSystem, *names: str, depth: int = 5) -> Certificate:
    """A certificate of some properties, each proved by itself."""
    proofs = [one(induction.prove, system, name, Limits(depth=depth), mined=False)[1] for name in names]
    assert None not in proofs
    return from_proof(system, [proof for proof in proofs if proof is not None])


def forged(system: TransitionSystem, certificate: Certificate, claim: str | None = None, **header: Any) -> Certificate:
    """Somebody's claim (the certificate's own, if none is given) in a file that is otherwise right for a system."""
    head = replace(certificate.header, model=system.name, digest=system.digest, **header)
    relation = Relation(system)
    lines = certificate.claim if claim is None else claim.split("\n")
    return read(written(head, model_part(relation, head.claims), lines, query_part(relation, head)))


def with_bodies(
    system: TransitionSystem, certificate: Certificate, bodies: Sequence[str | None], **header: Any
) -> Certificate:
    """The certificate with other definitions for what it claims; None keeps one (possible where it takes one line)."""
    found = signatures(Relation(system), replace(certificate.header, **header))
    lines = [
        f"{signature}{body})"
        if body is not None
        else next(line for line in certificate.claim if line.startswith(signature))
        for signature, body in zip(found, bodies, strict=True)
    ]
    return forged(system, certificate, "\n".join(lines), **header)


def with_claim(text: str, claim: str) -> str:
    """The text of a certificate with this between the marks of its claim."""
    before, rest = text.split(CLAIM)
    return f"{before}{CLAIM}\n{claim}\n{QUERIES}{rest.split(QUERIES)[1]}"


def diagram(relation: Relation, order: Sequence[int], values: Mapping[State, str], default: str) -> Diagram:
    """The diagram of a function of states, which asks the variables in an order."""
    layout, texts = Layout(relation.system.variables), list(dict.fromkeys(values.values()))
    rows = Rows(relation, order, list(map(layout.pack, values)), layout)
    return Diagram(rows, rows.shape([texts.index(text) for text in values.values()]), texts.__getitem__, default)


def invariant_of(system: TransitionSystem, states: Sequence[State]) -> str:
    """The body of an invariant that holds in these states and nowhere else."""
    relation = Relation(system)
    text = diagram(relation, good_order(states), dict.fromkeys(states, "true"), "false").text()
    return conjoined([relation.applied("domain"), text])

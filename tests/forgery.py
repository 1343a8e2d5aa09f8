"""Certificates that somebody has tampered with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from draincheck.certificate import Certificate, read
from draincheck.certificate.diagram import Diagram, good_order
from draincheck.certificate.format import CLAIM, QUERIES, written
from draincheck.certificate.queries import model_part, query_part, signatures
from draincheck.engines.symbolic.relation import Relation
from draincheck.engines.symbolic.smtlib import conjoined
from draincheck.system import State, TransitionSystem

__all__ = ["forged", "invariant_of", "with_bodies", "with_claim"]


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
        f"{signature}{body})" if body is not None else next(line for line in certificate.claim if line.startswith(signature))
        for signature, body in zip(found, bodies, strict=True)
    ]
    return forged(system, certificate, "\n".join(lines), **header)


def with_claim(text: str, claim: str) -> str:
    """The text of a certificate with this between the marks of its claim."""
    before, rest = text.split(CLAIM)
    return f"{before}{CLAIM}\n{claim}\n{QUERIES}{rest.split(QUERIES)[1]}"


def invariant_of(system: TransitionSystem, states: Sequence[State]) -> str:
    """The body of an invariant that holds in these states and nowhere else."""
    relation = Relation(system)
    diagram = Diagram(relation, good_order(states), dict.fromkeys(states, "true"), "false")
    return conjoined([relation.applied("domain"), diagram.text()])

"""Certificates made: from the reachable states of a system, or from a proof by k-induction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from draincheck.certificate.diagram import Diagram, good_order
from draincheck.certificate.format import Certificate, CertificateError, Claim, Header, read, written
from draincheck.certificate.queries import model_part, query_part, signatures
from draincheck.engines import explicit
from draincheck.engines.evidence import NO_LIMITS
from draincheck.engines.stategraph import StateGraph
from draincheck.engines.symbolic.induction import Proof
from draincheck.engines.symbolic.relation import Relation
from draincheck.engines.symbolic.smtlib import conjoined
from draincheck.expr import BoolExpr
from draincheck.system import CanAlwaysFinish, Property, Reachable, State, TransitionSystem
from draincheck.verdict import Exploration, Limits, Outcome, Verdict

__all__ = ["certifiable", "from_proof", "make"]


def make(
    system: TransitionSystem,
    properties: Sequence[str] | None = None,
    limits: Limits = NO_LIMITS,
    source: Mapping[str, Any] | None = None,
) -> Certificate:
    """A certificate from the reachable states.

    Args:
        system: the model.
        properties: what it is to be about; all that hold (and what is not reachable) if not given.
        limits: of the search.
        source: how the model is made again, for the header.

    Raises:
        CertificateError: the search did not end, or one of the properties does not hold.
        ModelFault: a reachable state enables an action that cannot be taken.
    """
    exploration = explicit.explore(system, limits)
    names = certifiable(system, exploration) if properties is None else tuple(dict.fromkeys(properties))
    items = [system.property_named(name) for name in names]
    goals = {item.name: item.goal for item in items if isinstance(item, CanAlwaysFinish)}
    graph = StateGraph(system, goals.values(), limits)
    if graph.incomplete:
        raise CertificateError(f"{system.name}: not all reachable states are known: {graph.incomplete}")
    ranks = {name: _ranks(graph, goal) for name, goal in goals.items()}
    claims = [_claim(item, exploration.verdicts[item.name], ranks.get(item.name, [])) for item in items]
    header = Header(system.name, system.digest, tuple(claims), source=source or {})
    relation = Relation(system)
    bodies = _bodies(relation, graph, [(claim, ranks.get(claim.property, [])) for claim in claims])
    return _complete(relation, header, bodies)


def certifiable(system: TransitionSystem, exploration: Exploration) -> tuple[str, ...]:
    """The properties of a system that `make` can certify, given what a search of it found."""
    return tuple(item.name for item in system.properties if not _obstacle(item, exploration.verdicts[item.name]))


def from_proof(system: TransitionSystem, proof: Proof, source: Mapping[str, Any] | None = None) -> Certificate:
    """A certificate from a proof by k-induction: its formula is the invariant."""
    relation = Relation(system)
    verdict = "violated" if isinstance(system.property_named(proof.property), Reachable) else "holds"
    claim = Claim(proof.property, verdict)
    header = Header(system.name, system.digest, (claim,), proof.k, proof.simple, source or {})
    formula = conjoined([relation.applied("domain"), relation.condition(proof.formula)])
    return _complete(relation, header, [formula])


def _complete(relation: Relation, header: Header, bodies: Sequence[str]) -> Certificate:
    """The certificate with these bodies for the definitions of its claim."""
    claim = [f"{signature}{body})" for signature, body in zip(signatures(relation, header), bodies, strict=True)]
    model, queries = model_part(relation, header.claims), query_part(relation, header)
    return read(written(header, model, [line for text in claim for line in text.splitlines()], queries))


def _obstacle(item: Property, verdict: Verdict) -> str:
    """Why there is no certificate for a verdict, "" if there may be one."""
    if verdict.outcome is Outcome.UNKNOWN:
        return f"it is not known whether {item.name} holds: {verdict.how}"
    if isinstance(item, Reachable):
        return ""
    if verdict.outcome is Outcome.VIOLATED:
        return f"{item.name} is violated: its counterexample shows that"
    return ""


def _claim(item: Property, verdict: Verdict, ranks: Sequence[int]) -> Claim:
    """What a verdict says; raises CertificateError if it is nothing to certify."""
    if obstacle := _obstacle(item, verdict):
        raise CertificateError(obstacle)
    if isinstance(item, CanAlwaysFinish):
        return Claim(item.name, progress=max(1, max(ranks).bit_length()))
    witness = (verdict.trace.initial, verdict.trace.actions) if verdict.trace is not None else None
    return Claim(item.name, verdict.outcome.value, witness=witness)


def _bodies(relation: Relation, graph: StateGraph, claims: Sequence[tuple[Claim, Sequence[int]]]) -> list[str]:
    """The bodies of the definitions of a claim, in the order of their signatures."""
    if all(claim.witness is not None for claim, _ in claims):
        return []
    states = [graph.state(number) for number in range(len(graph))]
    order = good_order(states)
    reached = Diagram(relation, order, dict.fromkeys(states, "true"), "false").text()
    bodies = [conjoined([relation.applied("domain"), reached])]
    for claim, ranks in claims:
        if claim.progress:
            bodies += [Diagram(relation, order, _bit(states, ranks, bit), "").text() for bit in range(claim.progress)]
            strategy = {states[n]: relation.number_of(action) for n, action in _strategy(graph, ranks).items()}
            bodies.append(Diagram(relation, order, strategy, "").text() if strategy else relation.number(0))
    return bodies


def _bit(states: Sequence[State], numbers: Sequence[int], bit: int) -> dict[State, str]:
    """One bit of each state's number."""
    return {state: "true" if numbers[n] >> bit & 1 else "false" for n, state in enumerate(states)}


def _ranks(graph: StateGraph, goal: BoolExpr) -> list[int]:
    """For each state how many actions it takes at least to meet a goal; every state can."""
    before: list[list[int]] = [[] for _ in range(len(graph))]
    for number, edges in enumerate(graph.edges):
        for _, after in edges:
            before[after].append(number)
    ranks = [-1] * len(graph)
    queue = [number for number, met in enumerate(graph.where(goal)) if met]
    for number in queue:
        ranks[number] = 0
    for number in queue:
        for earlier in before[number]:
            if ranks[earlier] < 0:
                ranks[earlier] = ranks[number] + 1
                queue.append(earlier)
    return ranks


def _strategy(graph: StateGraph, ranks: Sequence[int]) -> dict[int, int]:
    """For each state that does not meet the goal the first action that leads to a lower rank."""
    return {
        number: next(action for action, after in graph.edges[number] if ranks[after] < rank)
        for number, rank in enumerate(ranks)
        if rank > 0
    }

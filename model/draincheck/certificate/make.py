"""Certificates made: from the reachable states of a system, or from a proof by k-induction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from draincheck.certificate.diagram import Diagram, good_order
from draincheck.certificate.format import Certificate, Header, InvariantClaim, read, written
from draincheck.certificate.queries import NO_STUCK_RANKS, model_part, query_part, signatures
from draincheck.engines import explicit
from draincheck.engines.smt.induction import Proof
from draincheck.engines.smt.relation import Relation
from draincheck.engines.smt.writer import conjoined
from draincheck.errors import CertificateError
from draincheck.exploration.backward import distances, predecessors
from draincheck.exploration.explorer import Explorer
from draincheck.exploration.graph import StateGraph
from draincheck.expr import BoolExpr
from draincheck.properties import FAULTS, CanAlwaysFinish, Liveness, Property, Reachable
from draincheck.reason import Reason
from draincheck.semantics.violation import ERRORS, decided_by_states, outcome_if_not_shown
from draincheck.subject import Source
from draincheck.system import State, TransitionSystem
from draincheck.verdict import NO_LIMITS, Exploration, Limits, Outcome, Verdict
from draincheck.words import counted

#: variables of which a diagram of states is made: it asks one after the other
MOST_VARIABLES = 500

__all__ = ["certifiable", "from_proof", "make", "met_error", "obstacle"]


def make(
    system: TransitionSystem,
    properties: Sequence[str] | None = None,
    limits: Limits = NO_LIMITS,
    source: Source | None = None,
    exploration: Exploration | None = None,
) -> Certificate:
    """A certificate from the reachable states.

    Args:
        system: the model.
        properties: what it is to be about; all that hold (and what is not reachable) if not given.
        limits: of the search.
        source: how the model is made again, for the header.
        exploration: what explicit search has found in this system, if that is known already.

    Raises:
        CertificateError: the search did not end, a run meets an error, or one of the properties does not hold.
    """
    if exploration is None:
        exploration = explicit.explore(system, limits)
    if ends := met_error(exploration.verdicts):
        raise CertificateError(f"{system.name}: {ends}")
    names = certifiable(system, exploration) if properties is None else tuple(dict.fromkeys(properties))
    items = [system.property_named(name) for name in names]
    for item in items:
        if reason := obstacle(system, item, exploration.verdicts.get(item.name)):
            raise CertificateError(f"{item.name}: {reason}")
    goals = {item.name: item.goal for item in items if isinstance(item, CanAlwaysFinish)}
    graph = StateGraph(system, goals.values(), limits) if goals else None
    _demand_all(system, None if graph is None else graph.incomplete)
    ranks = {} if graph is None else {name: _ranks(graph, goal) for name, goal in goals.items()}
    claims = [_claim(item, exploration.verdicts[item.name], ranks.get(item.name, [])) for item in items]
    header = Header(system.name, system.digest, tuple(claims), source=source or {})
    relation = Relation(system)
    states = _reached(system, graph, limits) if any(claim.witness is None for claim in claims) else []
    bodies = _bodies(relation, states, graph, [(claim, ranks.get(claim.property, [])) for claim in claims])
    return _complete(relation, header, bodies)


def _reached(system: TransitionSystem, graph: StateGraph | None, limits: Limits) -> list[State]:
    """The reachable states; without a graph they are searched for, for edges take more memory than states. Raises CertificateError."""
    if len(system.variables) > MOST_VARIABLES:
        raise CertificateError(
            f"{system.name}: of {len(system.variables)} variables no decision diagram is made, {MOST_VARIABLES} at most; use --engine induction"
        )
    if graph is not None:
        return list(map(graph.state, range(len(graph))))
    explorer = Explorer(system)
    explorer.run(limits)
    _demand_all(system, explorer.incomplete)
    return list(map(explorer.loop.layout.unpack, explorer.order()))


def _demand_all(system: TransitionSystem, incomplete: Reason | None) -> None:
    """Raise CertificateError if a search did not see all states."""
    if incomplete is not None:
        raise CertificateError(f"{system.name}: not all reachable states are known: {incomplete}")


def certifiable(system: TransitionSystem, exploration: Exploration) -> tuple[str, ...]:
    """The properties of a system that `make` can certify, given what a search of it found."""
    return tuple(
        item.name for item in system.properties if not obstacle(system, item, exploration.verdicts.get(item.name))
    )


def obstacle(system: TransitionSystem, item: Property, verdict: Verdict | None) -> str:
    """Why there is no certificate for a verdict on a property (None: nobody has asked), "" if there is one."""
    if isinstance(item, Liveness):
        return f"a demand on whole runs ({type(item).__name__}), and there are no certificates for such properties"
    if verdict is None or verdict.outcome is Outcome.UNKNOWN:
        return f"not known to hold{f': {verdict.reason}' if verdict else ''}"
    if verdict.outcome is Outcome.NEVER_ASKED:
        return f"never asked: nothing to prove ({verdict.reason})"
    if verdict.outcome is Outcome.VIOLATED and not isinstance(item, Reachable):
        return f"violated{_shown(verdict)}"
    return "" if decided_by_states(system, item) else NO_STUCK_RANKS


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
    claims = [InvariantClaim(proof.property, _outcome(system, proof.property)) for proof in found]
    k, simple = max(proof.k for proof in found), any(proof.simple for proof in found)
    header = Header(system.name, system.digest, tuple(claims), k, simple, source or {})
    formulas = [relation.condition(formula) for formula in dict.fromkeys(proof.formula for proof in found)]
    return _complete(relation, header, [conjoined([relation.applied("domain"), *formulas])])


def _outcome(system: TransitionSystem, name: str) -> str:
    """What it means that no state shows a property."""
    return outcome_if_not_shown(system.property_named(name)).value


def _complete(relation: Relation, header: Header, bodies: Sequence[str]) -> Certificate:
    """The certificate with these bodies for the definitions of its claim."""
    claim = [f"{signature}{body})" for signature, body in zip(signatures(relation, header), bodies, strict=True)]
    model, queries = model_part(relation, header.claims), query_part(relation, header)
    return read(written(header, model, [line for text in claim for line in text.splitlines()], queries))


def _claim(item: Property, verdict: Verdict, ranks: Sequence[int]) -> InvariantClaim:
    """What a verdict says."""
    if isinstance(item, CanAlwaysFinish):
        return InvariantClaim(item.name, progress=max(1, max(ranks).bit_length()))
    witness = (verdict.trace.initial, verdict.trace.actions) if verdict.trace is not None else None
    return InvariantClaim(item.name, verdict.outcome.value, witness=witness)


def _bodies(
    relation: Relation,
    states: Sequence[State],
    graph: StateGraph | None,
    claims: Sequence[tuple[InvariantClaim, Sequence[int]]],
) -> list[str]:
    """The bodies of the definitions of a claim, in the order of their signatures."""
    if all(claim.witness is not None for claim, _ in claims):
        return []
    order = good_order(states)
    reached = Diagram(relation, order, dict.fromkeys(states, "true"), "false").text()
    bodies = [conjoined([relation.applied("domain"), reached])]
    for claim, ranks in claims:
        if claim.progress and graph is not None:
            bodies += [Diagram(relation, order, _bit(states, ranks, bit), "").text() for bit in range(claim.progress)]
            strategy = {states[n]: relation.number_of(action) for n, action in _strategy(graph, ranks).items()}
            bodies.append(Diagram(relation, order, strategy, "").text() if strategy else relation.number(0))
    return bodies


def _bit(states: Sequence[State], numbers: Sequence[int], bit: int) -> dict[State, str]:
    """One bit of each state's number."""
    return {state: "true" if numbers[n] >> bit & 1 else "false" for n, state in enumerate(states)}


def _ranks(graph: StateGraph, goal: BoolExpr) -> list[int]:
    """For each state how many actions it takes at least to meet a goal; every state can."""
    ranks = distances(predecessors(graph.edges), (number for number, met in enumerate(graph.where(goal)) if met))
    return [ranks[number] for number in range(len(graph))]


def _strategy(graph: StateGraph, ranks: Sequence[int]) -> dict[int, int]:
    """For each state that does not meet the goal the first action that leads to a lower rank."""
    return {
        number: next(action for action, after in graph.edges[number] if ranks[after] < rank)
        for number, rank in enumerate(ranks)
        if rank > 0
    }

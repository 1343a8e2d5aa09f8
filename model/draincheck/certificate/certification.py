"""`certify`: from a subject to a certificate of what holds in it, by whichever engine shows that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from draincheck.budget import running
from draincheck.certificate.format import Certificate
from draincheck.certificate.make import from_proof, met_error, obstacle
from draincheck.certificate.reached import decided, from_search, searched
from draincheck.checking import Checkable, chosen, system_of
from draincheck.engines.smt import induction
from draincheck.engines.smt.induction import Proof
from draincheck.errors import ModelError
from draincheck.lang import Model
from draincheck.properties import Liveness, Property
from draincheck.subject import Source
from draincheck.system import TransitionSystem
from draincheck.verdict import NO_LIMITS, SILENT, Limits, Outcome, Reporter, Verdict, demand_unstopped

__all__ = ["Certified", "Gap", "certify"]


class Gap(Struct, frozen=True):
    """A property that is not certified, and why; `known`: whatever more is done, it will not be; `unasked`: for it was never asked."""

    property: str
    reason: str
    known: bool
    unasked: bool = False


class Certified(Struct, frozen=True):
    """A certificate, and what it leaves out; None where nothing can be certified."""

    certificate: Certificate | None
    gaps: Sequence[Gap]


def certify(
    what: Checkable,
    properties: Sequence[str] = (),
    *,
    engine: str = "explicit",
    limits: Limits = NO_LIMITS,
    reporter: Reporter = SILENT,
    source: Source | None = None,
) -> Certified:
    """A certificate of what holds (and of goals that are out of reach).

    Args:
        what: a subject, a model or a system; the certificate says how a subject is made again.
        properties: the names of those that it is to be about; all if none is named.
        engine: `explicit`: the invariant is the set of reachable states. `induction`: it is a formula, k-inductive.
        limits: where to stop, for all of it.
        reporter: told how many states were found, or how many properties were tried.
        source: how the model is made again, where `what` is no subject.

    Raises:
        ModelError: the model has no meaning, there is no such property, or the engine proves nothing.
        OutOfBudget: a limit was reached before all states were seen, or while the certificate was made of them.
    """
    if engine not in _WAYS:
        raise ModelError(f"{engine} proves nothing; known: {', '.join(_WAYS)}")
    if source is None:
        source = {} if isinstance(what, TransitionSystem | Model) else what.source()
    with running(limits) as budget:
        system = system_of(what)
        return _WAYS[engine](system, chosen(system, properties), source, budget, reporter)


def _by_search(
    system: TransitionSystem, items: Sequence[Property], source: Source, limits: Limits, reporter: Reporter
) -> Certified:
    """A certificate from the reachable states."""
    search = searched(system, items, limits, reporter)
    verdicts = decided(search, items)
    demand_unstopped(verdicts.values())
    gaps = _gaps(items, verdicts)
    left = {item: verdicts[item.name] for item in _others(items, gaps)}
    return Certified(from_search(search, left, source, reporter) if left else None, gaps)


def _by_induction(
    system: TransitionSystem, items: Sequence[Property], source: Source, limits: Limits, reporter: Reporter
) -> Certified:
    """A certificate from proofs by k-induction, property by property."""
    verdicts, proofs = _proved(system, items, limits, reporter)
    gaps = _gaps(items, verdicts)
    without = [item.name for item in _others(items, gaps) if item.name not in proofs]
    gaps += [Gap(name, _without_induction(verdicts[name]), known=False) for name in without]
    certified = [proof for name, proof in proofs.items() if name not in {gap.property for gap in gaps}]
    return Certified(from_proof(system, certified, source) if certified else None, gaps)


_WAYS = {"explicit": _by_search, "induction": _by_induction}


def _proved(
    system: TransitionSystem, items: Sequence[Property], limits: Limits, reporter: Reporter
) -> tuple[dict[str, Verdict], dict[str, Proof]]:
    """What k-induction says, and its proofs; the time is for all of them."""
    verdicts: dict[str, Verdict] = {}
    proofs: dict[str, Proof] = {}
    limits = replace(limits.begun(), depth=induction.DEFAULT_STEPS if limits.depth is None else limits.depth)
    for number, item in enumerate(items, 1):
        found = induction.prove(system, [item.name], limits)
        verdicts |= {name: verdict for name, (verdict, _) in found.items()}
        _, proof = found[item.name]
        if proof is not None:
            proofs[item.name] = proof
        reporter.progress(number, 0, 0, 0)
    return verdicts, proofs


def _without_induction(verdict: Verdict) -> str:
    """Why there is no proof, though the verdict is known."""
    known = "holds" if verdict.trace is None else "reachable, which takes no induction"
    but = ", but no induction shows it" if verdict.trace is None else ""
    return f"{known} ({verdict.reason}){but}; use --engine explicit"


def _gaps(items: Sequence[Property], verdicts: Mapping[str, Verdict]) -> list[Gap]:
    """What cannot be certified, given what was found."""
    found: list[Gap] = []
    if ends := met_error(verdicts):
        return [Gap(item.name, ends, known=True) for item in items]
    for item in items:
        verdict = verdicts.get(item.name)
        if reason := obstacle(item, verdict):
            outcome = Outcome.UNKNOWN if verdict is None else verdict.outcome
            known = outcome is not Outcome.UNKNOWN
            unasked = outcome is Outcome.NEVER_ASKED
            found.append(Gap(item.name, reason, known or isinstance(item, Liveness), unasked))
    return found


def _others(items: Sequence[Property], gaps: Sequence[Gap]) -> list[Property]:
    return [item for item in items if item.name not in {gap.property for gap in gaps}]

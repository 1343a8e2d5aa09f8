"""Certificates from the reachable states: the set of them as a decision diagram, ranks and strategies as others, paths as they are.

One search finds everything: verdicts, states, the steps between them where a goal must stay in reach, and the paths that ask. Where no goal
must, machine code searches where there are many states, and the certificate is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial

from msgspec.structs import replace

from draincheck.budget import look
from draincheck.certificate.diagram import Diagram, Rows, good_order, sample
from draincheck.certificate.format import Certificate, Header, InvariantClaim, needs_asking, read, written
from draincheck.certificate.queries import goals, model_part, query_part, signatures
from draincheck.engines.explicit import Search
from draincheck.engines.smt.relation import Relation
from draincheck.engines.smt.writer import conjoined
from draincheck.errors import CertificateError
from draincheck.exploration.backward import Steps
from draincheck.exploration.explored import Explored
from draincheck.exploration.explorer import Explorer, Keep
from draincheck.expr import BoolExpr
from draincheck.properties import Assertion, Liveness, Property
from draincheck.subject import Source
from draincheck.system import TransitionSystem
from draincheck.verdict import SILENT, Limits, Reporter, Verdict

__all__ = ["complete", "decided", "from_search", "searched"]


def searched(
    system: TransitionSystem, items: Sequence[Property], limits: Limits, reporter: Reporter = SILENT
) -> Search:
    """A search that decides some properties and keeps what certificates of them need; those of whole runs are left out."""
    asked = [item for item in items if not isinstance(item, Liveness)]
    ranked = any(goals(system, item) for item in asked)
    paths = any(isinstance(item, Assertion) for item in asked)
    keep = Keep.EDGES if ranked else Keep.TARGETS if paths else Keep.NOTHING
    return Search(system, asked, limits, reporter, keep)


def decided(search: Search, items: Sequence[Property]) -> Mapping[str, Verdict]:
    """What a search says of properties, and of the faults that some run meets."""
    asked = (item for item in items if not isinstance(item, Liveness))
    return {item.name: search.verdict(item) for item in (*asked, *search.met)}


def from_search(
    search: Search, verdicts: Mapping[Property, Verdict], source: Source | None = None, reporter: Reporter = SILENT
) -> Certificate:
    """The certificate of properties that a search has found to hold (goals: to be out of reach, too), with its verdicts on them.

    Raises CertificateError if it did not see all states, and OutOfBudget.
    """
    explorer = search.explorer
    if explorer.incomplete is not None:
        name = explorer.system.name
        raise CertificateError(f"{name}: not all reachable states are known: {explorer.incomplete}")
    made = _Maker(explorer, partial(_pulse, explorer, reporter))
    claims = [made.claim(search, item, verdict) for item, verdict in verdicts.items()]
    header = Header(explorer.system.name, explorer.system.digest, tuple(claims), source=source or {})
    return complete(made.relation, header, made.bodies() if any(claim.witness is None for claim in claims) else [])


def _pulse(explorer: Explored, reporter: Reporter) -> None:
    """Still at work: told to whoever waits, within the budget."""
    look()
    reporter.progress(len(explorer), explorer.transitions, len(explorer.sizes) - 1, 0)


class _Maker:
    """Makes the claims of a certificate, with the bodies of their definitions.

    Attributes:
        relation: the system.
    """

    def __init__(self, explorer: Explored, pulse: Callable[[], None]) -> None:
        self.relation = Relation(explorer.system)
        self._explorer, self._pulse = explorer, pulse
        self._numbers = {action.index: self.relation.number(n) for n, action in enumerate(self.relation.actions)}
        self._rankings: list[str] = []

    @cached_property
    def _rows(self) -> Rows:
        """The states, sorted as diagrams ask."""
        packed, layout = list(self._explorer.order()), self._explorer.loop.layout
        order = good_order(list(map(layout.unpack, sample(packed, len(layout.variables)))))
        return Rows(self.relation, order, packed, layout, self._pulse)

    @cached_property
    def _steps(self) -> Steps:
        assert isinstance(self._explorer, Explorer)  # who keeps edges
        return Steps(self._explorer, self._pulse)

    def bodies(self) -> list[str]:
        """The bodies of the definitions of all claims so far, in the order of their signatures."""
        states = Diagram(self._rows, self._rows.shape([0] * len(self._explorer)), lambda _: "true", "false")
        return [conjoined([self.relation.applied("domain"), states.text()]), *self._rankings]

    def claim(self, search: Search, item: Property, verdict: Verdict) -> InvariantClaim:
        """What is claimed of a property: its verdict, the path that asks it, and ranks where a goal must stay in reach."""
        witness = None if verdict.trace is None else (verdict.trace.initial, verdict.trace.actions)
        bits = tuple(self._ranked(goal) for goal in goals(self.relation.system, item).values())
        claim = InvariantClaim(item.name, verdict.outcome.value, bits, witness)
        asked = search.asked(item) if needs_asking(claim) else None
        return claim if asked is None else replace(claim, asked=(asked[0], tuple(asked[1])))

    def _ranked(self, goal: BoolExpr) -> int:
        """Define ranks and a strategy for a goal that stays in reach; how many bits these ranks take."""
        ranks = self._steps.ranks(goal)
        bits = max(ranks).bit_length()
        if bits:
            shape = self._rows.shape(_paired(ranks, self._steps.strategy(ranks), bits))
            texts: list[Callable[[int], str]] = [partial(_bit, bit) for bit in range(bits)]
            texts.append(lambda value: self._numbers.get((value >> bits) - 1, ""))
            self._rankings += [Diagram(self._rows, shape, text, "").text() for text in texts]
        return bits


def _bit(bit: int, value: int) -> str:
    return "true" if value >> bit & 1 else "false"


def _paired(ranks: Sequence[int], strategy: Sequence[int], bits: int) -> list[int]:
    """Ranks and actions (-1: none) as numbers: the rank in the lowest bits, one more than the action above."""
    return [action + 1 << bits | rank for rank, action in zip(ranks, strategy, strict=True)]


def complete(relation: Relation, header: Header, bodies: Sequence[str]) -> Certificate:
    """The certificate with these bodies for the definitions of its claim."""
    claim = [f"{signature}{body})" for signature, body in zip(signatures(relation, header), bodies, strict=True)]
    model, queries = model_part(relation, header.claims), query_part(relation, header)
    return read(written(header, model, [line for text in claim for line in text.splitlines()], queries))

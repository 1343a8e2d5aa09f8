"""Was what is proved ever asked? A proof by solver says nothing of it, so a run is looked for that puts the property to the test.

First explicitly, among so many states that it takes no time; then by bounded model checking. What neither finds is *unknown*; what none of
all states puts to the test was never asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice

from msgspec.structs import replace

from draincheck.exploration.explorer import Explorer
from draincheck.expr import BoolExpr
from draincheck.naturals import has_naturals
from draincheck.properties import Property, Reachable
from draincheck.reason import NotSeenAsked
from draincheck.semantics.vacuity import asking, unasked, without_check
from draincheck.system import TransitionSystem
from draincheck.verdict import Limits, Outcome, Verdict

__all__ = ["confirmed"]

#: initial states of which one that moves is looked for first of all
FIRST = 100
#: states that are searched before a solver is asked: a tenth of a second
FEW = 20_000

#: looks for goals by a solver
Search = Callable[[Sequence[Reachable]], Mapping[str, Verdict]]


def confirmed(
    system: TransitionSystem, verdicts: Mapping[str, Verdict], limits: Limits, search: Search
) -> dict[str, Verdict]:
    """The verdicts, but *holds* only where a run was found that asks the property. Of the limits the time counts."""
    proved = {name: system.property_named(name) for name, verdict in verdicts.items() if _needs_a_look(verdict)}
    never = {name: reason for name, item in proved.items() if (reason := without_check(system, item)) is not None}
    open_ones = {name: asking(system, item) for name, item in proved.items() if name not in never}
    open_ones = _not_at_once(system, open_ones)
    found = dict(verdicts) | {name: Verdict(name, Outcome.NEVER_ASKED, reason) for name, reason in never.items()}
    if open_ones and _can_be_listed(system):
        open_ones, complete = _not_among_few(system, open_ones, limits)
        if complete:
            return found | {name: _never(system, proved[name]) for name in open_ones}
    return found | _by_solver(system, {n: (verdicts[n], c) for n, c in open_ones.items()}, search)


def _needs_a_look(verdict: Verdict) -> bool:
    """It is proved, or met without a step."""
    return verdict.outcome is Outcome.HOLDS and (verdict.trace is None or not verdict.trace.actions)


def _can_be_listed(system: TransitionSystem) -> bool:
    return 0 < system.initial.number <= FEW and not has_naturals(system)


def _never(system: TransitionSystem, item: Property) -> Verdict:
    return Verdict(item.name, Outcome.NEVER_ASKED, unasked(system, item))


def _not_at_once(system: TransitionSystem, conditions: Mapping[str, BoolExpr]) -> dict[str, BoolExpr]:
    """The conditions that none of a few initial states satisfies."""
    starts = list(islice(system.initial, FIRST)) if conditions else []
    return {name: c for name, c in conditions.items() if not any(system.holds(c, state) for state in starts)}


def _not_among_few(
    system: TransitionSystem, conditions: Mapping[str, BoolExpr], limits: Limits
) -> tuple[dict[str, BoolExpr], bool]:
    """The conditions that no state of a short search satisfies, and whether those were all there are."""
    explorer = Explorer(system, (), conditions.values())
    explorer.run(replace(limits, states=FEW))
    left = {name: condition for name, condition in conditions.items() if explorer.first(condition) is None}
    return left, explorer.incomplete is None


def _by_solver(
    system: TransitionSystem, proved: Mapping[str, tuple[Verdict, BoolExpr]], search: Search
) -> dict[str, Verdict]:
    """What a solver finds of conditions, in verdicts on the properties that these put to the test."""
    if not proved:
        return {}
    found = search([Reachable(name, condition) for name, (_, condition) in proved.items()])
    return {name: _concluded(system, proof, found[name]) for name, (proof, _) in proved.items()}


def _concluded(system: TransitionSystem, proof: Verdict, search: Verdict) -> Verdict:
    """What a search for a run that asks makes of a proof."""
    match search.outcome:
        case Outcome.HOLDS:
            return proof
        case Outcome.VIOLATED:
            return _never(system, system.property_named(proof.property))
        case _:
            return replace(proof, outcome=Outcome.UNKNOWN, reason=NotSeenAsked(proof.reason, search.reason), trace=None)

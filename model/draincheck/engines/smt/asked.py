"""Was what is proved ever asked? A proof by solver says nothing of it, so a run is looked for that puts the property to the test.

First explicitly, among so many states that it takes no time; then by bounded model checking. What neither finds is *unknown*; what none of
all states puts to the test was never asked.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from msgspec.structs import replace

from draincheck.exploration.explorer import Explorer, Keep
from draincheck.expr import BoolExpr
from draincheck.naturals import has_naturals
from draincheck.properties import Property, Reachable
from draincheck.reason import NotSeenAsked
from draincheck.semantics.vacuity import asking, asking_step, unasked, without_check
from draincheck.semantics.validation import Path
from draincheck.system import TransitionSystem
from draincheck.verdict import Limits, Outcome, Verdict

__all__ = ["Confirmed", "confirmed"]

#: initial states of which one that moves is looked for first of all
FIRST = 100
#: states that are searched before a solver is asked: a tenth of a second
FEW = 20_000

#: looks for goals by a solver
Search = Callable[[Sequence[Reachable]], Mapping[str, Verdict]]


class Confirmed(NamedTuple):
    """Verdicts, but *holds* only where a run was found that asks the property.

    Attributes:
        verdicts: by property.
        runs: for those that were looked at and are asked a path whose last step does so; others are shown by their own trace.
    """

    verdicts: Mapping[str, Verdict]
    runs: Mapping[str, Path]


def confirmed(system: TransitionSystem, verdicts: Mapping[str, Verdict], limits: Limits, search: Search) -> Confirmed:
    """What the verdicts come to once it is known which of them was ever asked. Of the limits the time counts."""
    proved = {name: system.property_named(name) for name, verdict in verdicts.items() if _needs_a_look(verdict)}
    named = ((name, system.property_named(name)) for name in verdicts)
    never = {name: reason for name, item in named if (reason := without_check(system, item)) is not None}
    conditions = {name: asking(system, item) for name, item in proved.items() if name not in never}
    found = dict(verdicts) | {name: Verdict(name, Outcome.NEVER_ASKED, reason) for name, reason in never.items()}
    ends, complete = _at_once(system, conditions), False
    if conditions.keys() - ends and _can_be_listed(system):
        more, complete = _among_few(system, _without(conditions, ends), limits)
        ends |= more
    left = _without(conditions, ends)
    if complete:
        found |= {name: _never(system, proved[name]) for name in left}
    elif left:
        shown = search([Reachable(name, condition) for name, condition in left.items()])
        found |= {name: _concluded(system, verdicts[name], shown[name]) for name in left}
        ends |= {name: (t.initial, t.actions) for name in left if (t := shown[name].trace) is not None}
    return Confirmed(found, {name: _asked(system, proved[name], path) for name, path in ends.items()})


def _without(conditions: Mapping[str, BoolExpr], names: Container[str]) -> dict[str, BoolExpr]:
    return {name: condition for name, condition in conditions.items() if name not in names}


def _needs_a_look(verdict: Verdict) -> bool:
    """It is proved, or met without a step."""
    return verdict.outcome is Outcome.HOLDS and (verdict.trace is None or not verdict.trace.actions)


def _can_be_listed(system: TransitionSystem) -> bool:
    return 0 < system.initial.number <= FEW and not has_naturals(system)


def _never(system: TransitionSystem, item: Property) -> Verdict:
    return Verdict(item.name, Outcome.NEVER_ASKED, unasked(system, item))


def _asked(system: TransitionSystem, item: Property, path: Path) -> Path:
    """A path to a state where something asks, and the step that does; none, if it can only run into a fault."""
    initial, actions = path
    state = initial
    for index in actions:
        state = system.step(state, system.actions[index])
    step = asking_step(system, item, state)
    return initial, [*actions, *([] if step is None else [step])]


def _at_once(system: TransitionSystem, conditions: Mapping[str, BoolExpr]) -> dict[str, Path]:
    """Those of a few initial states that satisfy conditions, as paths."""
    starts = list(islice(system.initial, FIRST)) if conditions else []
    first = {name: next((s for s in starts if system.holds(c, s)), None) for name, c in conditions.items()}
    return {name: (state, ()) for name, state in first.items() if state is not None}


def _among_few(
    system: TransitionSystem, conditions: Mapping[str, BoolExpr], limits: Limits
) -> tuple[dict[str, Path], bool]:
    """Paths of a short search to states that satisfy conditions, and whether those were all states there are."""
    explorer = Explorer(system, (), conditions.values(), Keep.TARGETS)
    explorer.run(replace(limits, states=FEW))
    first = {name: explorer.first(condition) for name, condition in conditions.items()}
    return {name: explorer.path(s) for name, s in first.items() if s is not None}, explorer.incomplete is None


def _concluded(system: TransitionSystem, proof: Verdict, search: Verdict) -> Verdict:
    """What a search for a run that asks makes of a proof."""
    match search.outcome:
        case Outcome.HOLDS:
            return proof
        case Outcome.VIOLATED:
            return _never(system, system.property_named(proof.property))
        case _:
            return replace(proof, outcome=Outcome.UNKNOWN, reason=NotSeenAsked(proof.reason, search.reason), trace=None)

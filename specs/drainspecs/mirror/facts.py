"""What claims are made of: questions to models of code bases, and to the table of code bases."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache, partial, wraps
from itertools import product
from typing import ParamSpec, TypeAlias

from msgspec.structs import replace

from draincheck.analysis.markov import probability
from draincheck.engines.explicit import explore
from draincheck.knobs import Setting, all_knobs
from draincheck.qemu import build
from draincheck.revisions import REVISIONS, Revision, find_revision, with_settings
from draincheck.semantics.validation import demand_faultless
from draincheck.system import TransitionSystem
from draincheck.verdict import Exploration, Outcome, demand_unstopped
from drainspecs.mirror.claim import ClaimFact, Question
from drainspecs.mirror.kick_phases import dangerous_kicks
from drainspecs.mirror.orders import ORDERS, Orders
from drainspecs.mirror.scenarios import find_scenario
from drainspecs.mirror.stray_requests import SeedCases

__all__ = ["bad", "good", "is_violated", "likelier", "more_kicks", "not_older", "noted", "read", "turns"]

_P = ParamSpec("_P")

#: one name, or several
_Names: TypeAlias = str | tuple[str, ...]


def good(revisions: _Names, scenarios: _Names, properties: _Names, **settings: Setting) -> tuple[Question, ...]:
    """Whether each of these properties holds in each of these scenarios of each of these code bases, with knobs turned by hand."""
    return _verdicts(False, revisions, scenarios, properties, settings)


def bad(revisions: _Names, scenarios: _Names, properties: _Names, **settings: Setting) -> tuple[Question, ...]:
    """Whether each of them is violated there."""
    return _verdicts(True, revisions, scenarios, properties, settings)


def _asked(find: Callable[_P, ClaimFact]) -> Callable[_P, tuple[Question, ...]]:
    """The question whose answer a function finds."""

    @wraps(find)
    def question(*args: _P.args, **kwargs: _P.kwargs) -> tuple[Question, ...]:
        return (partial(find, *args, **kwargs),)

    return question


@_asked
def read(text: str, holds: bool) -> ClaimFact:
    """A fact of history, read and not computed."""
    return ClaimFact(text, holds, computed=False)


@_asked
def noted(question: Question, words: str) -> ClaimFact:
    """A fact with some words behind it."""
    fact = question()
    return replace(fact, text=f"{fact.text} {words}")


@_asked
def not_older(revision: str, other: str) -> ClaimFact:
    """Whether a commit was not made before another one."""
    dates = find_revision(revision).date, find_revision(other).date
    return ClaimFact(f"{revision} ({dates[0]}) is not older than {other} ({dates[1]})", dates[0] >= dates[1])


@_asked
def turns(revision: str, knob: str) -> ClaimFact:
    """Whether the row of a commit differs from the one before it in this knob alone."""
    after = find_revision(revision)
    before = REVISIONS[REVISIONS.index(after) - 1]
    turned = [
        item.name
        for item in all_knobs().values()
        if getattr(before.knobs, item.name) != getattr(after.knobs, item.name)
    ]
    return ClaimFact(f"{revision} turns {', '.join(turned) or 'no knob'}", turned == [knob])


@_asked
def more_kicks(before: str, after: str, order: str) -> ClaimFact:
    """Whether kicks at more positions lead to S1's violation in the scenario mirror, with GSources in this order."""
    early, late = (dangerous_kicks(_in_order(revision, order), "S1") for revision in (before, after))
    found = "; ".join(map(str, sorted(late - early))) or "none"
    return ClaimFact(
        f"order={order}: kick positions that lead to S1's violation only after {after}: {found}", bool(late - early)
    )


@_asked
def likelier(before: str, after: str, order: str) -> ClaimFact:
    """Whether a scheduler that draws uniformly among the steps that are possible meets the bug more often."""
    earlier, later = _odds_of_s1(_in_order(before, order)), _odds_of_s1(_in_order(after, order))
    odds = f"with probability {float(earlier):.4f} at {before}, {float(later):.4f} at {after}"
    return ClaimFact(f"order={order}: a uniformly random scheduler breaks S1 {odds}", later > earlier)


def is_violated(revision: str, scenario: str, property: str, **settings: Setting) -> bool:
    """Whether a property is violated in a scenario of a code base. Raises ModelError if its model is wrong."""
    code_base = with_settings(find_revision(revision), settings)
    return _explored(code_base, scenario, property in ORDERS).verdicts[property].outcome is Outcome.VIOLATED


def _verdicts(
    violated: bool, revisions: _Names, scenarios: _Names, properties: _Names, settings: dict[str, Setting]
) -> tuple[Question, ...]:
    """A question for each property, in each scenario, of each code base; the scenarios one after the other."""
    all_of_them = product(*map(_each, (scenarios, revisions, properties)))
    return tuple(partial(_verdict, violated, r, s, p, settings) for s, r, p in all_of_them)


def _each(names: _Names) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else names


def _verdict(violated: bool, revision: str, scenario: str, property: str, settings: dict[str, Setting]) -> ClaimFact:
    found = is_violated(revision, scenario, property, **settings)
    code_base = with_settings(find_revision(revision), settings).name
    return ClaimFact(f"{code_base}, {scenario}: {property} {'violated' if found else 'holds'}", found is violated)


@cache
def _explored(revision: Revision, scenario: str, orders: bool) -> Exploration:
    found = explore(_system(revision, scenario, Orders if orders else SeedCases))
    demand_unstopped(found.verdicts.values())
    demand_faultless(found.verdicts.values())
    return found


@cache
def _system(
    revision: Revision, scenario: str, probes: Callable[[], Orders | SeedCases] = SeedCases
) -> TransitionSystem:
    return build(f"{revision.name} / {scenario}", revision.knobs, find_scenario(scenario), probes()).compile()


def _odds_of_s1(system: TransitionSystem) -> Fraction:
    return probability(system, lambda state, action: "S1" in system.broken_checks(state, action))


def _in_order(revision: str, order: str) -> TransitionSystem:
    return _system(with_settings(find_revision(revision), {"order": order}), "mirror")

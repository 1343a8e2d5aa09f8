"""Engines held against the reference interpreter: what each of them promises, as one comparison.

A *depth* is that of a state: how many steps lead to it at least. What shows a property is a state that violates it (meets its goal, for
`Reachable`); for an assertion it is the one in which the breaking action is taken, so its trace is one action longer.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import pytest
from msgspec.structs import replace

from draincheck import interpreter
from draincheck.engines import explicit, portfolio
from draincheck.engines.smt import bmc, induction, mutexes
from draincheck.engines.smt.mutexes import Pairs
from draincheck.errors import EvidenceError
from draincheck.expr import all_, any_
from draincheck.properties import FAULTS, Assertion, CanAlwaysFinish, Liveness, NoDeadlock, Property, Reachable
from draincheck.run import Trace, rerun
from draincheck.system import TransitionSystem
from draincheck.verdict import Limits, Outcome, Verdict

__all__ = [
    "NEVER",
    "Reference",
    "Share",
    "against_auto",
    "against_bmc",
    "against_explicit",
    "against_induction",
    "decided",
]

#: the depth of what no state shows
NEVER = 1 << 30

#: what a passed bound violates
BOUND = "no bound passed"

#: states that the interpreter may store
STATES = Limits(states=1000)

Verdicts = Mapping[str, Verdict]


class Reference:
    """What the interpreter says of a system.

    Attributes:
        system: the system.
        found: its exploration; faults that some run meets have verdicts there.
        verdicts: of every property.
        depths: how deep the first state lies that shows each property that single states can show; `NEVER` if none does.
        faults: how deep the first state lies that enables a faulty action, for each kind that is met, by the name of what it violates.
        fault: how deep the first state lies with a fault that is an error of the run.
        bound: how deep the first state lies that passes a bound.
        partial: the properties that states without any action show, and others that such engines do not look for.
        known: all states up to this depth have been looked at; `NEVER` if all there are.
    """

    def __init__(self, system: TransitionSystem, aided: bool = True) -> None:
        """Ask the interpreter; engines are `aided` by what pairs of values exclude, or z3 has to do everything."""
        self.system, self._aided = system, aided
        self.found = interpreter.explore(system, STATES)
        self.verdicts: Verdicts = self.found.verdicts
        stopped = self.found.statistics.queue > 0
        # the last layer may lack states, and the one before has perhaps not been expanded
        self.known = self.found.statistics.depth - 2 if stopped else NEVER
        self.longest = self.found.statistics.depth
        self.faults = {name: _depth(FAULTS[name], self.verdicts[name]) for name in FAULTS if name in self.verdicts}
        self.bound = self.faults.get(BOUND, NEVER)
        self.fault = min((depth for name, depth in self.faults.items() if name != BOUND), default=NEVER)
        self.depths = {
            item.name: _depth(item, self.verdicts[item.name])
            for item in system.properties
            if not isinstance(item, CanAlwaysFinish | Liveness)
        }
        self.partial = {p.name for p in system.properties if isinstance(p, NoDeadlock) and system.at_rest}
        self.depths |= {name: self._first_deadlock() for name in self.partial}

    @cached_property
    def pairs(self) -> Pairs:
        """The analysis of pairs of values, which both symbolic engines use; given up at once where they are not to be aided."""
        with pytest.MonkeyPatch.context() as patch:
            if not self._aided:
                patch.setattr(mutexes, "MOST_WORK", 0)
            return Pairs(self.system)

    def _first_deadlock(self) -> int:
        """How deep the first state lies where nothing moves, though somebody should."""
        rests = all_(*(where for _, where in self.system.at_rest))
        items = tuple(item for item in self.system.properties if isinstance(item, NoDeadlock))
        plain = replace(self.system, final=any_(self.system.final, rests), at_rest=(), properties=items)
        found = interpreter.explore(plain, STATES)
        return _depth(items[0], found.verdicts[items[0].name])

    def shows_nothing(self, name: str) -> bool:
        """Whether nothing is known to show a property or to pass a bound, and that decides it: of runs without an error, if there are others."""
        return name not in self.partial and min(self.depths[name], self.bound) == NEVER

    def excludes(self, name: str) -> bool:
        """The same where no run is known to end with an error."""
        return self.shows_nothing(name) and self.fault == NEVER


def _depth(item: Property, verdict: Verdict) -> int:
    if verdict.trace is None:
        return NEVER
    return len(verdict.trace.actions) - isinstance(item, Assertion)


# -- the engines ------------------------------------------------------------------------------------------------------------------


def against_explicit(reference: Reference) -> list[str]:
    """Where explicit search is not, number by number and trace by trace, what the interpreter is."""
    try:
        mine, other = reference.found, explicit.explore(reference.system, STATES)
    except EvidenceError as error:
        return [f"explicit search: {error}"]
    return [] if mine == other else [f"explicit search: {other} instead of {mine}"]


def against_bmc(reference: Reference) -> list[str]:
    """Where bounded model checking, one step deeper than there are states, breaks what `bmc.decide` promises."""
    limit = min(reference.known, reference.longest + 1)
    ends = {name: min(depth, limit) for name, depth in reference.depths.items()}
    asked = [item.name for item in reference.system.properties]
    return _compared(
        "bmc", reference, ends, lambda: bmc.decide(reference.system, asked, Limits(depth=limit), pairs=reference.pairs)
    )


def against_induction(reference: Reference, steps: int) -> list[str]:
    """Where induction with a k of up to `steps` breaks what `induction.prove` promises."""
    limit = min(reference.known + 1, steps)
    first = min(reference.fault, reference.bound)
    ends = {name: min(depth, first, limit - 1) for name, depth in reference.depths.items()}

    def verdicts() -> Verdicts:
        asked = [item.name for item in reference.system.properties]
        found = induction.prove(reference.system, asked, Limits(depth=limit), pairs=reference.pairs)
        return {name: verdict for name, (verdict, _) in found.items()}

    return _compared("induction", reference, ends, verdicts)


def against_auto(reference: Reference, name: str, first_states: int) -> list[str]:
    """Where the race on one property says something that the interpreter does not; either engine may be the first, or meet a fault."""
    found = portfolio.decide(reference.system, name, first_states=first_states)
    verdict = found.pop(name)
    lines = list(_wrong_faults(reference, found))
    if reference.depths.get(name, NEVER) != NEVER and name not in reference.partial:
        lines += _shown(reference, name, verdict)
    elif verdict.outcome is not reference.verdicts[name].outcome:
        lines.append(f"{name} {verdict} instead of {reference.verdicts[name].outcome}")
    return [f"auto: {line}" for line in lines]


# -- one comparison for all -------------------------------------------------------------------------------------------------------


def _compared(engine: str, reference: Reference, ends: Mapping[str, int], run: Callable[[], Verdicts]) -> list[str]:
    """Where an engine is wrong that looks at each depth up to `ends` for what shows a property, until it has found that.

    It finds the faults that are met no deeper than it looks for any property.
    """
    deepest = max(ends.values(), default=-1)
    try:
        verdicts = dict(run())
    except EvidenceError as error:
        return [f"{engine}: {error}"]
    faults = {name: verdicts.pop(name) for name in FAULTS if name in verdicts}
    near = [name for name, depth in reference.faults.items() if depth <= min(deepest, *reference.faults.values())]
    lines = [f"{name} is not found" for name in near if name not in faults]
    lines += _wrong_faults(reference, faults)
    lines += (line for name, verdict in verdicts.items() for line in _wrong(reference, name, verdict, ends.get(name)))
    return [f"{engine}: {line}" for line in lines]


def _wrong_faults(reference: Reference, faults: Verdicts) -> Iterator[str]:
    """What is wrong with the faults that an engine has found; where no step can be taken nothing asks for any."""
    unmet = Outcome.HOLDS if reference.found.statistics.transitions else Outcome.NEVER_ASKED
    for name, verdict in faults.items():
        depth = reference.faults.get(name, NEVER)
        kind = FAULTS[name].kind
        if verdict.outcome is unmet and depth == NEVER == reference.known and verdict.trace is None:
            continue
        if verdict.outcome is not Outcome.VIOLATED or verdict.trace is None or len(verdict.trace.actions) != depth:
            yield f"{name}: {verdict} instead of one after {depth}"
        elif reference.system.faulty(_end(reference.system, verdict.trace), kind) is None:
            yield f"{name}: there is none at the end of {verdict.trace}"


def _end(system: TransitionSystem, trace: Trace) -> tuple[int, ...]:
    """The state in which a path of the system ends; raises TraceError if it is none."""
    steps = rerun(system, trace)
    return steps[-1].after if steps else trace.initial


def _wrong(reference: Reference, name: str, verdict: Verdict, end: int | None) -> Iterator[str]:
    """What is wrong with a verdict of an engine that looked down to a depth (None: it does not decide this kind of property)."""
    if end is not None and reference.depths[name] <= end:
        yield from _shown(reference, name, verdict)
    elif verdict.outcome is not Outcome.UNKNOWN and (end is None or not _may_say(reference, name, verdict.outcome)):
        yield f"{name}: {verdict}, and the interpreter does not say so"


def _may_say(reference: Reference, name: str, outcome: Outcome) -> bool:
    """Whether an engine may say that of a property that nothing shows: what the interpreter does, if that has seen everything."""
    said = reference.verdicts[name].outcome
    if said is not Outcome.UNKNOWN:
        return outcome is said
    return reference.shows_nothing(name) and outcome in (_unshown(reference, name), Outcome.NEVER_ASKED)


def _shown(reference: Reference, name: str, verdict: Verdict) -> Iterator[str]:
    """What is wrong with the verdict on a property that some state shows."""
    item = reference.system.property_named(name)
    expected = Outcome.HOLDS if isinstance(item, Reachable) else Outcome.VIOLATED
    length = reference.depths[name] + isinstance(item, Assertion)
    if verdict.outcome is not expected or verdict.trace is None or len(verdict.trace.actions) != length:
        yield f"{name}: {verdict} instead of {expected.value} after {length} actions"
    else:
        rerun(reference.system, verdict.trace)


def _unshown(reference: Reference, name: str) -> Outcome:
    """The verdict on a property that no state shows."""
    is_goal = isinstance(reference.system.property_named(name), Reachable)
    return Outcome.VIOLATED if is_goal else Outcome.HOLDS


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the verdicts that could be reached without a trace an engine reached."""

    reached: int = 0
    of: int = 0

    def __add__(self, other: Share) -> Share:
        return Share(self.reached + other.reached, self.of + other.of)


def decided(reference: Reference, names: Container[str]) -> Share:
    """How many of the properties that nothing shows are among those that an engine has decided."""
    asked = [name for name in reference.depths if reference.verdicts[name].outcome is not Outcome.NEVER_ASKED]
    open_ones = [name for name in asked if reference.known == NEVER and reference.excludes(name)]
    return Share(sum(name in names for name in open_ones), len(open_ones))

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
from draincheck.errors import EvidenceError, ModelFault
from draincheck.properties import Assertion, CanAlwaysFinish, Liveness, Property, Reachable
from draincheck.run import Trace, rerun
from draincheck.system import Action, FaultKind, TransitionSystem
from draincheck.verdict import Exploration, Limits, Outcome, Verdict

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

#: states that the interpreter may store
STATES = Limits(states=1000)

Verdicts = Mapping[str, Verdict]


class Reference:
    """What the interpreter says of a system.

    Attributes:
        system: the system.
        verdicts: of every property; without a fault of the model.
        depths: how deep the first state lies that shows each property that single states can show; `NEVER` if none does.
        fault: how deep the first state lies that enables a faulty action.
        bound: how deep the first state lies that passes a bound.
        known: all states up to this depth have been looked at; `NEVER` if all there are.
    """

    def __init__(self, system: TransitionSystem, aided: bool = True) -> None:
        """Ask the interpreter; engines are `aided` by what pairs of values exclude, or z3 has to do everything."""
        self.system, self._aided = system, aided
        self.found = explored(interpreter.explore, system)
        self.verdicts: Verdicts = self.found.verdicts if isinstance(self.found, Exploration) else {}
        self.fault = _fault(self.found)
        self.bound = NEVER
        if any(fault.kind is FaultKind.BOUND for action in system.actions for fault in action.faults):
            self.bound = _fault(explored(interpreter.explore, _with_faults(system, {FaultKind.BOUND})))
        harmless = self.found
        if self.fault != NEVER:
            harmless = explored(interpreter.explore, _with_faults(system, set()))
        assert isinstance(harmless, Exploration)
        stopped = harmless.statistics.queue > 0
        # the last layer may lack states, and the one before has perhaps not been expanded
        self.known = harmless.statistics.depth - 2 if stopped else NEVER
        self.longest = harmless.statistics.depth
        self.depths = {
            item.name: _depth(item, harmless.verdicts[item.name])
            for item in system.properties
            if not isinstance(item, CanAlwaysFinish | Liveness)
        }

    @cached_property
    def pairs(self) -> Pairs:
        """The analysis of pairs of values, which both symbolic engines use; given up at once where they are not to be aided."""
        with pytest.MonkeyPatch.context() as patch:
            if not self._aided:
                patch.setattr(mutexes, "MOST_WORK", 0)
            return Pairs(self.system)

    def excludes(self, name: str) -> bool:
        """Whether nothing is known to show a property, to be faulty or to pass a bound."""
        return min(self.depths[name], self.fault, self.bound) == NEVER


def _fault(found: Exploration | ModelFault) -> int:
    return NEVER if isinstance(found, Exploration) else len(found.trace.actions)


def _depth(item: Property, verdict: Verdict) -> int:
    if verdict.trace is None:
        return NEVER
    return len(verdict.trace.actions) - isinstance(item, Assertion)


def _with_faults(system: TransitionSystem, kinds: set[FaultKind]) -> TransitionSystem:
    """The system in which faults of these kinds are errors of the model, and all others bounds."""

    def changed(action: Action) -> Action:
        faults = (replace(f, kind=FaultKind.RANGE if f.kind in kinds else FaultKind.BOUND) for f in action.faults)
        return replace(action, faults=tuple(faults))

    return replace(system, actions=tuple(map(changed, system.actions)))


def explored(
    explore: Callable[[TransitionSystem, Limits], Exploration], system: TransitionSystem
) -> Exploration | ModelFault:
    """What an exploration returns, or the fault of the model that it raises."""
    try:
        return explore(system, STATES)
    except ModelFault as fault:
        return fault


# -- the engines ------------------------------------------------------------------------------------------------------------------


def against_explicit(reference: Reference) -> list[str]:
    """Where explicit search is not, number by number and trace by trace, what the interpreter is."""
    try:
        mine, other = reference.found, explored(explicit.explore, reference.system)
    except EvidenceError as error:
        return [f"explicit search: {error}"]
    if isinstance(mine, Exploration) and isinstance(other, Exploration):
        return [] if mine == other else [f"explicit search: {other} instead of {mine}"]
    said, expected = (
        (str(f), f.action.index, f.trace) if isinstance(f, ModelFault) else "no fault" for f in (other, mine)
    )
    return [] if said == expected else [f"explicit search: {said} instead of {expected}"]


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
    ends = {name: min(depth, reference.bound, limit - 1) for name, depth in reference.depths.items()}

    def verdicts() -> Verdicts:
        asked = [item.name for item in reference.system.properties]
        found = induction.prove(reference.system, asked, Limits(depth=limit), pairs=reference.pairs)
        return {name: verdict for name, (verdict, _) in found.items()}

    return _compared("induction", reference, ends, verdicts)


def against_auto(reference: Reference, name: str, first_states: int) -> list[str]:
    """Where the race on one property says something that the interpreter does not; either engine may be the first, or meet a fault."""
    try:
        verdict = portfolio.check(reference.system, name, first_states=first_states)
    except ModelFault as fault:
        return [] if reference.fault != NEVER else [f"auto: {fault}, and no state enables a faulty action"]
    if reference.depths.get(name, NEVER) == NEVER:
        expected = reference.verdicts[name].outcome if reference.verdicts else None
        wrong = verdict.outcome is not expected
        return [f"auto: {name} {verdict} instead of {expected}"] if wrong else []
    return [f"auto: {line}" for line in _shown(reference, name, verdict)]


# -- one comparison for all -------------------------------------------------------------------------------------------------------


def _compared(engine: str, reference: Reference, ends: Mapping[str, int], run: Callable[[], Verdicts]) -> list[str]:
    """Where an engine is wrong that looks at each depth up to `ends` for what shows a property, until it has found that.

    A faulty action is an error if it is enabled no deeper than the engine looks for any property.
    """
    faulty = reference.fault <= max(ends.values(), default=-1)
    try:
        verdicts = run()
    except ModelFault as fault:
        wrong = _wrong_fault(reference, fault) if faulty else f"there is none down to {max(ends.values(), default=-1)}"
        return [f"{engine}: {fault}, and {wrong}"] if wrong else []
    except EvidenceError as error:
        return [f"{engine}: {error}"]
    if faulty:
        return [f"{engine}: no fault, and there is one after {reference.fault}"]
    lines = (line for name, verdict in verdicts.items() for line in _wrong(reference, name, verdict, ends.get(name)))
    return [f"{engine}: {line}" for line in lines]


def _wrong_fault(reference: Reference, fault: ModelFault) -> str:
    """What is wrong with a fault that an engine raised, "" if nothing is."""
    last = _end(reference.system, fault.trace)
    enabled = fault.action in reference.system.enabled(last)
    if not enabled or reference.system.fault(last, fault.action) != fault.fault or fault.fault.kind is FaultKind.BOUND:
        return "it is none"
    length = len(fault.trace.actions)
    return "" if length == reference.fault else f"there is one after {reference.fault}"


def _end(system: TransitionSystem, trace: Trace) -> tuple[int, ...]:
    """The state in which a path of the system ends; raises TraceError if it is none."""
    steps = rerun(system, trace)
    return steps[-1].after if steps else trace.initial


def _wrong(reference: Reference, name: str, verdict: Verdict, end: int | None) -> Iterator[str]:
    """What is wrong with a verdict of an engine that looked down to a depth (None: it does not decide this kind of property)."""
    if end is not None and reference.depths[name] <= end:
        yield from _shown(reference, name, verdict)
    elif verdict.outcome is not Outcome.UNKNOWN and (
        end is None or not reference.excludes(name) or verdict.outcome is not _unshown(reference, name)
    ):
        yield f"{name}: {verdict}, and the interpreter does not say so"


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
    open_ones = [name for name in reference.depths if reference.known == NEVER and reference.excludes(name)]
    return Share(sum(name in names for name in open_ones), len(open_ones))

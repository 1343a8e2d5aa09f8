"""The reference: breadth-first search in the system's own words, written to be read. Engines have to agree with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from time import perf_counter

from draincheck.errors import ModelFault
from draincheck.expr import BoolExpr
from draincheck.parametric import refuse_naturals
from draincheck.semantics.validation import conclude
from draincheck.system import (
    Action,
    Always,
    Assertion,
    CanAlwaysFinish,
    Fault,
    FaultKind,
    NoDeadlock,
    Property,
    Reachable,
    State,
    TransitionSystem,
)
from draincheck.trace import Trace, rerun
from draincheck.verdict import NO_LIMITS, SILENT, Exploration, Limits, Reporter, Statistics

__all__ = ["explore", "states"]


def explore(system: TransitionSystem, limits: Limits = NO_LIMITS, reporter: Reporter = SILENT) -> Exploration:
    """Search a system and decide all its properties.

    Raises:
        ModelFault: a reachable state enables an action that cannot be taken.
    """
    started = perf_counter()
    seen = _search(system, limits, reporter)
    verdicts = {item.name: conclude(item, seen.evidence(item), seen.incomplete()) for item in system.properties}
    return Exploration(seen.statistics(perf_counter() - started), verdicts)


def states(system: TransitionSystem, limits: Limits = NO_LIMITS) -> list[State]:
    """The reachable states, in the order of discovery; raises ModelFault like `explore`."""
    return _search(system, limits, SILENT).order


def _search(system: TransitionSystem, limits: Limits, reporter: Reporter) -> _Seen:
    refuse_naturals(system)
    started = perf_counter()
    seen = _Seen(system, limits)
    try:
        for state in system.initial:
            if state not in seen.depth:
                seen.add(state, 0)
        for number, state in enumerate(seen.order):  # grows meanwhile: it is the queue
            if limits.seconds is not None and perf_counter() - started >= limits.seconds:
                raise _LimitReachedError(f"time limit {limits.seconds:g} s reached")
            if number and number % 1000 == 0:
                reporter.progress(len(seen.order), seen.transitions, seen.depth[state], len(seen.order) - number)
            seen.expand(state)
    except _LimitReachedError as limit:
        seen.stopped = str(limit)
    return seen


class _LimitReachedError(Exception):
    """The search has to stop here; the message says why."""


class _Seen:
    """What a search has seen so far."""

    def __init__(self, system: TransitionSystem, limits: Limits) -> None:
        self.system = system
        self.limits = limits
        #: every state found, in the order of discovery
        self.order: list[State] = []
        #: how many actions it takes to get to a state
        self.depth: dict[State, int] = {}
        #: the state and action through which a state was found; initial states have none
        self.origin: dict[State, tuple[State, Action]] = {}
        #: the successors of every state whose actions were all taken
        self.successors: dict[State, list[State]] = {}
        self.transitions = 0
        self.fired: set[int] = set()
        self.deadlocks: list[State] = []
        #: assertion -> where it was first broken
        self.broken: dict[str, tuple[State, Action]] = {}
        self.bound: Fault | None = None
        self.stopped = ""

    def add(self, state: State, depth: int) -> None:
        """Store a new state."""
        if len(self.order) == self.limits.states:
            raise _LimitReachedError(f"state limit {self.limits.states} reached")
        self.order.append(state)
        self.depth[state] = depth

    def expand(self, state: State) -> None:
        """Take every action that is enabled in a state."""
        successors: list[State] = []
        enabled = list(self.system.enabled(state))
        for action in enabled:
            fault = self.system.fault(state, action)
            if fault is None:
                successors.append(self.take(state, action))
            elif fault.kind is FaultKind.BOUND:
                self.bound = self.bound or fault
            else:
                raise ModelFault(action, fault, self.trace("", state))
        if not enabled:
            self.deadlocks.append(state)
        self.successors[state] = successors

    def take(self, state: State, action: Action) -> State:
        """Take one action; returns the state after it."""
        self.transitions += 1
        self.fired.add(action.index)
        for name in self.system.broken_checks(state, action):
            self.broken.setdefault(name, (state, action))
        after = self.system.step(state, action)
        if after not in self.depth:
            self.add(after, self.depth[state] + 1)
            self.origin[after] = (state, action)
        return after

    def trace(self, name: str, state: State, *last: Action) -> Trace:
        """A shortest path to a state, and what is done there."""
        actions = list(last)
        while state in self.origin:
            state, action = self.origin[state]
            actions.insert(0, action)
        trace = Trace(self.system.name, self.system.digest, name, state, tuple(action.index for action in actions))
        rerun(self.system, trace)
        return trace

    def incomplete(self) -> str:
        """Why not all states were seen, "" if they were."""
        reasons = [self.stopped] if self.stopped else []
        if self.bound is not None:
            reasons.append(f"bound passed: {self.bound.message} ({self.bound.line})")
        return f"{', '.join(reasons)} after {len(self.order)} states" if reasons else ""

    def evidence(self, item: Property) -> Trace | None:
        """A shortest path that shows a property to be violated, or a reachability goal to be met."""
        if isinstance(item, Assertion):
            return self.trace(item.name, *self.broken[item.name]) if item.name in self.broken else None
        state = next(self.shown(item), None)
        return None if state is None else self.trace(item.name, state)

    def shown(self, item: Property) -> Iterator[State]:
        """The states that violate a property, or meet its goal, in the order of discovery."""
        holds = self.system.holds
        match item:
            case Always(holds=condition):
                yield from (state for state in self.order if not holds(condition, state))
            case Reachable(goal=condition):
                yield from (state for state in self.order if holds(condition, state))
            case NoDeadlock():
                yield from (state for state in self.deadlocks if not holds(self.system.final, state))
            case CanAlwaysFinish(goal=condition) if not self.incomplete():
                can = self.can_reach(condition)
                yield from (state for state in self.order if state not in can)
            case _:
                pass

    def can_reach(self, goal: BoolExpr) -> set[State]:
        """The states from which some state that satisfies the goal can be reached."""
        can: set[State] = set()
        more = {state for state in self.order if self.system.holds(goal, state)}
        while more:
            can |= more
            more = {state for state, after in self.successors.items() if not can.isdisjoint(after)} - can
        return can

    def statistics(self, seconds: float) -> Statistics:
        """The numbers of the search."""
        layers = Counter(self.depth.values())
        indices = [action.index for action in self.system.actions]
        return Statistics(
            states=len(self.order),
            transitions=self.transitions,
            depth=max(layers),
            queue=len(self.order) - len(self.successors),
            widest=max(layers.values()),
            fired=tuple(index for index in indices if index in self.fired),
            never_fired=tuple(index for index in indices if index not in self.fired),
            seconds=seconds,
        )

"""The reference: breadth-first search in the system's own words, written to be read. Engines have to agree with it.

It shares no code with any of them: what shows a property, and what follows, is said here a second time.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cached_property
from itertools import product
from math import prod
from time import perf_counter

from draincheck import op
from draincheck.budget import Budget
from draincheck.evaluation import Evaluation
from draincheck.expr import FALSE, BoolExpr, Expr, constant, substitute
from draincheck.naturals import refuse_naturals
from draincheck.properties import FAULTS, Always, Assertion, CanAlwaysFinish, NoDeadlock, NoFault, Property, Reachable
from draincheck.reason import (
    Exhaustive,
    Incomplete,
    NeverAsked,
    Reason,
    Refused,
    RunsInto,
    Shortest,
    Stop,
    StopKind,
    Stuck,
    Unasked,
)
from draincheck.run import Trace, label_of, rerun
from draincheck.system import Action, Fault, FaultKind, State, TransitionSystem, Variable
from draincheck.verdict import NO_LIMITS, SILENT, Exploration, Limits, Outcome, Reporter, Statistics, Verdict

__all__ = ["explore", "states"]


def explore(system: TransitionSystem, limits: Limits = NO_LIMITS, reporter: Reporter = SILENT) -> Exploration:
    """Search a system and decide all its properties, and which faults its runs meet."""
    watch = Budget(started=perf_counter())
    seen = _search(system, limits, reporter)
    met = [item for item in FAULTS.values() if item.kind in seen.faults]
    verdicts = {item.name: seen.verdict(item) for item in (*system.properties, *met)}
    return Exploration(seen.statistics(watch.passed()), verdicts)


def states(system: TransitionSystem, limits: Limits = NO_LIMITS) -> list[State]:
    """The reachable states, those that take the fewest actions first, in ascending order."""
    return _search(system, limits, SILENT).order


def _search(system: TransitionSystem, limits: Limits, reporter: Reporter) -> _Seen:
    refuse_naturals(system)
    watch, seen = limits.begun(), _Seen(system, limits)
    try:
        layer: list[State] = []
        for state in system.initial:
            layer += seen.add({state}, 0)
            if len(layer) % 1000 == 0 and (late := watch.stop()):
                raise _LimitReachedError(late)
        while layer:
            found: set[State] = set()
            for state in layer:
                if late := watch.stop():
                    raise _LimitReachedError(late)
                found |= seen.expand(state)
                if len(seen.successors) % 1000 == 0:
                    waiting = len(seen.depth) - len(seen.successors)
                    reporter.progress(len(seen.depth), seen.transitions, seen.depth[state], waiting)
            layer = sorted(found)
    except _LimitReachedError as limit:
        seen.stopped = limit.stop
    return seen


def bearing(system: TransitionSystem, item: Property) -> set[str]:
    """The processes whose steps can matter to a demand: to this one, or to another one of the system."""
    reads, writes = defaultdict[str, set[Expr]](set), defaultdict[str, set[Variable]](set)
    found = {action.process for action in system.actions if action.checks or action.faults}
    found |= {name for name, _ in system.at_rest if name and may_rest(system, name)}
    for action in system.actions:
        writes[action.process] |= {update.variable for update in action.updates}
        reads[action.process] |= leaves(action.guard, *(update.value for update in action.updates))
        reads[action.process] |= leaves(*(fault.when for fault in action.faults))
    found |= {name for name in writes if not all(variable.internal for variable in writes[name])}
    conditions = [condition for demand in (*system.properties, item) for condition in demand.conditions()]
    if any(name == "" for name, _ in system.at_rest):
        conditions.append(system.final)
    found |= {name for name in writes if writes[name] & leaves(*conditions)}
    if isinstance(item, NoDeadlock):
        found |= {name for name in writes if may_wait(system, name)}
    for _ in writes:
        found |= {name for name in writes if any(writes[name] & reads[other] for other in found)}
    return found


def may_rest(system: TransitionSystem, process: str) -> bool:
    """Whether a process may be at rest at the start, or after one of the steps that store what decides that, as far as constants tell."""
    rests = dict(system.at_rest)[process]
    if (
        substitute(rests, {v: constant(v.sort, v.initial[0]) for v in system.variables if len(v.initial) == 1})
        is not FALSE
    ):
        return True
    for action in system.actions:
        after: dict[Expr, Expr] = {update.variable: update.value for update in action.updates}
        if action.guard is not FALSE and leaves(rests) & after.keys() and substitute(rests, after) is not FALSE:
            return True
    return False


def may_wait(system: TransitionSystem, process: str) -> bool:
    """Whether with some values of the variables a process has no step and is not at rest. Those that no step writes have their first values.

    More than 2 to the power of 14 combinations are not tried: with so many it may.
    """
    written = {update.variable for action in system.actions for update in action.updates}
    conditions = [action.guard for action in system.actions if action.process == process]
    rests = [where for name, where in system.at_rest if name == process]
    used = leaves(*conditions, *rests)
    read = [variable for variable in system.variables if variable in used]
    ranges = [range(v.sort.low, v.sort.high + 1) if v in written else v.initial for v in read]
    if prod(r[-1] - r[0] + 1 if isinstance(r, range) else len(r) for r in ranges) > 1 << 14:
        return True
    worlds = (Evaluation(zip(read, values, strict=True)) for values in product(*ranges))
    return not rests or not all(any(world[each] for each in (*conditions, *rests)) for world in worlds)


def leaves(*terms: Expr) -> set[Expr]:
    """What terms read."""
    seen, todo = set[Expr](), list(terms)
    while todo:
        term = todo.pop()
        if term not in seen:
            seen.add(term)
            todo += term.args
    return {term for term in seen if term.op is op.VAR}


class _LimitReachedError(Exception):
    """The search has to stop here."""

    def __init__(self, stop: Stop) -> None:
        super().__init__(stop)
        self.stop = stop


class _Seen:
    """What a search has seen so far."""

    def __init__(self, system: TransitionSystem, limits: Limits) -> None:
        self.system = system
        self.limits = limits
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
        #: kind of fault -> where a run first comes to one
        self.faults: dict[FaultKind, tuple[State, Action, Fault]] = {}
        #: the assertions that some step has asked
        self.asked: set[str] = set()
        #: the processes that have taken a step
        self.moved: set[str] = set()
        self.stopped: Stop | None = None

    @property
    def order(self) -> list[State]:
        """Every state found: the fewest actions first, then the smallest."""
        return sorted(self.depth, key=lambda state: (self.depth[state], state))

    def add(self, new: set[State], depth: int) -> list[State]:
        """Store new states, in ascending order; as many as may be stored."""
        room = len(new) if self.limits.states is None else self.limits.states - len(self.depth)
        self.depth.update(dict.fromkeys(sorted(new)[:room], depth))
        if len(new) > room:
            raise _LimitReachedError(Stop(StopKind.STATES, self.limits.states))
        return sorted(new)

    def expand(self, state: State) -> set[State]:
        """Take every action that is enabled in a state, or none if the states after it cannot all be stored; the new ones of these."""
        enabled = list(self.system.enabled(state))
        sound = [action for action in enabled if self.system.fault(state, action) is None]
        successors = [self.system.step(state, action) for action in sound]
        new = set(successors) - self.depth.keys()
        for action, after in zip(sound, successors, strict=True):
            if after in new:
                self.origin.setdefault(after, (state, action))
        self.add(new, self.depth[state] + 1)
        self.successors[state] = successors
        if not enabled:
            self.deadlocks.append(state)
        for action in enabled:
            self.look(state, action)
        return new

    def look(self, state: State, action: Action) -> None:
        """Note what an enabled action does besides leading on."""
        fault = self.system.fault(state, action)
        if fault is not None:
            self.faults.setdefault(fault.kind, (state, action, fault))
            return
        self.moved.add(action.process)
        self.transitions += 1
        self.asked |= {check.property for check in action.checks if self.system.holds(check.asked, state)}
        self.fired.add(action.index)
        for name in self.system.broken_checks(state, action):
            self.broken.setdefault(name, (state, action))

    def trace(self, name: str, state: State, *last: Action) -> Trace:
        """The shortest path to a state, and what is done there; of equally short ones that over the smallest states and first actions."""
        actions = list(last)
        while state in self.origin:
            state, action = self.origin[state]
            actions.insert(0, action)
        trace = Trace.of(self.system, name, state, (action.index for action in actions))
        rerun(self.system, trace)
        return trace

    def incomplete(self) -> Incomplete | None:
        """Why not all states were seen, None if they were."""
        passed = self.faults.get(FaultKind.BOUND)
        if self.stopped is None and passed is None:
            return None
        bound = "" if passed is None else f"{passed[2].message} ({passed[2].line})"
        return Incomplete(len(self.depth), bound, stopped=self.stopped)

    def verdict(self, item: Property) -> Verdict:
        """What the search says about a property, once it is over."""
        if not isinstance(item, Always | Assertion | Reachable | NoDeadlock | CanAlwaysFinish | NoFault):
            refused = Refused(f"breadth-first search does not decide {item.written}")
            return Verdict(item.name, Outcome.UNKNOWN, refused)
        trace, is_goal = self.evidence(item), isinstance(item, Reachable)
        if is_goal == (trace is not None) and (unasked := self.unasked(item)):
            return Verdict(item.name, Outcome.NEVER_ASKED, unasked)
        if trace is not None:
            if is_goal:
                if (
                    not self.moved & bearing(self.system, item)
                    and not trace.actions
                    and (incomplete := self.incomplete())
                ):
                    return Verdict(item.name, Outcome.UNKNOWN, incomplete)
                return Verdict(item.name, Outcome.HOLDS, Shortest("witness", len(trace.actions)), trace)
            if isinstance(item, NoDeadlock) and self.system.at_rest:
                return Verdict(item.name, Outcome.VIOLATED, self.stuck(trace), trace)
            return Verdict(item.name, Outcome.VIOLATED, self.violation(item, trace), trace)
        if incomplete := self.incomplete():
            return Verdict(item.name, Outcome.UNKNOWN, incomplete)
        errors = [each.name for each in FAULTS.values() if each.kind in self.faults.keys() - {FaultKind.BOUND}]
        remark = f", of runs without an error ({', '.join(errors)} violated)" if errors else ""
        return Verdict(item.name, Outcome.VIOLATED if is_goal else Outcome.HOLDS, Exhaustive(remark))

    def violation(self, item: Property, trace: Trace) -> Reason:
        """What a trace that violates a property comes to."""
        shortest = Shortest("counterexample", len(trace.actions))
        if not isinstance(item, NoFault):
            return shortest
        state, action, fault = self.faults[item.kind]
        step = label_of(self.system, action, state)
        return RunsInto(shortest, fault.kind.value, action.process, step, fault.message, fault.line)

    def unasked(self, item: Property) -> NeverAsked | None:
        """Why a property that would hold is never asked; None if it is, or nobody knows."""
        if isinstance(item, Assertion):
            checks = [check for action in self.system.actions for check in action.checks]
            mine = tuple(dict.fromkeys(str(check.line) for check in checks if check.property == item.name))
            if not mine:
                close = get_close_matches(item.name, dict.fromkeys(check.property for check in checks), cutoff=0.75)
                return NeverAsked(Unasked.NO_CHECK, tuple(close))
            unknown = item.name in self.asked or self.incomplete()
            return None if unknown else NeverAsked(Unasked.UNREACHED, mine)
        if self.moved & bearing(self.system, item) or self.incomplete():
            return None
        return NeverAsked(Unasked.IDLE if self.moved else Unasked.NO_STEP)

    def evidence(self, item: Property) -> Trace | None:
        """A shortest path that shows a property to be violated, or a reachability goal to be met."""
        if isinstance(item, NoFault):
            return self.trace(item.name, self.faults[item.kind][0]) if item.kind in self.faults else None
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
            case NoDeadlock() if self.system.at_rest:
                yield from (state for state in self.order if any(state in who for who in self.stranded.values()))
            case NoDeadlock():
                yield from (state for state in self.deadlocks if not holds(self.system.final, state))
            case CanAlwaysFinish(goal=condition) if not self.incomplete():
                can = self.can_reach(condition)
                yield from (state for state in self.order if state not in can)
            case _:
                pass

    @cached_property
    def stranded(self) -> dict[str, set[State]]:
        """For each process (or "", all) the states after which it never moves again, is nowhere at rest, and nothing final comes."""
        return {name: self.order_set - self.moves_in_the_end(name, rests) for name, rests in self.system.at_rest}

    def moves_in_the_end(self, process: str, rests: BoolExpr) -> set[State]:
        """The states with some future in which a process moves, or is at rest, or the whole may stop, or that is not known to its end."""
        good = {state for state in self.order_set if self.may_be_left(state, process, rests)}
        while True:
            before = {state for state, after in self.successors.items() if any(target in good for target in after)}
            if before <= good:
                return good
            good |= before

    def may_be_left(self, state: State, process: str, rests: BoolExpr) -> bool:
        """Whether nothing is missing in a state as far as one process is concerned."""
        enabled = list(self.system.enabled(state))
        unknown = state not in self.successors or any(self.system.fault(state, action) for action in enabled)
        fine = self.system.holds(self.system.final, state) or self.system.holds(rests, state)
        return unknown or fine or any(action.process == process for action in enabled)

    @cached_property
    def order_set(self) -> set[State]:
        """Every state found."""
        return set(self.depth)

    def stuck(self, trace: Trace) -> Stuck:
        """Who is stuck where a path ends; if not everything was seen, others may be before."""
        steps = rerun(self.system, trace)
        last = steps[-1].after if steps else trace.initial
        names = tuple(name for name, states in self.stranded.items() if last in states)
        return Stuck(names, len(steps), first=self.incomplete() is None)

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
            states=len(self.depth),
            transitions=self.transitions,
            depth=max(layers, default=0),
            queue=len(self.depth) - len(self.successors),
            widest=max(layers.values(), default=0),
            fired=tuple(index for index in indices if index in self.fired),
            never_fired=tuple(index for index in indices if index not in self.fired),
            seconds=seconds,
        )

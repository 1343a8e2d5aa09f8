"""Explicit search: every reachable state, breadth first, in one pass that decides all properties of a system.

States are packed into integers and actions are generated functions over them (`successors`). The search always goes to the
end, whatever it finds on the way, so its counts do not depend on properties. States are kept in the order of discovery, so
the first that shows something lies on a shortest path, which is executed again before it becomes a verdict (`evidence`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import filterfalse, islice, pairwise
from time import perf_counter

from draincheck.engines.successors import BROKEN, Successors
from draincheck.errors import EvidenceError
from draincheck.expr import BoolExpr
from draincheck.semantics.validation import Evidence, Path, conclude
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
from draincheck.verdict import NO_LIMITS, SILENT, Exploration, Limits, Reporter, Statistics, Verdict

__all__ = ["Search", "check", "explore", "reachable", "states"]

#: states expanded between two looks at the clock: a few milliseconds
PIECE = 2048


def explore(system: TransitionSystem, limits: Limits = NO_LIMITS, reporter: Reporter = SILENT) -> Exploration:
    """Search a system and decide all its properties.

    Raises:
        ModelFault: a reachable state enables an action that cannot be taken.
    """
    return _explore(system, system.properties, limits, reporter)


def check(
    system: TransitionSystem, property_name: str, limits: Limits = NO_LIMITS, reporter: Reporter = SILENT
) -> Verdict:
    """Decide one property of a system; raises ModelFault like `explore`."""
    item = system.property_named(property_name)
    return _explore(system, (item,), limits, reporter).verdicts[item.name]


def states(system: TransitionSystem, limits: Limits = NO_LIMITS) -> list[State]:
    """The reachable states, in the order a breadth-first search discovers them; raises ModelFault like `explore`."""
    search = Search(system, (), limits, SILENT)
    search.run()
    return list(map(search.successors.layout.unpack, search.order))


def reachable(system: TransitionSystem, limits: Limits = NO_LIMITS) -> frozenset[State]:
    """The set of reachable states; raises ModelFault like `explore`."""
    return frozenset(states(system, limits))


def _explore(
    system: TransitionSystem, properties: Sequence[Property], limits: Limits, reporter: Reporter
) -> Exploration:
    started = perf_counter()
    search = Search(system, properties, limits, reporter)
    search.run()
    verdicts = {item.name: search.verdict(item) for item in properties}
    return Exploration(search.statistics(perf_counter() - started), verdicts)


def _condition(item: Property, system: TransitionSystem) -> BoolExpr | None:
    """What has to be looked at in every state to decide a property."""
    match item:
        case Always(holds=condition) | Reachable(goal=condition) | CanAlwaysFinish(goal=condition):
            return condition
        case NoDeadlock():
            return system.final
        case _:
            return None


class Search:
    """One search, and what it found. States are packed; a state's number is its position in `order`."""

    def __init__(
        self, system: TransitionSystem, properties: Sequence[Property], limits: Limits, reporter: Reporter
    ) -> None:
        self.system, self.limits, self.reporter = system, limits, reporter
        self.started = perf_counter()
        asked = {p.name: c for p in properties if (c := _condition(p, system)) is not None}
        watched = [p.name for p in properties if isinstance(p, Assertion)]
        self.successors = Successors(system, watched, asked.values())
        self.conditions = dict(zip(asked, self.successors.conditions, strict=True))
        self.evidence = Evidence(system)
        #: every state found, in the order of discovery: also the queue
        self.order: list[int] = []
        self.number: dict[int, int] = {}
        #: the number of the state from which each was found; -1 for initial states
        self.origin: list[int] = []
        self.queue = enumerate(self.order)
        self.expanded = 0
        #: where in `order` each layer ends
        self.ends: list[int] = []
        self.transitions = 0
        self.fired = [False] * len(system.actions)
        #: states without an enabled action
        self.dead: list[int] = []
        #: assertion -> the first state and action that broke it
        self.broken: dict[str, tuple[int, int]] = {}
        self.bound: Fault | None = None
        self.stopped = ""
        #: the numbers of the states that lead to each state in one step; only where a property needs them
        self.before: list[list[int]] | None = [] if any(isinstance(p, CanAlwaysFinish) for p in properties) else None

    def run(self) -> None:
        """Explore until there is nothing left, or a limit is reached."""
        for state in dict.fromkeys(map(self.successors.layout.pack, self.system.initial)):
            if len(self.order) == self.limits.states:
                self.stopped = f"state limit {self.limits.states} reached"
                break
            self.number[state] = len(self.order)
            self.order.append(state)
            self.origin.append(-1)
            if self.before is not None:
                self.before.append([])
        self.ends.append(len(self.order))
        while self.expanded < len(self.order) and not self.stopped and not self._late():
            self._expand()
            self._find_layers()
            if self.expanded < len(self.order):
                self._report()
        if self.ends[-1] < len(self.order):
            self.ends.append(len(self.order))

    def _late(self) -> bool:
        """Whether time is up."""
        seconds = self.limits.seconds
        if seconds is not None and perf_counter() - self.started >= seconds:
            self.stopped = f"time limit {seconds:g} s reached"
        return bool(self.stopped)

    def _expand(self) -> None:
        """Take every enabled action of the next states in the queue."""
        successors, select, fired, dead = self.successors, self.successors.select, self.fired, self.dead
        order, number_of, origin, before = self.order, self.number, self.origin, self.before
        find, most = number_of.get, -1 if self.limits.states is None else self.limits.states
        taken, here = self.transitions, self.expanded
        for here, state in islice(self.queue, PIECE):
            quiet = taken
            for index, step, watch in successors[state & select]:
                after = step(state)
                if after is None:
                    continue
                if watch is not None and (wrong := watch(state)) and self._cut(state, index, wrong):
                    quiet = -1
                    continue
                taken += 1
                fired[index] = True
                found = find(after)
                if found is None:
                    found = len(order)
                    if found == most:
                        self.stopped = f"state limit {most} reached"
                        self.transitions, self.expanded = taken, here
                        return
                    number_of[after] = found
                    order.append(after)
                    origin.append(here)
                    if before is not None:
                        before.append([])
                if before is not None:
                    before[found].append(here)
            if quiet == taken:
                dead.append(state)
        self.transitions, self.expanded = taken, here + 1

    def _cut(self, packed: int, index: int, wrong: int) -> bool:
        """Look into an enabled action with which something is wrong; True if a bound keeps it from being taken."""
        action = self.system.actions[index]
        if wrong == BROKEN:
            self._note_broken(packed, action)
            return False
        fault = action.faults[wrong - 1]
        if fault.kind is not FaultKind.BOUND:
            raise self.evidence.fault(action, fault, self._path(packed))
        self.bound = self.bound or fault
        return True

    def _note_broken(self, packed: int, action: Action) -> None:
        """Remember the assertions an action breaks in a state, and look no further for these."""
        names = self.system.broken_checks(self.successors.layout.unpack(packed), action)
        if not names:
            raise EvidenceError(f"{self.system.name}: action {action.index} ({action.name}) breaks no assertion there")
        new = set(names) - set(self.broken)
        if new:
            self.broken.update(dict.fromkeys(new, (packed, action.index)))
            self.successors.stop_watching(new)

    def _find_layers(self) -> None:
        """Note where the layers end whose states all come from expanded ones."""
        while self.ends[-1] <= self.expanded and self.ends[-1] < len(self.order):
            last = self.ends[-1] - 1
            self.ends.append(bisect_right(self.origin, last, lo=last + 1))

    def _report(self) -> None:
        found = len(self.order)
        self.reporter.progress(found, self.transitions, len(self.ends) - 1, found - self.expanded)

    def statistics(self, seconds: float) -> Statistics:
        """The numbers of the search."""
        sizes = [end - start for start, end in pairwise([0, *self.ends])]
        return Statistics(
            states=len(self.order),
            transitions=self.transitions,
            depth=len(sizes) - 1,
            queue=len(self.order) - self.expanded,
            widest=max(sizes),
            fired=tuple(i for i, fired in enumerate(self.fired) if fired),
            never_fired=tuple(i for i, fired in enumerate(self.fired) if not fired),
            seconds=seconds,
        )

    def verdict(self, item: Property) -> Verdict:
        """What the search, now over, says about a property."""
        path = self._path_for(item)
        return conclude(item, path and self.evidence.shows(item, path), self._incomplete())

    def _incomplete(self) -> str:
        """Why not all states were seen, "" if they were."""
        reasons = [self.stopped] if self.stopped else []
        if self.bound is not None:
            reasons.append(f"bound passed: {self.bound.message} ({self.bound.line})")
        return f"{', '.join(reasons)} after {len(self.order)} states" if reasons else ""

    def _path_for(self, item: Property) -> Path | None:
        """A shortest path that shows a property violated, or its goal met; None if none was seen."""
        if isinstance(item, Assertion):
            if item.name not in self.broken:
                return None
            state, index = self.broken[item.name]
            initial, actions = self._path(state)
            return initial, [*actions, index]
        condition = self.conditions.get(item.name)
        shown = None if condition is None else self._shown(item, condition)
        return None if shown is None else self._path(shown)

    def _shown(self, item: Property, condition: Callable[[int], object]) -> int | None:
        """The first state that shows a property violated, or its goal met."""
        match item:
            case Always():
                return next(filterfalse(condition, self.order), None)
            case Reachable():
                return next(filter(condition, self.order), None)
            case NoDeadlock():
                return next(filterfalse(condition, self.dead), None)
            case CanAlwaysFinish() if not self._incomplete():
                return self._stuck(condition)
            case _:
                return None

    def _stuck(self, goal: Callable[[int], object]) -> int | None:
        """The first state from which no state satisfying the goal can be reached."""
        before = self.before or []
        can = bytearray(map(bool, map(goal, self.order)))
        todo = [number for number, yes in enumerate(can) if yes]
        for number in todo:
            for earlier in before[number]:
                if not can[earlier]:
                    can[earlier] = True
                    todo.append(earlier)
        first = can.find(False)
        return None if first < 0 else self.order[first]

    def _path(self, state: int) -> Path:
        """The shortest way to a state: the first state and the actions from there."""
        actions: list[int] = []
        while (number := self.origin[self.number[state]]) >= 0:
            before = self.order[number]
            actions.append(next(index for index, after in self.successors.of(before) if after == state))
            state = before
        return self.successors.layout.unpack(state), actions[::-1]

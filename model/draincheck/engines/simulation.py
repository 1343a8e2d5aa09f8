"""Random walks, for systems too wide to be searched: they find violations, and prove nothing by finding none.

Each walk starts in an initial state and takes one of the enabled actions at random, all equally likely, until it is long enough, nothing
moves, or a bound of the model stops it. The same seed gives the same walks. What a walk comes across is cleared of detours, executed
again by the system's own rules, and then a verdict; it need not be a shortest counterexample. A property that no walk breaks is
*unknown*. Only a `Reachable` can hold here: the walk to its goal is the proof. What needs no walk is said: that no check asks an
assertion, and what is so of a system in which no step can be taken.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from random import Random

from msgspec import Struct

from draincheck.budget import Budget
from draincheck.engines import explicit
from draincheck.errors import ModelError
from draincheck.exploration.loop import Loop, StepNote, Where
from draincheck.properties import FAULTS, Always, Assertion, Liveness, NoDeadlock, NoFault, Property, Reachable
from draincheck.reason import NothingWalkedInto, Refused, Stop, Walked
from draincheck.run import Run
from draincheck.semantics.vacuity import matters, moves_on, without_check
from draincheck.semantics.validation import Evidence, running_into
from draincheck.semantics.violation import outcome_if_shown, sought_in_states
from draincheck.system import Fault, FaultKind, State, TransitionSystem
from draincheck.verdict import NO_LIMITS, SILENT, Limits, Outcome, Reporter, Verdict

__all__ = ["DEPTH", "RUNS", "Simulation", "simulate"]

#: how many walks, unless told otherwise: seconds for a real scenario
RUNS = 1_000
#: how many actions each takes at most, unless told otherwise: some five rounds of a main loop with all that it dispatches
DEPTH = 300
#: the kinds of property that a state of a walk shows
DECIDED = (Always, Reachable, NoDeadlock)

#: walks between two reports of progress
PIECE = 64

#: initial states that are looked at, where no walk took a step, to see whether any could
FEW = 20_000


@dataclass(frozen=True, slots=True)
class Simulation:
    """What a series of walks did and found.

    Attributes:
        verdicts: by property name; faults that some walk met have theirs.
        runs: walks taken.
        steps: actions taken in all of them.
        longest: actions of the longest walk.
        never_fired: indices of the actions that no walk took.
        seconds: wall time.
    """

    verdicts: dict[str, Verdict]
    runs: int
    steps: int
    longest: int
    never_fired: tuple[int, ...]
    seconds: float = field(compare=False)


def simulate(
    system: TransitionSystem,
    property_names: Sequence[str] = (),
    *,
    runs: int = RUNS,
    depth: int = DEPTH,
    seed: int = 0,
    limits: Limits = NO_LIMITS,
    reporter: Reporter = SILENT,
) -> Simulation:
    """Walk through a system and look at its properties; stops early once there is nothing left to be found.

    Args:
        system: the system.
        property_names: the properties; all if none is named, and then errors of a run are looked for as long as there are walks.
        runs: how many walks, at least 1.
        depth: how many actions a walk takes at most, at least 1.
        seed: decides all choices.
        limits: only `seconds` matters, nothing is stored.
        reporter: told how many actions were taken.

    Raises:
        ModelError: `runs` or `depth` is not positive.
    """
    _want_positive(runs=runs, depth=depth)
    watch = limits.begun()
    properties = [system.property_named(name) for name in property_names] or system.properties or system.implicit
    looked_for = [*dict.fromkeys((*properties, *(() if property_names else system.implicit)))]
    walks = _Walks(system, looked_for, depth, seed)
    walks.walk_often(runs, watch, reporter)
    return Simulation(
        verdicts=walks.verdicts(properties),
        runs=walks.taken,
        steps=walks.steps,
        longest=walks.longest,
        never_fired=tuple(index for index, fired in enumerate(walks.fired) if not fired),
        seconds=watch.passed(),
    )


class _Walk(Struct):
    """The states of a walk, packed, and the actions between them."""

    states: list[int]
    actions: list[int]


def _want_positive(**numbers: int) -> None:
    """Raise ModelError for one of these numbers that is not."""
    for name, value in numbers.items():
        if value < 1:
            raise ModelError(f"{name} must be at least 1, not {value}")


class _Walks:
    """A series of walks and what they have found so far."""

    def __init__(self, system: TransitionSystem, properties: Sequence[Property], depth: int, seed: int) -> None:
        self.system, self.depth, self.seed = system, depth, seed
        self.random = Random(seed)
        asked = {
            item: condition
            for item in properties
            if isinstance(item, DECIDED) and (condition := sought_in_states(system, item)) is not None
        }
        assertions = [p for p in properties if isinstance(p, Assertion) and without_check(system, p) is None]
        self.loop = Loop(system, [item.name for item in assertions], asked.values())
        self.conditions: dict[Property, Where] = dict(zip(asked, self.loop.conditions, strict=True))
        self.evidence = Evidence(system)
        #: the properties that a walk can still decide
        faults = [item for item in properties if isinstance(item, NoFault)]
        self.wanted: list[Property] = [*asked, *assertions, *faults]
        self.found: dict[Property, Run] = {}
        self.taken = self.steps = self.longest = 0
        self.fired = [False] * len(system.actions)
        self.stopped: Stop | None = None
        self.bound = ""

    def walk_often(self, runs: int, watch: Budget, reporter: Reporter) -> None:
        """Take so many walks, as long as there is something to be found, and time."""
        reporter.phase("random walks")
        while self.taken < runs and self.wanted:
            if late := watch.stop():
                self.stopped = late
                break
            self.walk()
            if self.taken % PIECE == 0:
                reporter.progress(0, self.steps, self.longest, 0)

    def walk(self) -> None:
        """Take one walk."""
        start = self.system.initial[self.random.randrange(self.system.initial.number)]
        walk = _Walk([self.loop.layout.pack(start)], [])
        self._look(walk, Always, Reachable)
        while len(walk.actions) < self.depth and self._advance(walk):
            self._look(walk, Always, Reachable)
        self.taken += 1
        self.steps += len(walk.actions)
        self.longest = max(self.longest, len(walk.actions))

    def _advance(self, walk: _Walk) -> bool:
        """Take an enabled action at random; False if there is none, or a bound keeps the one drawn from being taken."""
        loop, state = self.loop, walk.states[-1]
        loop.expand((state,))
        moves: list[tuple[int, int | StepNote]] = list(zip(loop.actions, loop.targets, strict=True))
        notes = [loop.notes[number] for number, _ in loop.noted]
        moves += [(note.action.index, note) for note in notes if note.fault is not None]
        if not moves:
            self._look(walk, NoDeadlock)
            return False
        index, after = self.random.choice(sorted(moves, key=lambda move: move[0]))
        if not isinstance(after, int):
            if after.fault is not None:
                self._meet(walk, after.fault)
            return False
        walk.actions.append(index)
        walk.states.append(after)
        self.fired[index] = True
        self._find_broken(walk, [note.broken for note in notes if note.action.index == index])
        return True

    def _meet(self, walk: _Walk, fault: Fault) -> None:
        """A walk ends with a fault."""
        item = next(item for item in FAULTS.values() if item.kind is fault.kind)
        if item not in self.found:
            self._settle(item, walk, len(walk.actions))
        if fault.kind is FaultKind.BOUND:
            self.bound = fault.message

    @property
    def met(self) -> list[Property]:
        """The faults that some walk met."""
        return [item for item in FAULTS.values() if item in self.found]

    def _look(self, walk: _Walk, *kinds: type[Property]) -> None:
        """Settle the properties of these kinds that the last state decides."""
        for item in list(self.wanted):
            if isinstance(item, kinds) and self.conditions[item](walk.states[-1:]):
                self._settle(item, walk, len(walk.actions))

    def _find_broken(self, walk: _Walk, names: Collection[str]) -> None:
        """Settle the assertions that the last action breaks."""
        for item in list(self.wanted):
            if isinstance(item, Assertion) and item.name in names:
                self._settle(item, walk, len(walk.actions) - 1)

    def _start(self, walk: _Walk) -> State:
        return self.loop.layout.unpack(walk.states[0])

    def _settle(self, item: Property, walk: _Walk, length: int) -> None:
        """A walk decides a property: keep it without its detours before number `length`, executed once more."""
        actions = [*_direct(walk, length), *walk.actions[length:]]
        self.found[item] = self.evidence.shows(item, (self._start(walk), actions))
        if item in self.wanted:
            self.wanted.remove(item)

    def verdicts(self, properties: Sequence[Property]) -> dict[str, Verdict]:
        """What the walks say about properties, and about the faults that they met."""
        moves = self._moves()
        if moves is False:  # the initial states are all there are, but for threads that do nothing
            left = [item for item in properties if not isinstance(item, Liveness)]
            found = explicit.decide(self.system, left, Limits(states=FEW))
            if not found.statistics.queue:
                return {**{item.name: self.verdict(item) for item in properties if item not in left}, **found.verdicts}
        if not moves:  # so nobody knows whether a goal that is met at once was ever asked
            goals = [item for item in self.found if isinstance(item, Reachable)]
            self.wanted += goals
            self.found = {item: run for item, run in self.found.items() if item not in goals}
        return {item.name: self.verdict(item) for item in dict.fromkeys((*properties, *self.met))}

    def _moves(self) -> bool | None:
        """Whether a step can be taken that matters; None where no walk took one, and the initial states are too many to be looked at."""
        if matters(self.system, [index for index, fired in enumerate(self.fired) if fired]):
            return True
        if self.system.initial.number > FEW:
            return None
        moving = moves_on(self.system)
        return any(self.system.holds(moving, state) for state in self.system.initial)

    def verdict(self, item: Property) -> Verdict:
        """What the walks say about a property."""
        run = self.found.get(item)
        if (never := without_check(self.system, item)) is not None:
            return Verdict(item.name, Outcome.NEVER_ASKED, never)
        if run is not None:
            walked = Walked(len(run.trace.actions))
            how = running_into(item, run, walked) if isinstance(item, NoFault) else walked
            return Verdict(item.name, outcome_if_shown(item), how, run.trace)
        if item not in self.wanted:
            return Verdict(item.name, Outcome.UNKNOWN, Refused(f"random walks cannot decide {type(item).__name__}"))
        nothing = NothingWalkedInto(self.taken, self.depth, self.seed, self.bound, stopped=self.stopped)
        return Verdict(item.name, Outcome.UNKNOWN, nothing)


def _direct(walk: _Walk, length: int) -> list[int]:
    """The actions of the first `length` steps of a walk, without those that lead from a state back to itself."""
    last = {state: number for number, state in enumerate(walk.states[: length + 1])}
    actions: list[int] = []
    number = last[walk.states[0]]
    while number < length:
        actions.append(walk.actions[number])
        number = last[walk.states[number + 1]]
    return actions

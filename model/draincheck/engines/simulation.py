"""Random walks, for systems too wide to be searched: they find violations, and prove nothing by finding none.

Each walk starts in an initial state and takes one of the enabled actions at random, all equally likely, until it is long enough, nothing
moves, or a bound of the model stops it. The same seed gives the same walks (`chance`), whether Python takes them or, where there are many,
machine code: what that comes across Python walks again. It is cleared of detours, executed again by the system's own rules, and then a
verdict; it need not be a shortest counterexample. A property that no walk breaks is *unknown*. Only a `Reachable` can hold here: the walk
to its goal is the proof. What needs no walk is said: that no check asks an assertion, and what is so of a system in which no step can be
taken.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec import Struct

from draincheck.budget import Budget, want_whole
from draincheck.chance import Chance, beginning
from draincheck.elsewhere import loaded
from draincheck.engines import explicit
from draincheck.engines.question import Answered, Question, one_by_one
from draincheck.errors import ModelError
from draincheck.exploration.loop import Loop, StepNote, Where
from draincheck.expr import BoolExpr
from draincheck.native.tiers import MISSING, WALKS, Tier, is_installed, natively
from draincheck.properties import FAULTS, Always, Assertion, Liveness, NoDeadlock, NoFault, Property, Reachable
from draincheck.reason import NothingWalkedInto, Refused, Stop, Walked
from draincheck.run import Run
from draincheck.semantics.vacuity import matters, moves_on, without_check
from draincheck.semantics.validation import Evidence, running_into
from draincheck.semantics.violation import outcome_if_shown, sought_in_states
from draincheck.system import Fault, FaultKind, State, TransitionSystem
from draincheck.verdict import NO_LIMITS, SILENT, Limits, Outcome, Reporter, Verdict
from draincheck.words import counted

if TYPE_CHECKING:
    from draincheck.native.walking import NativeWalks

__all__ = ["DEPTH", "RUNS", "Simulation", "answer", "simulate"]

#: how many walks, unless told otherwise: seconds for a real scenario
RUNS = 1_000
#: how many actions each takes at most, unless told otherwise: some five rounds of a main loop with all that it dispatches
DEPTH = 300
#: the kinds of property that a state of a walk shows
DECIDED = (Always, Reachable, NoDeadlock)

#: walks between two reports of progress
PIECE = 64

#: steps of a walk between two looks at the clock
STEPS = 4096

#: steps after which it is known how long walks are, and so many that are still to be taken are worth a compiler
SOME, MANY = 10_000, 60_000

#: steps from which on somebody has waited for what machine code would have taken in a moment
WAITED = 1_000_000

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
        advice: what would have made it faster, "" if nobody knows.
    """

    verdicts: dict[str, Verdict]
    runs: int
    steps: int
    longest: int
    never_fired: tuple[int, ...]
    seconds: float = field(compare=False)
    advice: str = field(default="", compare=False)


def simulate(
    system: TransitionSystem,
    property_names: Sequence[str] = (),
    *,
    runs: int = RUNS,
    depth: int = DEPTH,
    seed: int = 0,
    limits: Limits = NO_LIMITS,
    reporter: Reporter = SILENT,
    tier: Tier = Tier.BY_SIZE,
) -> Simulation:
    """Walk through a system and look at its properties; stops early once there is nothing left to be found.

    Args:
        system: the system.
        property_names: the properties; all if none is named, and then errors of a run are looked for as long as there are walks.
        runs: how many walks, at least 1.
        depth: how many actions a walk takes at most; with 0 it stays where it begins.
        seed: decides all choices; its lowest 64 bits do.
        limits: only `seconds` matters, nothing is stored.
        reporter: told how many actions were taken.
        tier: who walks; nothing that is found depends on it.

    Raises ModelError for numbers that make no sense (`_check_numbers`), and machine code that is demanded and cannot be had.
    """
    _check_numbers(runs, depth, seed)
    watch = limits.begun()
    properties = [system.property_named(name) for name in property_names] or system.properties or system.implicit
    looked_for = [*dict.fromkeys((*properties, *(() if property_names else system.implicit)))]
    walks = _Walks(system, looked_for, depth, seed, watch)
    walks.walk_often(runs, reporter, tier)
    return Simulation(
        verdicts=walks.verdicts(properties),
        runs=walks.taken,
        steps=walks.steps,
        longest=walks.longest,
        never_fired=tuple(index for index in range(len(system.actions)) if index not in walks.fired),
        seconds=watch.passed(),
        advice=walks.advice,
    )


def _check_numbers(runs: int, depth: int, seed: int) -> None:
    """Raise ModelError for numbers that are not whole, `runs` that are not positive, and a negative `depth`."""
    want_whole(runs, "runs", 1)
    want_whole(depth, "depth")
    want_whole(seed, "seed", None)


def answer(asked: Question) -> Answered:
    """Verdicts on properties one by one, so that each has walks of its own."""

    def search(names: Sequence[str]) -> dict[str, Verdict]:
        depth = DEPTH if asked.limits.depth is None else asked.limits.depth
        return simulate(asked.system, names, depth=depth, limits=asked.limits, reporter=asked.reporter).verdicts

    return one_by_one(asked, lambda name: search([name]), search)


class _Walk(Struct):
    """The states of a walk, packed, and the actions between them."""

    states: list[int]
    actions: list[int]


class _Walks:
    """A series of walks and what they have found so far."""

    def __init__(
        self, system: TransitionSystem, properties: Sequence[Property], depth: int, seed: int, watch: Budget
    ) -> None:
        self.system, self.depth, self.seed, self.watch = system, depth, seed, watch
        self.asked: dict[Property, BoolExpr] = {
            item: condition
            for item in properties
            if isinstance(item, DECIDED) and (condition := sought_in_states(system, item)) is not None
        }
        assertions = [p for p in properties if isinstance(p, Assertion) and without_check(system, p) is None]
        announced = list(dict.fromkeys(self.asked.values()))
        self.loop = Loop(system, [item.name for item in assertions], announced)
        where = dict(zip(announced, self.loop.conditions, strict=True))
        self.conditions: dict[Property, Where] = {item: where[condition] for item, condition in self.asked.items()}
        self.evidence = Evidence(system)
        #: the properties that a walk can still decide
        faults = [item for item in properties if isinstance(item, NoFault)]
        self.wanted: list[Property] = [*self.asked, *assertions, *faults]
        self.found: dict[Property, Run] = {}
        self.taken = self.steps = self.longest = 0
        self.fired = set[int]()
        self.stopped: Stop | None = None
        self.bound = self.advice = ""

    def walk_often(self, runs: int, reporter: Reporter, tier: Tier = Tier.PYTHON) -> None:
        """Take so many walks, as long as there is something to be found, and time."""
        reporter.phase("random walks")
        change, quick = _Change(self, runs, tier, reporter), None
        while self.taken < runs and self.wanted and self.goes_on():
            quick = quick or change.made()
            if quick is None:
                self.walk()
            else:
                quick.walk_some(min(runs - self.taken, PIECE - self.taken % PIECE))
            if self.taken % PIECE == 0:
                reporter.progress(0, self.steps, self.longest, 0)
                change.tell()
        self.advice = change.advice

    def goes_on(self) -> bool:
        """Whether there is time."""
        self.stopped = self.watch.stop()
        return self.stopped is None

    def begin(self, number: int) -> tuple[State, Chance]:
        """Where a walk begins, and what it draws from then on."""
        chance = Chance(beginning(self.seed, number))
        initial = self.system.initial
        return initial[chance.below(initial.number)], chance

    def walk(self) -> None:
        """Take the next walk; one that time does not suffice for was not taken."""
        start, chance = self.begin(self.taken)
        walk = _Walk([self.loop.layout.pack(start)], [])
        self._look(walk, Always, Reachable)
        while len(walk.actions) < self.depth and self._advance(walk, chance):
            self._look(walk, Always, Reachable)
            if not len(walk.actions) % STEPS and not self.goes_on():
                return
        self.taken += 1
        self.steps += len(walk.actions)
        self.longest = max(self.longest, len(walk.actions))

    def _advance(self, walk: _Walk, chance: Chance) -> bool:
        """Take an enabled action at random; False if there is none, or a bound keeps the one drawn from being taken."""
        loop, state = self.loop, walk.states[-1]
        loop.expand((state,))
        moves: list[tuple[int, int | StepNote]] = list(zip(loop.actions, loop.targets, strict=True))
        notes = [loop.notes[number] for number, _ in loop.noted]
        moves += [(note.action.index, note) for note in notes if note.fault is not None]
        if not moves:
            self._look(walk, NoDeadlock)
            return False
        index, after = sorted(moves, key=lambda move: move[0])[chance.below(len(moves))]
        if not isinstance(after, int):
            if after.fault is not None:
                self._meet(walk, after.fault)
            return False
        walk.actions.append(index)
        walk.states.append(after)
        self.fired.add(index)
        self._find_broken(walk, [note.broken for note in notes if note.action.index == index])
        return True

    def wants(self, note: StepNote) -> bool:
        """Whether a walk that comes upon something decides a property that none has decided yet."""
        if note.fault is not None:
            return _demand(note.fault) not in self.found
        return any(isinstance(item, Assertion) and item.name == note.broken for item in self.wanted)

    def _meet(self, walk: _Walk, fault: Fault) -> None:
        """A walk ends with a fault."""
        item = _demand(fault)
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
        if matters(self.system, self.fired):
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
            return Verdict(item.name, Outcome.UNKNOWN, Refused(f"random walks cannot decide {item.written}"))
        nothing = NothingWalkedInto(self.taken, self.depth, self.seed, self.bound, stopped=self.stopped)
        return Verdict(item.name, Outcome.UNKNOWN, nothing)


def _demand(fault: Fault) -> NoFault:
    """What is violated by a fault."""
    return next(item for item in FAULTS.values() if item.kind is fault.kind)


class _Change:
    """Says when machine code goes on with walks, and makes it; once.

    Attributes:
        advice: what would have made the walks faster, "" if nobody knows.
    """

    def __init__(self, walks: _Walks, runs: int, tier: Tier, reporter: Reporter) -> None:
        self._walks, self._runs, self._tier, self._reporter = walks, runs, tier, reporter
        self._is_decided = tier is Tier.PYTHON
        self._is_missed, self._is_told, self._failed = False, False, ""

    def made(self) -> _Quick | None:
        """The walks by machine code, if it is time for them. Raises ModelError where they are demanded and cannot be had."""
        if self._is_decided or not self._is_time():
            return None
        self._is_decided = True
        if self._tier is Tier.BY_SIZE and not is_installed():
            self._is_missed = True
            return None
        try:
            return natively(self._walks.system.name, lambda: _Quick(self._walks))
        except ModelError as error:
            if self._tier is Tier.NATIVE:
                raise
            self._failed = error.message
        return None

    def _is_time(self) -> bool:
        walks = self._walks
        left = (self._runs - walks.taken) * walks.steps // max(1, walks.taken)
        return self._tier is Tier.NATIVE or (walks.steps >= SOME and left >= MANY)

    def tell(self) -> None:
        """Tell the advice as soon as there is one."""
        if not self._is_told and self.advice:
            self._is_told = True
            self._reporter.advice(self.advice)

    @property
    def advice(self) -> str:
        """What would have made the walks faster, "" if nobody knows."""
        if self._is_missed and self._walks.steps >= WAITED:
            return f"Python alone took {counted(self._walks.steps, 'step')}: {MISSING}"
        return self._failed


class _Quick:
    """The walks of a series by machine code; those that come upon something Python takes again."""

    def __init__(self, walks: _Walks) -> None:
        """Raises ModelError for a system that is refused, ImportError without llvmlite."""
        made: type[NativeWalks] = loaded(WALKS)
        announced = list(dict.fromkeys(walks.asked.values()))
        self._walks = walks
        self._native = made(walks.loop, announced, len(walks.system.actions), walks.depth, PIECE)
        self._before = 0

    def walk_some(self, number: int) -> None:
        """Take so many of the next walks, or less if one of them comes upon something."""
        walks, native = self._walks, self._native
        asked = [(isinstance(item, NoDeadlock), walks.asked[item]) for item in walks.wanted if item in walks.asked]
        native.look_for([c for ends, c in asked if not ends], [c for ends, c in asked if ends], walks.wants)
        begun = [walks.begin(walk) for walk in range(walks.taken, walks.taken + number)]
        starts = [walks.loop.layout.pack(start) for start, _ in begun]
        taken, came_upon = native.walk(starts, [chance.state for _, chance in begun], walks.goes_on)
        walks.taken += taken
        walks.steps += native.steps - self._before
        self._before = native.steps
        walks.longest = max(walks.longest, native.longest)
        walks.fired |= native.fired
        if came_upon:
            walks.walk()


def _direct(walk: _Walk, length: int) -> list[int]:
    """The actions of the first `length` steps of a walk, without those that lead from a state back to itself."""
    last = {state: number for number, state in enumerate(walk.states[: length + 1])}
    actions: list[int] = []
    number = last[walk.states[0]]
    while number < length:
        actions.append(walk.actions[number])
        number = last[walk.states[number + 1]]
    return actions

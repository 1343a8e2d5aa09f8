"""Who waits where for what, at the end of a run or all through a loop, and who could help.

For each process: where it stands, whether it moves, and if not, of every way on that it has the conditions that are false, with the values
that make them so. A condition *could be made true* by a step of another process if some run from here on has the step do so while the process
waits: all that can come is searched, and where that is too much it is said. So *nobody can* is certain, and so is *not before*: a step that
never comes, though it would help as things stand, names a process without which it cannot come, whoever else went on.

The wait-for graph leads from each process to those whose steps would free it. A circle in it is told of processes that never move again, and
of such as only go round until one of these moves: so no other way leads out of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from enum import Enum

from msgspec import Struct

from draincheck import op
from draincheck.analysis.dead_end import dead_end
from draincheck.analysis.enabling import demands_of, visible
from draincheck.analysis.future import Future
from draincheck.analysis.helping import Comes, Help, Helpers, is_hopeless, labels
from draincheck.analysis.prospects import Prospects
from draincheck.analysis.standing import ControlMap, Posture, Stand
from draincheck.expr import TRUE, BoolExpr, Expr, Substitution, all_, variables_of
from draincheck.promise import Fairness, Strength
from draincheck.properties import FaultKind, Liveness
from draincheck.run import Run, label_of
from draincheck.semantics.violation import shows
from draincheck.sorts import Value
from draincheck.system import Action, Fault, State, TransitionSystem, Variable

__all__ = ["Comes", "Help", "Moves", "Obstacle", "Situation", "Waiting", "Way", "situation", "situation_in"]


class Moves(Enum):
    """What a process does in the states that are looked at."""

    ENDED = "ended"
    GOES_ON = "goes on"
    COULD = "could go on"
    NOW_AND_THEN = "could go on now and then"
    WAITS = "waits"
    PARKED = "parked"
    HALTED = "stopped with the program"


class Obstacle(Struct, frozen=True):
    """A condition that is false.

    Attributes:
        condition: in the model's own words.
        values: the values that make it so; those that change in a loop are left out.
        whereabouts: by process where it stands, if the condition is about that.
        helpers: whose steps could make it true.
        gone: the processes whose steps could have, had control not passed them for good.
        never: no run makes it true.
    """

    condition: str
    values: Mapping[str, Value]
    whereabouts: Mapping[str, str]
    helpers: tuple[Help, ...]
    gone: tuple[str, ...]
    never: bool = False

    @property
    def is_hopeless(self) -> bool:
        """Nobody can make it true, unless the process that waits for it goes on first."""
        return is_hopeless(self.helpers)


class Way(Struct, frozen=True):
    """A way on.

    Attributes:
        steps: what the next step would be; several are steps with the same obstacles.
        condition: what it demands, in the model's own words.
        obstacles: the demands that are false: in all states of a loop, or, if `alternately`, now these and now those.
    """

    steps: tuple[str, ...]
    condition: str
    obstacles: tuple[Obstacle, ...]
    alternately: bool = False


class Waiting(Struct, frozen=True):
    """A process.

    Attributes:
        stand: where it stands; of one that goes round in a loop, in the last state.
        moves: what it does.
        steps: what it does in the loop, or could do and does not.
        errors: the errors, and bounds, that it runs into if it goes on otherwise.
        ways: its ways on, if it waits.
        entered_by: of a coroutine that is parked: whose steps could enter it.
        promised: how fair runs are to steps that it could take and does not: `weak`, or "" where nobody promises anything.
        may_stop: the model says that it may stop for ever.
        is_lost: it waits, or is parked, and never moves again, whatever happens.
    """

    stand: Stand
    moves: Moves
    steps: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    ways: tuple[Way, ...] = ()
    entered_by: tuple[Help, ...] = ()
    promised: str = ""
    may_stop: bool = False
    is_lost: bool = False

    @property
    def waits_for(self) -> tuple[str, ...]:
        """The processes that could free it, in the order in which they are named."""
        if self.stand.awaits:
            return (self.stand.awaits,)
        return tuple(dict.fromkeys(help.process for help in self.helpers))

    @property
    def helpers(self) -> tuple[Help, ...]:
        """Whose steps could free it, obstacle by obstacle."""
        helpers = (help for way in self.ways for obstacle in way.obstacles for help in obstacle.helpers)
        return (*helpers, *self.entered_by)


class Situation(Struct, frozen=True):
    """All processes, and a circle of some that wait for each other: each for the next, the last for the first; () if there is none.

    Attributes:
        processes: in the model's order.
        circle: a smallest one; one that goes round all the same does not do what the one before waits for.
        path: the steps by which the run's last state comes to this one, as `process: label` (see `draincheck.analysis.dead_end`).
        loop: whether it is about the states of a loop.
        aborted: the step that has aborted the program, as `process: label`; "" if none has.
    """

    processes: tuple[Waiting, ...]
    circle: tuple[str, ...]
    path: tuple[str, ...] = ()
    loop: bool = False
    aborted: str = ""


def situation(run: Run) -> Situation | None:
    """Who waits for what where a run ends that shows a process stuck, a goal out of reach, or a demand on whole runs violated.

    None of other runs, and of a loop in which every process takes part that has not ended. Where a goal is out of reach things may still
    move: it is told where that comes to an end, or what is left going round.
    """
    system, trace = run.system, run.trace
    item = system.property_named(trace.property) if trace.property else None
    if item is None or not item.leaves_waiting or not shows(run, item):
        return None
    if trace.loop is not None:
        found = situation_in(system, run.states[trace.loop :], trace.actions[trace.loop :])
        return None if all(item.moves in (Moves.GOES_ON, Moves.ENDED) for item in found.processes) else found
    end = None if isinstance(item, Liveness) else dead_end(system, run.states[-1])
    steps = [*zip(run.states, trace.actions, strict=False), *(() if end is None else end.path)]
    states, taken = (run.states[-1:], frozenset[int]()) if end is None else (end.states, end.taken)
    path = [_told(system, *step) for step in steps[len(trace.actions) :]]
    if steps and system.holds(system.halted, states[-1]):
        return _aborted(system, steps[-1], path)
    return situation_in(system, states, taken, path)


def _aborted(system: TransitionSystem, last: tuple[State, int], path: Sequence[str]) -> Situation:
    """Where the last step aborts the program: who had ended before, and where the others stood then."""
    stands = ControlMap(system).stands(last[0]).values()
    moves = (Moves.ENDED if stand.posture is Posture.ENDED else Moves.HALTED for stand in stands)
    return Situation(tuple(map(Waiting, stands, moves)), (), tuple(path), aborted=_told(system, *last))


def _met(fault: Fault) -> str:
    """What somebody runs into, in words."""
    what = "a bound of the model" if fault.kind is FaultKind.BOUND else "an error"
    return f"{what}: {fault.message} ({fault.line})"


def _told(system: TransitionSystem, before: State, index: int) -> str:
    """A step in words."""
    action = system.actions[index]
    return f"{action.process}: {label_of(system, action, before)}"


def situation_in(
    system: TransitionSystem, states: Sequence[State], taken: Collection[int] = (), path: Sequence[str] = ()
) -> Situation:
    """Who waits for what.

    Args:
        system: the system.
        states: one state, or all those that a loop passes.
        taken: the indices of the actions that are taken in the loop.
        path: how the run comes to them, which is only passed on.
    """
    seen = _Seen(system, states, taken)
    processes = tuple(map(seen.waiting, seen.map.processes))
    return Situation(processes, _circle(processes), tuple(path), bool(taken))


class _Seen:
    """The states that are looked at."""

    def __init__(self, system: TransitionSystem, states: Sequence[State], taken: Collection[int]) -> None:
        self.system, self.states, self.taken = system, states, frozenset(taken)
        self.map = ControlMap(system)
        self.last = states[-1]
        self.stands = self.map.stands(self.last)
        self._meaning = Substitution(dict(system.places))
        self.prospects = Prospects(self.map, states, self._meaning)
        self._values_in = {state: system.values(state) for state in states}
        self._helpers = Helpers(self.prospects, Future(system, self.last))

    def meaning(self, term: BoolExpr) -> BoolExpr:
        """A condition in the model's own words, over variables alone."""
        return self._meaning(term)

    def waiting(self, process: str) -> Waiting:
        """What a process does."""
        stand = self.stands[process]
        done = [action for action in self.system.actions if action.index in self.taken and action.process == process]
        if done:
            return Waiting(stand, Moves.GOES_ON, labels(done))
        if stand.posture is Posture.ENDED:
            return Waiting(stand, Moves.ENDED)
        if stand.posture is Posture.PARKED:
            enterers = tuple(self._helpers.enterers(process))
            lost = self._helpers.is_lost(process, is_hopeless(enterers))
            return Waiting(stand, Moves.PARKED, entered_by=enterers, is_lost=lost)
        return self._standing_still(stand)

    def _standing_still(self, stand: Stand) -> Waiting:
        leaving = self.prospects.leaving(stand.process)
        able = [[a for a in leaving if self.system.holds(a.guard, state)] for state in self.states]
        if not any(able):
            inside = stand.posture is Posture.INSIDE
            ways = () if inside else tuple(self._ways(stand.process, leaving))
            if not inside and not ways:
                return Waiting(stand, Moves.ENDED)
            hopeless = not inside and all(any(obstacle.is_hopeless for obstacle in way.obstacles) for way in ways)
            return Waiting(stand, Moves.WAITS, ways=ways, is_lost=self._helpers.is_lost(stand.process, hopeless))
        moves = Moves.COULD if all(able) else Moves.NOW_AND_THEN
        met = [(a, self.system.fault(state, a)) for state, found in zip(self.states, able, strict=True) for a in found]
        promised = _promise(self.system.fairness, (action for action, _ in met))
        errors = dict.fromkeys(_met(fault) for _, fault in met if fault is not None)
        steps = labels(action for action, fault in met if fault is None)
        may_stop = self.map.may_stop(stand.process)
        return Waiting(stand, moves, steps, tuple(errors), promised=promised, may_stop=may_stop)

    # -- ways on --------------------------------------------------------------------------------------------------------------

    def _ways(self, process: str, actions: Iterable[Action]) -> Iterator[Way]:
        """One for each set of obstacles. Of a system made by hand an action without any begins elsewhere."""
        alike: dict[tuple[str, ...], list[Action]] = {}
        for action in actions:
            alike.setdefault(tuple(self._false(action)[0]), []).append(action)
        alike.pop((), None)
        for group in alike.values():
            false, alternately = self._false(group[0])
            obstacles = tuple(self._obstacle(process, term) for term in false.values())
            yield Way(labels(group), _condition(group[0]), obstacles, alternately)

    def _false(self, action: Action) -> tuple[dict[str, BoolExpr], bool]:
        """By their texts the demands that are false all along; if none is, those that are false now and then, and True."""
        found = [self._false_in(action, state) for state in self.states]
        all_along = {text: term for text, term in found[0].items() if all(text in each for each in found)}
        return (all_along, False) if all_along else ({text: t for each in found for text, t in each.items()}, True)

    def _false_in(self, action: Action, state: State) -> dict[str, BoolExpr]:
        """What keeps an action from being taken where its process stands: a demand, or that the program was aborted."""
        for terms in (demands_of(action), visible([action.guard])):
            if false := [term for term in terms if not self.system.holds(self.meaning(term), state)]:
                return {str(term): term for term in false}
        return {}

    def _obstacle(self, process: str, term: BoolExpr) -> Obstacle:
        leaves = list(dict.fromkeys(self._decisive(term)))
        helped = self._helpers.of_condition(process, self.meaning(term))
        return Obstacle(str(term), dict(self._values(leaves)), dict(self._whereabouts(leaves)), *helped)

    # -- why it is false ------------------------------------------------------------------------------------------------------

    def _decisive(self, term: Expr) -> Iterator[Expr]:
        """The variables and places that decide a condition: of a conjunction that is false those of its false parts, and so on."""
        seen, todo = set[Expr](), [term]
        while todo:
            part = todo.pop()
            if part in seen:
                continue
            seen.add(part)
            if part.op in (op.VAR, op.AT):
                yield part
            todo += self._deciding_parts(part)[::-1]

    def _deciding_parts(self, term: Expr) -> Sequence[Expr]:
        if term.op in (op.AND, op.OR):
            return [part for part in term.args if self._value(part) == self._value(term)]
        if term.op is op.ITE:
            return term.args[0], term.args[1 if self._value(term.args[0]) else 2]
        return term.args

    def _value(self, term: Expr, state: State | None = None) -> int:
        return self._values_in[self.last if state is None else state][self._meaning(term)]

    def _values(self, leaves: Iterable[Expr]) -> Iterator[tuple[str, Value]]:
        """Of the variables, the values that stay what they are."""
        for leaf in leaves:
            if isinstance(leaf, Variable) and len({self._value(leaf, state) for state in self.states}) == 1:
                yield leaf.name, leaf.sort.decode(self._value(leaf))

    def _whereabouts(self, leaves: Iterable[Expr]) -> Iterator[tuple[str, str]]:
        """Of the named places, where their processes stand instead."""
        places = (self._meaning(leaf) for leaf in leaves if leaf.op is op.AT)
        counters = {leaf.counts for place in places for leaf in variables_of(place) if isinstance(leaf, Variable)}
        for process in sorted(counters - {""}):
            stand = self.stands[process]
            ended = stand.posture is Posture.ENDED
            yield process, "(ended)" if ended else ", ".join(stand.places) or str(stand.line or "another place")


def _condition(action: Action) -> str:
    """What an action demands, in the model's own words; "" for nothing."""
    asked = all_(*(term for term in demands_of(action) if not _is_about_control(term)))
    return "" if asked is TRUE else str(asked)


def _is_about_control(term: BoolExpr) -> bool:
    """Whether it only says that a coroutine runs or does not: `co.at(...)` says so beside the place."""
    leaves = variables_of(term)
    return bool(leaves) and all(isinstance(leaf, Variable) and leaf.internal for leaf in leaves)


def _promise(fairness: Iterable[Fairness], steps: Iterable[Action]) -> str:
    """The greatest fairness to any of these steps, "" for none."""
    indices = {action.index for action in steps}
    found = {item.strength for item in fairness if indices & set(item.actions)}
    return next((strength.value for strength in reversed(Strength) if strength in found), "")


def _circle(processes: Sequence[Waiting]) -> tuple[str, ...]:
    """A smallest circle of the wait-for graph, of processes that never move again, and of those that go round until one of them does."""
    lost = {item.stand.process: item for item in processes if item.is_lost}
    held = [help for item in lost.values() for help in item.helpers if help.after in lost]
    edges = {
        item.stand.process: item.waits_for
        if item.is_lost
        else tuple(help.after for help in held if help.process == item.stand.process)
        for item in processes
        if item.is_lost or item.moves is Moves.GOES_ON
    }
    found = (way for process in edges if (way := _way_back(edges, process)))
    return min(found, key=len, default=())


def _way_back(edges: Mapping[str, Sequence[str]], start: str) -> tuple[str, ...]:
    """A shortest way from a process back to itself."""
    ways: list[tuple[str, ...]] = [(start,)]
    seen = {start}
    for way in ways:
        for process in edges.get(way[-1], ()):
            if process == start:
                return way
            if process not in seen:
                seen.add(process)
                ways.append((*way, process))
    return ()

"""The postures of a system: in which calls its threads stand, and whether they can go on, over all reachable states."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from draincheck.analysis.standing import ControlMap, Posture, Stand
from draincheck.backtrace.fitting import plain
from draincheck.exploration.backward import distances, predecessors
from draincheck.exploration.graph import StateGraph
from draincheck.expr import TRUE, BoolExpr, Expr, variables_of
from draincheck.properties import CanAlwaysFinish, Eventually, LeadsTo, NoDeadlock
from draincheck.semantics.stuck import going_on
from draincheck.system import Action, State, TransitionSystem
from draincheck.verdict import Limits

__all__ = ["Calls", "Postures", "Sight", "postures"]

#: a place that is called as a function is: what a thread waits in
_FUNCTION = re.compile(r"[A-Za-z]\w*_\w+")


class Calls(Struct, frozen=True):
    """A process and the calls that it stands in, outermost first.

    Attributes:
        process: the thread, or the coroutine that does not run.
        calls: functions, with those of the coroutine that runs on the thread.
        waits: it can do nothing in this state.
    """

    process: str
    calls: tuple[str, ...]
    waits: bool


class Sight(Struct, frozen=True):
    """States that look the same to a debugger, and of which the same can be said.

    Attributes:
        threads: those that stand in calls.
        coroutines: those that have given control up.
        hopeless: the properties that such a state violates by what can no more come from it (a goal out of reach, a deadlock), or by what a
            fair run can wait for there for ever.
        breaks: the properties that the step violates in which the first thread stands.
        state: the first of the states, by its number in the graph.
        depth: how many steps it takes to get there.
        states: how many there are.
    """

    threads: tuple[Calls, ...]
    coroutines: tuple[Calls, ...]
    hopeless: tuple[str, ...]
    breaks: tuple[str, ...]
    state: int
    depth: int
    states: int


class Postures(Struct, frozen=True):
    """All that a debugger could see of a system.

    Attributes:
        graph: its states.
        moments: in the order of depth.
        vocabulary: the functions of all its calls.
    """

    graph: StateGraph
    moments: tuple[Sight, ...]
    vocabulary: frozenset[str]


def postures(system: TransitionSystem, limits: Limits) -> Postures:
    """Explore a system and collect them. Of a system that is too large for the limits it is what was reached."""
    goals = _goals(system)
    demands = [item for item in system.properties if isinstance(item, Eventually | LeadsTo)]
    asked = [term for each in goals.values() for term in each]
    graph = StateGraph(system, [*asked, *(term for item in demands for term in _terms(item))], limits)
    view, hopeless = _View(system), _hopeless(graph, goals) | _endless(graph, demands)
    seen: dict[_Key, tuple[int, int]] = {}
    for number in range(graph.expanded):
        for key in view.keys(graph, number, tuple(name for name, states in hopeless.items() if number in states)):
            first, count = seen.get(key, (number, 0))
            seen[key] = first, count + 1
    moments = (Sight(*key, first, graph.depth[first], count) for key, (first, count) in seen.items())
    return Postures(graph, tuple(sorted(moments, key=lambda moment: moment.state)), vocabulary_of(system))


def vocabulary_of(system: TransitionSystem) -> frozenset[str]:
    """The functions of all calls of a system."""
    frames = {plain(frame.function) for action in system.actions for part in action.parts for frame in part.frames}
    names = {name for control in system.controls for place in control.places for name in place.names}
    return frozenset(frames | {name for name in names if _FUNCTION.fullmatch(name)})


def _goals(system: TransitionSystem) -> dict[str, list[BoolExpr]]:
    """For each demand that something stays in reach what that is: all of it."""
    going = list(going_on(system).values()) if any(isinstance(item, NoDeadlock) for item in system.properties) else []
    goals = {item.name: [item.goal] for item in system.properties if isinstance(item, CanAlwaysFinish)}
    return goals | {item.name: going for item in system.properties if isinstance(item, NoDeadlock) and going}


def _hopeless(graph: StateGraph, goals: Mapping[str, Sequence[BoolExpr]]) -> dict[str, frozenset[int]]:
    """The states from which some of it is out of reach; nothing is said of a graph that is not whole."""
    if graph.incomplete:
        return {}
    before, everything = predecessors(graph.edges), frozenset(range(len(graph)))

    def lost(goal: BoolExpr) -> frozenset[int]:
        return everything - distances(before, (n for n, met in enumerate(graph.where(goal)) if met)).keys()

    return {name: frozenset[int]().union(*map(lost, each)) for name, each in goals.items()}


def _terms(item: Eventually | LeadsTo) -> tuple[BoolExpr, BoolExpr]:
    """From where it is asked, and what has to come."""
    return (TRUE if isinstance(item, Eventually) else item.trigger), item.goal


def _endless(graph: StateGraph, demands: Sequence[Eventually | LeadsTo]) -> dict[str, frozenset[int]]:
    """For each demand on whole runs the states in which a fair run can wait for its goal for ever."""
    if graph.incomplete:
        return {}
    found: dict[str, frozenset[int]] = {}
    for item in demands:
        trigger, goal = map(graph.where, _terms(item))
        starts = graph.roots if isinstance(item, Eventually) else (n for n, asked in enumerate(trigger) if asked)
        waiting = list(graph.waiting((n for n in starts if not goal[n]), goal).numbers)
        homes = graph.fair_homes(waiting)
        found[item.name] = frozenset(n for n in waiting if n in homes or graph.may_stop(n))
    return found


_Key = tuple[tuple[Calls, ...], tuple[Calls, ...], tuple[str, ...], tuple[str, ...]]


class _View:
    """What a debugger sees of a state; states whose control stands alike are looked at once."""

    def __init__(self, system: TransitionSystem) -> None:
        self._system, self._map = system, ControlMap(system)
        self._checking = [action for action in system.actions if action.checks]
        self._positions = _deciding(system)
        self._known: dict[tuple[int, ...], Mapping[str, Stand]] = {}
        self._keys: dict[tuple[tuple[int, ...], frozenset[str]], tuple[tuple[Calls, ...], tuple[Calls, ...]]] = {}

    def keys(self, graph: StateGraph, number: int, hopeless: tuple[str, ...]) -> Iterator[_Key]:
        """What a state looks like, and where a step from it violates a property."""
        state, edges = graph.state(number), graph.edges[number]
        moving = frozenset(self._system.actions[action].process for action, _ in edges)
        threads, coroutines = self._look(state, moving)
        yield threads, coroutines, hopeless, ()
        for action in self._checking:
            if any(taken == action.index for taken, _ in edges) and (
                broken := self._system.broken_checks(state, action)
            ):
                yield tuple(self._failing(state, action, threads)), coroutines, (), broken

    def _look(self, state: State, moving: frozenset[str]) -> tuple[tuple[Calls, ...], tuple[Calls, ...]]:
        place = tuple(state[position] for position in self._positions)
        if (place, moving) not in self._keys:
            stands = self._stands(state)
            self._keys[place, moving] = tuple(_threads(stands, moving)), tuple(_coroutines(stands))
        return self._keys[place, moving]

    def _stands(self, state: State) -> Mapping[str, Stand]:
        place = tuple(state[position] for position in self._positions)
        if place not in self._known:
            self._known[place] = self._map.stands(state)
        return self._known[place]

    def _failing(self, state: State, action: Action, threads: Sequence[Calls]) -> Iterator[Calls]:
        """The threads, the one first that takes the step, in the calls of that."""
        stands = self._stands(state)
        thread = stands[action.process].thread
        below = stands[thread].stack if thread != action.process else ()
        frames = tuple(plain(frame.function) for frame in action.parts[-1].frames) if action.parts else ()
        yield Calls(thread, tuple(map(plain, below)) + frames, waits=False)
        yield from (each for each in threads if each.process != thread)


def _deciding(system: TransitionSystem) -> list[int]:
    """The positions of the variables that say where control stands."""
    terms: list[Expr] = [place.back for control in system.controls for place in control.places]
    terms += [control.token for control in system.controls if control.token is not None]
    variables = {variable for term in terms for variable in variables_of(term)}
    variables |= {control.counter for control in system.controls if control.counter is not None}
    return sorted(system.position[variable] for variable in variables)


def _threads(stands: Mapping[str, Stand], moving: frozenset[str]) -> Iterator[Calls]:
    """Each thread with all the calls on its stack."""
    for process, stand in stands.items():
        if stand.thread != process or stand.posture in (Posture.PARKED, Posture.ENDED):
            continue
        on_it = [other for other in stands.values() if other.thread == process and other.posture is not Posture.PARKED]
        deepest = max(on_it, key=lambda other: len(other.stack))
        calls = tuple(map(plain, deepest.stack)) + tuple(name for name in deepest.places if _FUNCTION.fullmatch(name))
        if calls:
            yield Calls(process, calls, not any(other.process in moving for other in on_it))


def _coroutines(stands: Mapping[str, Stand]) -> Iterator[Calls]:
    """Each coroutine that does not run and has begun."""
    for process, stand in stands.items():
        if stand.posture is Posture.PARKED and stand.stack:
            yield Calls(process, tuple(map(plain, stand.stack)), True)

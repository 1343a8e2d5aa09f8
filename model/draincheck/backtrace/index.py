"""The postures of a system: in which calls its threads stand, and whether they can go on, over all reachable states."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter

from msgspec import Struct

from draincheck.analysis.standing import ControlMap, Posture, Stand
from draincheck.backtrace.fitting import plain
from draincheck.exploration.backward import distances, predecessors
from draincheck.exploration.graph import StateGraph
from draincheck.expr import TRUE, BoolExpr
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
    view, lost = _View(system), _by_state(_hopeless(graph, goals) | _endless(graph, demands))
    seen: dict[_Key, list[int]] = {}
    for number in range(graph.expanded):
        for key in view.keys(graph, number, lost.get(number, ())):
            if (found := seen.get(key)) is None:
                seen[key] = [number, 1]
            else:
                found[1] += 1
    moments = (Sight(*key, first, graph.depth[first], count) for key, (first, count) in seen.items())
    return Postures(graph, tuple(sorted(moments, key=lambda moment: moment.state)), vocabulary_of(system))


def _by_state(hopeless: Mapping[str, frozenset[int]]) -> dict[int, tuple[str, ...]]:
    """For each state in which something is hopeless what that is."""
    found: dict[int, tuple[str, ...]] = {}
    for name, states in hopeless.items():
        for number in states:
            found[number] = (*found.get(number, ()), name)
    return found


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
    """What a debugger sees of a state; states whose control stands alike are looked at once.

    Processes that never stand in a call, as the guest and the storage of QEMU's models, are left out: they would only keep states apart.
    """

    def __init__(self, system: TransitionSystem) -> None:
        self._system, self._map = system, ControlMap(system)
        self._processes = _speaking(system, self._map.processes)
        self._checking = {action.index: action for action in system.actions if action.checks}
        bits = {process: 1 << number for number, process in enumerate(self._processes)}
        self._bits = [bits.get(action.process, 0) for action in system.actions]
        self._deciding = _values(sorted(system.position[each] for each in self._map.read_of(self._processes)))
        self._known: dict[tuple[int, ...], Mapping[str, Stand]] = {}
        self._looks: dict[tuple[tuple[int, ...], int], tuple[tuple[Calls, ...], tuple[Calls, ...]]] = {}

    def keys(self, graph: StateGraph, number: int, hopeless: tuple[str, ...]) -> Iterator[_Key]:
        """What a state looks like, and where a step from it violates a property."""
        state, moving, checks = graph.state(number), 0, list[Action]()
        for taken, _ in graph.edges[number]:
            moving |= self._bits[taken]
            if taken in self._checking:
                checks.append(self._checking[taken])
        threads, coroutines = self._look(state, moving)
        yield threads, coroutines, hopeless, ()
        for action in dict.fromkeys(checks):
            if broken := self._system.broken_checks(state, action):
                yield tuple(self._failing(state, action, threads)), coroutines, (), broken

    def _look(self, state: State, moving: int) -> tuple[tuple[Calls, ...], tuple[Calls, ...]]:
        key = self._deciding(state), moving
        if key not in self._looks:
            stands = self._stands(state)
            able = frozenset(process for number, process in enumerate(self._processes) if moving >> number & 1)
            self._looks[key] = tuple(_threads(stands, able)), tuple(_coroutines(stands))
        return self._looks[key]

    def _stands(self, state: State) -> Mapping[str, Stand]:
        place = self._deciding(state)
        if place not in self._known:
            self._known[place] = self._map.stands(state, self._processes)
        return self._known[place]

    def _failing(self, state: State, action: Action, threads: Sequence[Calls]) -> Iterator[Calls]:
        """The threads, the one first that takes the step, in the calls of that."""
        stands = self._stands(state)
        thread = stands[action.process].thread if action.process in stands else action.process
        below = stands[thread].stack if thread != action.process else ()
        frames = tuple(plain(frame.function) for frame in action.parts[-1].frames) if action.parts else ()
        yield Calls(thread, tuple(map(plain, below)) + frames, waits=False)
        yield from (each for each in threads if each.process != thread)


def _speaking(system: TransitionSystem, processes: Iterable[str]) -> tuple[str, ...]:
    """The processes that may stand in calls, or in another's on whose behalf they wait."""
    calling = {action.process for action in system.actions if any(part.frames for part in action.parts)}
    for control in system.controls:
        if any(place.awaits or any(map(_FUNCTION.fullmatch, place.names)) for place in control.places):
            calling.add(control.process)
    return tuple(process for process in processes if process in calling)


def _values(positions: Sequence[int]) -> Callable[[State], tuple[int, ...]]:
    """What takes the values at some positions out of a state."""
    if len(positions) > 1:
        return itemgetter(*positions)
    return lambda state: tuple(state[position] for position in positions)


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

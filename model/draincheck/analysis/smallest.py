"""The run with the fewest context switches, and of these the fewest steps, among all that show a property: searched in the whole graph.

Dijkstra's search over states, each with the thread that took the last step: a step costs one step, and a switch if it is another thread's.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from heapq import heappop, heappush
from typing import Final, TypeAlias

from msgspec.structs import replace

from draincheck.analysis.manner import Manner, same_fault
from draincheck.analysis.switches import NOBODY, Stacks, Threads
from draincheck.budget import look
from draincheck.exploration.backward import distances, predecessors
from draincheck.exploration.graph import StateGraph
from draincheck.expr import BoolExpr
from draincheck.properties import Assertion, CanAlwaysFinish, Liveness, NoDeadlock, NoFault, Property
from draincheck.run import Run
from draincheck.semantics.stuck import going_on, not_at_rest
from draincheck.semantics.violation import sought_in_states
from draincheck.system import State, TransitionSystem
from draincheck.verdict import Limits, Reporter

__all__ = ["is_searched", "smallest"]

#: places of a search between two looks at the budget, and bytes that each takes
PIECE: Final = 4096
PLACE: Final = 500

#: the number of no state: where the step that breaks an assertion has been taken
END: Final = -1

#: a state's number, the thread that took the last step (before the first: nobody asks), and who runs on whose stack
_Place: TypeAlias = tuple[int, str, Stacks]

#: switches and steps so far, where that has led, the place before and the action taken there
_Way: TypeAlias = tuple[int, int, _Place, _Place | tuple[()], int]


def is_searched(item: Property) -> bool:
    """Whether the smallest run can be searched for: not for demands on whole runs, which no last step or state shows."""
    return not isinstance(item, Liveness)


def smallest(run: Run, manner: Manner, limits: Limits, reporter: Reporter) -> tuple[Run | None, bool]:
    """The smallest run that shows a property in the same manner as this one, which does; and whether that is certain.

    Where limits keep states from being seen it is the smallest among those that were: nothing is certain then, and None is found if these do
    not say what shows the property. Raises OutOfBudget.
    """
    graph = StateGraph(run.system, _conditions(run.system, manner.item), limits, reporter)
    whole = graph.stopped is None
    if not whole and isinstance(manner.item, NoDeadlock | CanAlwaysFinish):
        return None, False
    reporter.phase("the smallest trace")
    found = _Search(graph, _Aims(graph, run, manner)).path()
    if found is None:
        return None, False
    trace = replace(run.trace, initial=found[0], actions=tuple(found[1]), loop=None)
    return Run.of(run.system, trace), whole


def _conditions(system: TransitionSystem, item: Property) -> list[BoolExpr]:
    """What the graph is asked about."""
    if isinstance(item, NoDeadlock):
        return [not_at_rest(system), *going_on(system).values()]
    found = sought_in_states(system, item)
    return [] if found is None else [found]


class _Aims:
    """Where a run has shown the property: in some states, or by a step."""

    def __init__(self, graph: StateGraph, run: Run, manner: Manner) -> None:
        self._graph, self._manner = graph, manner
        self.states: Container[int] = self._states(run)
        self._checks: Mapping[int, list[BoolExpr]] = {
            action.index: [check.holds for check in action.checks if manner.breaks(check)]
            for action in graph.system.actions
        }

    def broken_by(self, number: int, action: int) -> bool:
        """Whether taking an action in a state breaks a check that is looked for."""
        holds, state = self._graph.system.holds, self._graph.state
        return any(not holds(condition, state(number)) for condition in self._checks[action])

    def _states(self, run: Run) -> Container[int]:
        graph, item = self._graph, self._manner.item
        match item:
            case Assertion():
                return ()
            case NoFault(kind=kind):
                return {number for number in graph.meeting(kind) if self._meets(number, item)}
            case NoDeadlock():
                return self._as_stuck_as(run)
            case CanAlwaysFinish(goal=goal):
                return _Unable(graph, goal).states
            case _:
                condition = sought_in_states(graph.system, item)
                assert condition is not None
                return {number for number, met in enumerate(graph.where(condition)) if met}

    def _meets(self, number: int, item: NoFault) -> bool:
        found = self._graph.system.faulty(self._graph.state(number), item.kind)
        return found is not None and same_fault(self._manner, found[1])

    def _as_stuck_as(self, run: Run) -> set[int]:
        """The states in which the same processes are stuck as at the end of a run; without processes, where nothing moves."""
        graph, last = self._graph, self._graph.number(run.states[-1])
        unable = [_Unable(graph, goal).states for goal in going_on(graph.system).values()]
        mine = [last in states for states in unable]
        if not any(mine):
            awake = graph.where(not_at_rest(graph.system))
            return {number for number in graph.stuck if awake[number]}
        return {number for number in range(len(graph)) if [number in states for states in unable] == mine}


class _Unable:
    """The states from which no state with a goal can be reached."""

    def __init__(self, graph: StateGraph, goal: BoolExpr) -> None:
        goals = (number for number, met in enumerate(graph.where(goal)) if met)
        able = distances(predecessors(graph.edges), goals)
        self.states = {number for number in range(len(graph)) if number not in able}


class _Search:
    """The search; what it finds does not depend on the order in which it looks."""

    def __init__(self, graph: StateGraph, aims: _Aims) -> None:
        self._graph, self._aims, self._threads = graph, aims, Threads(graph.system)
        self._from: dict[_Place, tuple[_Place | tuple[()], int]] = {}

    def path(self) -> tuple[State, list[int]] | None:
        """The first state, and the actions from there; None if there is no such path."""
        heap: list[_Way] = [(0, 0, (number, "", NOBODY), (), 0) for number in self._graph.roots]
        while heap:
            switches, steps, place, before, action = heappop(heap)
            if place in self._from:
                continue
            self._from[place] = before, action
            if place[0] == END or place[0] in self._aims.states:
                return self._traced(place)
            for way in self._onward(switches, steps + 1, place):
                if way[2] not in self._from:
                    heappush(heap, way)
            if len(self._from) % PIECE == 0:
                look(PLACE * PIECE)
        return None

    def _onward(self, switches: int, steps: int, place: _Place) -> Iterator[_Way]:
        """What one more step leads to."""
        number, last, stacks = place
        for index, target in self._graph.edges[number]:
            action = self._graph.system.actions[index]
            thread = self._threads.of(action, stacks)
            cost = switches + (steps > 1 and last != thread)
            if self._aims.broken_by(number, index):
                yield cost, steps, (END, thread, NOBODY), place, index
            yield cost, steps, (target, thread, self._after(index, stacks, number, target)), place, index

    def _after(self, index: int, stacks: Stacks, number: int, target: int) -> Stacks:
        action, state = self._graph.system.actions[index], self._graph.state
        if not stacks and not self._threads.enters(action):
            return NOBODY
        return self._threads.after(action, stacks, state(number), state(target))

    def _traced(self, place: _Place) -> tuple[State, list[int]]:
        actions: list[int] = []
        while self._from[place][0]:
            before, action = self._from[place]
            actions.insert(0, action)
            assert before
            place = before
        return self._graph.state(place[0]), actions

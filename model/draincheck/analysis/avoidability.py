"""What is still possible from each state of a system, as far as one property is concerned: can it be violated, can that be avoided?

Three answers, decided on the whole graph:

* *safe*: no path from here violates the property;
* *avoidable*: some path does, and some path comes to a safe state without violating it on the way;
* *doomed*: no path comes to a safe state any more without violating it on the way.

A run from a doomed state need not violate the property: it may stop, go in circles or end with an error on the way (see `Evasion`). One
that neglects no step for ever does so sooner or later, if it meets no error. Where nothing is safe because the property stays at risk for
ever, nothing is avoidable either.

An error of the run is a step, though none that is taken: a run violates that there is none by running into it. Where it could, but does
something else, all may still be well.

A demand on whole runs (*eventually*, *leads to*) is violated by no single state. For one of these a violation is avoidable if the goal can be
reached from there, and the state is doomed if not; none is called safe, for what a run makes of its chances is a matter of fairness.

Behind a bound of the model nothing is known: where a run can pass one, nothing of all this is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Final

from msgspec import Struct

from draincheck.errors import ModelError
from draincheck.exploration.backward import distances, predecessors
from draincheck.exploration.components import components
from draincheck.exploration.graph import Edge, StateGraph
from draincheck.expr import BoolExpr
from draincheck.properties import CanAlwaysFinish, Eventually, LeadsTo, NoDeadlock, NoFault, Property, Reachable
from draincheck.run import Trace, label_of
from draincheck.semantics.stuck import going_on
from draincheck.system import TransitionSystem
from draincheck.verdict import Limits

__all__ = ["AVOIDABILITY_LIMITS", "Alternative", "Avoidabilities", "Avoidability", "Evasion"]

#: the largest graph that is looked at: some seconds' worth
AVOIDABILITY_LIMITS = Limits(states=200_000)


class Avoidability(Enum):
    """What is still possible; see the module text. The best one comes first."""

    SAFE = "safe"
    AVOIDABLE = "avoidable"
    DOOMED = "doomed"


class Evasion(Enum):
    """What a run may do that never violates a property which nothing makes safe."""

    STOPS = "stops on the way"
    CIRCLES = "goes round for ever"
    ERRS = "ends with an error"


#: what is possible after another way, the best first; None: it violates the property itself
_ORDER: Final = (*Avoidability, None)


class Alternative(Struct, frozen=True):
    """Another action that was enabled.

    Attributes:
        action: its index.
        process: who would have taken it.
        label: what would have taken place.
        avoidability: what would have been possible after it; None if it violates the property itself.
        rest: after an action after which a violation is *avoidable*, the rest of a shortest way to where the property is safe (or the goal of a demand
            on whole runs is met): `process: label` of each step.
    """

    action: int
    process: str
    label: str
    avoidability: Avoidability | None
    rest: tuple[str, ...] = ()


class Avoidabilities:
    """What is still possible in every reachable state of a system, as far as one property is concerned. States go by their numbers in the `graph`.

    Raises ModelError if that cannot be said: the property demands that something can be reached, the graph is too large, or a bound of the
    model can be passed.
    """

    def __init__(
        self,
        system: TransitionSystem,
        item: Property,
        limits: Limits = AVOIDABILITY_LIMITS,
        graph: StateGraph | None = None,
    ) -> None:
        """Look at the graph of the system, which is explored as far as limits let it be unless that has been done."""
        condition = _condition(system, item)
        self._goals = going_on(system).values() if isinstance(item, NoDeadlock) else ()
        conditions = [*self._goals, *(() if condition is None else (condition,))]
        self.graph = StateGraph(system, conditions, limits) if graph is None else graph
        if self.graph.incomplete:
            raise ModelError(_unseen(self.graph))
        self.system, self.item = system, item
        self._before = predecessors(self.graph.edges)
        self._breaking = frozenset(self._breaking_steps())
        self._errors = frozenset(self._own_errors())
        self._erring = frozenset(here for here, _ in self._errors)
        self._bad = self._bad_states(condition)
        self._safe, self._distance = self._divided(condition)

    @property
    def is_about_runs(self) -> bool:
        """Whether the property is a demand on whole runs."""
        return isinstance(self.item, Eventually | LeadsTo)

    def of(self, state: int) -> Avoidability:
        """What is still possible from a state."""
        return (
            Avoidability.SAFE
            if state in self._safe
            else Avoidability.AVOIDABLE
            if state in self._distance
            else Avoidability.DOOMED
        )

    def is_bad(self, state: int) -> bool:
        """Whether the property is violated in this very state."""
        return state in self._bad

    def errs(self, state: int) -> bool:
        """Whether a run may end in this state with the error that the property is about."""
        return state in self._erring

    def breaks(self, state: int, action: int) -> bool:
        """Whether taking an action in this state breaks a check of the property."""
        return (state, action) in self._breaking

    def along(self, trace: Trace) -> list[int]:
        """The numbers of the states that a trace of this system passes."""
        here = next(number for number in self.graph.roots if self.graph.state(number) == trace.initial)
        numbers = [here]
        for taken in trace.actions:
            here = next(target for action, target in self.graph.edges[here] if action == taken)
            numbers.append(here)
        return numbers

    def other_ways(self, state: int, taken: int) -> list[Alternative]:
        """What else could be done in a state; the best first: what makes safe, then what takes fewest steps to come to a safe state."""
        ways = [self._way(state, action, target) for action, target in self.graph.edges[state] if action != taken]
        return sorted(ways, key=lambda way: (_ORDER.index(way.avoidability), len(way.rest)))

    def evasions(self, state: int) -> tuple[Evasion, ...]:
        """What a run from a doomed state may do that never violates the property; if nothing, every fair run does."""
        edges = {
            here: [edge for edge in self.graph.edges[here] if self._keeps(here, edge)] for here in self._open(state)
        }
        found = {
            Evasion.STOPS: any(map(self.graph.may_stop, edges)),
            Evasion.CIRCLES: any(components([edges.get(n, []) for n in range(len(self.graph))], edges)),
            Evasion.ERRS: any(here in edges for here, _ in self.graph.cut - self._errors),
        }
        return tuple(evasion for evasion, possible in found.items() if possible)

    def _open(self, start: int) -> list[int]:
        """The states to which a way leads from this one that does not violate the property."""
        found = {} if start in self._bad else {start: None}
        queue = list(found)
        for here in queue:
            after = [edge[1] for edge in self.graph.edges[here] if self._keeps(here, edge) and edge[1] not in found]
            found |= dict.fromkeys(after)
            queue += dict.fromkeys(after)
        return queue

    def _keeps(self, state: int, edge: Edge) -> bool:
        """Neither taking an edge nor where it leads violates the property."""
        return self._is_allowed(state, edge[0]) and edge[1] not in self._bad

    def _way(self, state: int, action: int, target: int) -> Alternative:
        process, label = self.system.actions[action].process, self._label(state, action)
        if not self._keeps(state, (action, target)):
            return Alternative(action, process, label, None)
        return Alternative(action, process, label, self.of(target), tuple(self._rest(target)))

    def _label(self, state: int, action: int) -> str:
        return label_of(self.system, self.system.actions[action], self.graph.state(state))

    def _rest(self, state: int) -> Iterator[str]:
        """A shortest way to where all is well, in words; nothing from a state from which there is none."""
        while left := self._distance.get(state):
            action, target = next(
                (action, target)
                for action, target in self.graph.edges[state]
                if self._distance.get(target) == left - 1 and self._is_allowed(state, action)
            )
            yield f"{self.system.actions[action].process}: {self._label(state, action)}"
            state = target

    def _is_allowed(self, state: int, action: int) -> bool:
        """An action does not violate the property where it is taken."""
        return state not in self._bad and not self.breaks(state, action)

    def _divided(self, condition: BoolExpr | None) -> tuple[frozenset[int], dict[int, int]]:
        """The safe states; and for each state from which all can be well, how many steps it takes to come to where it is."""
        if self.is_about_runs:
            assert condition is not None
            return frozenset(), distances(self._before, self._where(condition))
        doing_wrong = {state for state, _ in self._breaking | self._errors}
        at_risk = distances(self._before, self._bad | doing_wrong)
        safe = frozenset(range(len(self.graph))) - at_risk.keys()
        return safe, distances(self._before, safe, self._is_allowed)

    def _where(self, condition: BoolExpr) -> frozenset[int]:
        return frozenset(number for number, holds in enumerate(self.graph.where(condition)) if holds)

    def _breaking_steps(self) -> Iterator[tuple[int, int]]:
        """The states and actions where a check of the property fails."""
        actions, name = self.system.actions, self.item.name
        watched = {action.index for action in actions if any(check.property == name for check in action.checks)}
        for here, edges in enumerate(self.graph.edges):
            for action, _ in edges:
                if action in watched and name in self.system.broken_checks(self.graph.state(here), actions[action]):
                    yield here, action

    def _own_errors(self) -> Iterator[tuple[int, int]]:
        """The states and actions where a run would end with the error that the property is about."""
        if isinstance(self.item, NoFault):
            for here, action in self.graph.cut:
                met = self.system.fault(self.graph.state(here), self.system.actions[action])
                if met is not None and met.kind is self.item.kind:
                    yield here, action

    def _bad_states(self, condition: BoolExpr | None) -> frozenset[int]:
        """The states in which the property is violated, if it is one of states."""
        if condition is None or self.is_about_runs:
            return frozenset()
        everything, holding = frozenset(range(len(self.graph))), self._where(condition)
        match self.item:
            case CanAlwaysFinish():
                return everything - distances(self._before, holding).keys()
            case NoDeadlock() if self._goals:
                able = (distances(self._before, self._where(goal)).keys() for goal in self._goals)
                return everything - frozenset[int].intersection(everything, *able)
            case NoDeadlock():
                return frozenset(self.graph.stuck) - holding
            case _:
                return everything - holding


def _unseen(graph: StateGraph) -> str:
    """Why not all is there, and what to do about it."""
    name = graph.system.name
    if graph.stopped is None:  # a bound of the model
        return (
            f"what else could have happened is not all known ({graph.incomplete}); move the bound in {name} further out"
        )
    return f"{name} is too large to look at all that could have happened instead ({graph.incomplete}); choose a smaller scenario"


def _condition(system: TransitionSystem, item: Property) -> BoolExpr | None:
    """What has to be looked at in every state; raises ModelError for a property that no path violates."""
    if isinstance(item, Reachable):
        raise ModelError(f"{item.name!r} asks that something can be reached, and a trace can only show that it is")
    return system.final if isinstance(item, NoDeadlock) else next(reversed(item.conditions()), None)

"""Exhaustive conformance: the core executes every edge of a model's reachable graph, and offers nothing else."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter

from msgspec import Struct

from draincheck.budget import look
from draincheck.conformance.abstraction import Abstraction, Observed
from draincheck.conformance.cover import Cover
from draincheck.conformance.execute import Alternatives, Lead, Mismatch, Offers
from draincheck.conformance.stacks import Position, position_of
from draincheck.core.host import Choice
from draincheck.core.machine import Machine
from draincheck.errors import OutOfBudget
from draincheck.exploration.graph import StateGraph
from draincheck.run import Trace
from draincheck.semantics.validation import demand_faultless
from draincheck.system import TransitionSystem
from draincheck.verdict import NO_LIMITS

__all__ = ["NOTHING_COMPARED", "Conformance", "Divergence", "conform"]

#: divergences of one system after which its check is given up
MOST_DIVERGENCES = 20


class Divergence(Struct, frozen=True):
    """A place where model and core part ways.

    Attributes:
        trace: the model's steps to it, a shortest way: after the last of them (or in it) the two differ.
        difference: both sides' views.
    """

    trace: Trace
    difference: Mismatch


@dataclass(frozen=True, slots=True)
class Conformance:
    """What checks have done, and what they have found.

    Attributes:
        systems: systems held against the core.
        states: states of theirs that the core has been in.
        edges: edges that the core has executed.
        steps: steps that the core has made for that.
        choices: choices that both sides offer, compared one by one: whose step comes next, and outcomes within steps.
        divergences: where they part ways; nothing if they agree.
        seconds: how long it took.
    """

    systems: int
    states: int
    edges: int
    steps: int
    choices: int
    divergences: tuple[Divergence, ...]
    seconds: float = field(compare=False)

    def __add__(self, other: Conformance) -> Conformance:
        return Conformance(
            self.systems + other.systems,
            self.states + other.states,
            self.edges + other.edges,
            self.steps + other.steps,
            self.choices + other.choices,
            self.divergences + other.divergences,
            self.seconds + other.seconds,
        )


NOTHING_COMPARED = Conformance(0, 0, 0, 0, 0, (), 0.0)


def conform(system: TransitionSystem, machine: Callable[[], Machine]) -> Conformance:
    """Hold a system and the machines that `machine` makes against each other, on every edge and in every state.

    In every state of the model the core has to show the same values, to offer the same choices, and to stand at the same lines of its
    code however it got there: else a state of the model would stand for several situations of the core, of which only some were seen.
    """
    return _Check(system, machine).run()


class _Check:
    """One check."""

    def __init__(self, system: TransitionSystem, machine: Callable[[], Machine]) -> None:
        self.started = perf_counter()
        self.system, self.machine = system, machine
        self.graph = StateGraph(system, (), NO_LIMITS)
        if self.graph.stopped:
            raise OutOfBudget(self.graph.stopped)
        demand_faultless(self.graph.met())
        self.offers = Offers(system)
        self.abstraction = Abstraction(system)
        self.steps = 0
        self.divergences: list[Divergence] = []
        self._expected: dict[int, tuple[Observed, frozenset[Choice]]] = {}
        self._positions: dict[int, Position] = {}
        self._taking: dict[tuple[int, int], tuple[Choice, Alternatives]] = {}

    def run(self) -> Conformance:
        """Execute all edges."""
        edges = self.graph.edges
        for path in Cover(edges).paths():
            look()
            lead = Lead(self.machine(), self.abstraction)
            difference = self._compare(lead, 0)
            if difference is not None:
                self._note((), difference)
                break
            for state, position in path:
                difference = self._take(lead, state, position)
                if difference is not None:
                    self._note((*self._way(state), edges[state][position][0]), difference)
                    break
            lead.machine.close()
            if len(self.divergences) == MOST_DIVERGENCES:
                break
        return self._result()

    def _compare(self, lead: Lead, state: int) -> Mismatch | None:
        """Both sides' state, what may happen next, and where the core stands."""
        expected = self._expected.get(state)
        if expected is None:
            enabled = [action for action, _ in self.graph.edges[state]]
            expected = self.abstraction.of_state(self.graph.state(state)), self.offers.choices(enabled)
            self._expected[state] = expected
        difference = lead.compare(*expected)
        if difference is not None or lead.machine.aborted is not None:
            return difference
        position = position_of(lead.machine)
        if self._positions.setdefault(state, position) == position:
            return None
        return Mismatch("positions", "one state", "two situations", tuple(lead.machine.choices()))

    def _take(self, lead: Lead, state: int, position: int) -> Mismatch | None:
        """Take an edge with both, and compare what comes of it."""
        self.steps += 1
        action, after = self.graph.edges[state][position]
        taking = self._taking.get((state, position))
        if taking is None:
            enabled = [other for other, _ in self.graph.edges[state]]
            taking = self.offers.choice(action), self.offers.alternatives(action, enabled)
            self._taking[state, position] = taking
        return lead.take(*taking) or self._compare(lead, after)

    def _note(self, actions: tuple[int, ...], difference: Mismatch) -> None:
        trace = Trace.of(self.system, "", self.graph.state(0), actions)
        self.divergences.append(Divergence(trace, difference))

    def _way(self, goal: int) -> tuple[int, ...]:
        """The actions of a shortest way to a state."""
        before: dict[int, tuple[int, int]] = {0: (-1, -1)}
        queue = deque([0])
        while goal not in before:
            here = queue.popleft()
            for action, after in self.graph.edges[here]:
                if after not in before:
                    before[after] = (here, action)
                    queue.append(after)
        way: list[int] = []
        while before[goal][0] >= 0:
            goal, action = before[goal]
            way.append(action)
        return tuple(way[::-1])

    def _result(self) -> Conformance:
        """Count."""
        choices = sum(len(choices) for _, choices in self._expected.values())
        outcomes = sum(len(alternatives) > 1 for _, alternatives in self._taking.values())
        return Conformance(
            systems=1,
            states=len(self._expected),
            edges=len(self._taking),
            steps=self.steps,
            choices=choices + outcomes,
            divergences=tuple(sorted(self.divergences, key=lambda item: len(item.trace.actions))),
            seconds=perf_counter() - self.started,
        )

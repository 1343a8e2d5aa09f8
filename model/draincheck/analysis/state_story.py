"""What a picture tells of every reachable state: what has happened on the way there, and what becomes of one property.

A state has *passed* a mark if every way there takes a step with this mark. Its *fate* is how avoidable the violation of the property still is
(see `draincheck.analysis.avoidability`); or that it has been violated, in this very state or on every way there.

A demand on whole runs is violated by no state, and so leaves none of this last fate: where its goal is out of reach a state is doomed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from enum import Enum
from functools import cached_property

from draincheck.analysis.avoidability import Avoidabilities
from draincheck.budget import look
from draincheck.errors import GraphTooLarge, ModelError, OutOfBudget
from draincheck.exploration.graph import ExploredGraph, StateGraph
from draincheck.properties import Property
from draincheck.reason import StopKind
from draincheck.run import Trace
from draincheck.system import Part, State, TransitionSystem
from draincheck.verdict import Limits
from draincheck.words import counted

__all__ = ["STORY_LIMITS", "StateFate", "StateStory"]

#: the largest system that is told of: some seconds' worth
STORY_LIMITS = Limits(states=100_000)

#: states between two looks at the budget
PIECE = 4096

#: all bits: of a state to which no way was seen yet
EVERYTHING = -1


class StateFate(Enum):
    """What becomes of a property; see the module text. The worst one comes last."""

    SAFE = "safe"
    AVOIDABLE = "avoidable"
    DOOMED = "doomed"
    VIOLATED = "violated"


class StateStory:
    """A system's graph, and what a picture tells of its states, which go by their numbers there.

    Attributes:
        graph: all reachable states and edges.
        states: their stored values.
        property: the one that fates are about, if one is asked about.
        fates: the fate of each state; empty if they are not known, or nothing is asked about.
        untold: why fates are not known, "" if they are, or nothing is asked about.
        marks: the marks of the model, in the order of its actions.
        passed: the marks that each state has passed.
        forever: the states in which a counterexample of a demand on whole runs stays, or goes round.
    """

    def __init__(
        self,
        system: TransitionSystem,
        item: Property | None = None,
        limits: Limits = STORY_LIMITS,
        shown: Trace | None = None,
    ) -> None:
        """Explore a system; `shown` is a counterexample of the property.

        Raises GraphTooLarge if a limit is passed, and OutOfBudget if the command's budget ends.
        """
        self.system, self.property = system, item
        self._known, self.untold = _avoidabilities(system, item, limits)
        self.graph: ExploredGraph = StateGraph(system, (), limits) if self._known is None else self._known.graph
        _check_complete(self.graph)
        self.states: list[State] = list(map(self.graph.state, range(len(self.graph))))
        marked = (part.mark for action in system.actions for part in action.parts if part.mark)
        self.marks = tuple(dict.fromkeys(marked))
        held = self._on_every_way()
        self.passed = [tuple(mark for n, mark in enumerate(self.marks) if bits >> n & 1) for bits in held]
        self.fates = [] if self._known is None else list(map(self._fate, range(len(self)), held))
        self.forever = frozenset() if self._known is None or shown is None else _forever(self._known, shown)

    def __len__(self) -> int:
        return len(self.states)

    def breaks(self, state: int, action: int) -> bool:
        """Whether an action violates the property where it is taken in a state."""
        return self._known is not None and self._known.breaks(state, action)

    def is_bad(self, state: int) -> bool:
        """Whether the property is violated in this very state."""
        return self._known is not None and self._known.is_bad(state)

    def errs(self, state: int) -> bool:
        """Whether a run can end in this state with the error that the property is about."""
        return self._known is not None and self._known.errs(state)

    def marked(self, state: int, action: int) -> tuple[Part, ...]:
        """What takes place with a mark where an action is taken in a state."""
        parts = [part for part in self.system.actions[action].parts if part.mark]
        return tuple(part for part in parts if self.system.holds(part.when, self.states[state]))

    def is_no_return(self, state: int, target: int) -> bool:
        """Whether the violation can be avoided in a state, and cannot in another one."""
        if not self.fates:
            return False
        return self.fates[state] is StateFate.AVOIDABLE and self.fates[target] in (StateFate.DOOMED, StateFate.VIOLATED)

    @cached_property
    def is_at_risk(self) -> bool:
        """Whether it is known that some state is not safe."""
        return any(fate is not StateFate.SAFE for fate in self.fates)

    def _fate(self, state: int, held: int) -> StateFate:
        assert self._known is not None
        return StateFate.VIOLATED if held >> len(self.marks) & 1 else StateFate(self._known.of(state).value)

    def _on_every_way(self) -> list[int]:
        """What every way to a state has in common: a bit for each mark, and behind them one for a violation of the property."""
        violated = 1 << len(self.marks)
        here = [violated if self._known is not None and self._known.is_bad(n) else 0 for n in range(len(self))]
        held = [EVERYTHING] * len(self)
        for root in self.graph.roots:
            held[root] = here[root]
        queue = deque(self.graph.roots)
        steps = self._steps()
        while queue:
            state = queue.popleft()
            for target, gained in steps[state]:
                common = held[target] & (held[state] | gained | here[target])
                if common != held[target]:
                    held[target] = common
                    queue.append(target)
        return held

    def _steps(self) -> Sequence[Sequence[tuple[int, int]]]:
        """For each state where its steps lead, and the bits that they gain."""
        bits = {mark: 1 << number for number, mark in enumerate(self.marks)}
        telling = {action.index for action in self.system.actions if any(part.mark for part in action.parts)}
        found: list[list[tuple[int, int]]] = []
        for state, edges in enumerate(self.graph.edges):
            if state % PIECE == 0:
                look()
            gains = [sum({bits[part.mark] for part in self.marked(state, a)}) if a in telling else 0 for a, _ in edges]
            broken = [self.breaks(state, action) << len(bits) for action, _ in edges]
            found.append([(edge[1], g | b) for edge, g, b in zip(edges, gains, broken, strict=True)])
        return found


def _check_complete(graph: ExploredGraph) -> None:
    """Raise for a part of a graph: GraphTooLarge, or OutOfBudget if the budget has ended it."""
    if graph.stopped is None:
        return
    if graph.stopped.kind is not StopKind.STATES:
        raise OutOfBudget(graph.stopped)
    size = counted(len(graph), "reachable state")
    raise GraphTooLarge(
        f"{graph.system.name} has more than {size}: too many for this graph; choose a smaller scenario or model"
    )


def _avoidabilities(
    system: TransitionSystem, item: Property | None, limits: Limits
) -> tuple[Avoidabilities | None, str]:
    """What is known of a property, or why nothing is."""
    if item is None:
        return None, ""
    try:
        return Avoidabilities(system, item, limits), ""
    except ModelError as error:
        return None, error.message


def _forever(known: Avoidabilities, shown: Trace) -> frozenset[int]:
    """Where a counterexample of a demand on whole runs stays."""
    begin = len(shown.actions) if shown.loop is None else shown.loop
    return frozenset(known.along(shown)[begin:]) if known.is_about_runs else frozenset()

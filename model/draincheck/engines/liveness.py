"""Liveness on the explicit graph: does every fair run do the good thing, and if not, which one does not?

A run breaks a demand if from some point on it waits for the goal for ever: it stays among states that do not satisfy the goal, either in
a strongly connected part of them that is fair (`components`), or in one where it may stop: nothing is enabled there that was promised. There
is no product with an automaton: for the two kinds of demand the waiting states are a part of the graph itself.

No progress and no fairness is assumed but what the system states. A counterexample is a path and a loop (`Trace.loop`), or a path to where
the run stops; it is executed again and asked again whether it is fair before anybody sees it (`semantics`).

*Holds* needs the whole graph: a limit or a bound on the way makes it *unknown*. A violation found in the part that was seen is one. And it
needs a run that is asked: where every fair run (that comes to the trigger) ends with an error before the goal, there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import inf

from msgspec import Struct

from draincheck.budget import look, running
from draincheck.engines.lasso import fair_loop, fair_tour
from draincheck.errors import EvidenceError, OutOfBudget
from draincheck.exploration.graph import ExploredGraph
from draincheck.expr import TRUE, BoolExpr
from draincheck.native.tiers import Tier, graph_of
from draincheck.promise import Strength
from draincheck.properties import FAULTS, Eventually, LeadsTo, Liveness, Property
from draincheck.reason import (
    Assuming,
    Exhaustive,
    Incomplete,
    NeverAsked,
    Reason,
    Refused,
    RunsForEver,
    Unasked,
    Undecided,
)
from draincheck.run import Run, Trace
from draincheck.semantics.fairness import never_promised, who_could_move
from draincheck.semantics.vacuity import matters, unasked
from draincheck.semantics.validation import Path, up_to_errors
from draincheck.semantics.violation import ERRORS, shows
from draincheck.system import TransitionSystem
from draincheck.verdict import NO_LIMITS, SILENT, Limits, Outcome, Reporter, Verdict

__all__ = ["decide"]

#: how many (state, memory) pairs may be looked at to make a counterexample shorter than the first one found
EFFORT = 200_000

#: how many of them may be looked at for one way round
FIRST = 500_000

#: states between two looks at the budget
PIECE = 4096


def decide(
    system: TransitionSystem,
    properties: Iterable[Property] | None = None,
    limits: Limits = NO_LIMITS,
    reporter: Reporter = SILENT,
    *,
    tier: Tier = Tier.BY_SIZE,
    advise: Callable[[str], None] | None = None,
) -> dict[str, Verdict]:
    """Decide the liveness properties among these (default: all of the system's), by name, from one exploration.

    Faults that some run meets have their verdicts, too. `advise` is told what would have made it faster, if anything would.
    """
    items = [p for p in (system.properties if properties is None else properties) if isinstance(p, Liveness)]
    if system.quotient:
        return {item.name: _refused(item, system.quotient) for item in items}
    if not items:
        return {}
    with running(limits):
        try:
            graph = graph_of(system, [c for item in items for c in _trigger_and_goal(item)], limits, reporter, tier)
        except OutOfBudget as limit:
            return {item.name: Verdict(item.name, Outcome.UNKNOWN, Undecided(stopped=limit.stop)) for item in items}
        if advise is not None:
            advise(graph.advice)
        met = {verdict.property: verdict for verdict in graph.met()}
        errors = up_to_errors([name for name in met if FAULTS[name].kind in ERRORS])
        return {item.name: _decided(graph, item, errors, reporter) for item in items} | met


def _refused(item: Liveness, quotient: str) -> Verdict:
    reason = (
        f"refused: the paths of this system need not be paths of the model ({quotient}); check the system without it"
    )
    return Verdict(item.name, Outcome.UNKNOWN, Refused(reason))


def _trigger_and_goal(item: Liveness) -> tuple[BoolExpr, BoolExpr]:
    """A run that has to meet the goal in any case waits from its start."""
    *trigger, goal = item.conditions()
    return (trigger[0] if trigger else TRUE), goal


def _decided(graph: ExploredGraph, item: Liveness, errors: str, reporter: Reporter) -> Verdict:
    """The verdict on a property, if there is no reason to stop before; `errors` is what it rests on where runs end with errors."""
    reporter.phase(f"liveness: {item.name}")
    try:
        return _looked_for(graph, item, errors)
    except OutOfBudget as limit:
        return Verdict(item.name, Outcome.UNKNOWN, Incomplete(len(graph), stopped=limit.stop))


def _looked_for(graph: ExploredGraph, item: Liveness, errors: str) -> Verdict:
    waiting = _Waiting(graph, item)
    run = _shortest_run(graph, waiting)
    if run is not None:
        return _violated(graph.system, item, run)
    if graph.incomplete:
        return Verdict(item.name, Outcome.UNKNOWN, graph.incomplete)
    if not waiting.asked:
        return Verdict(item.name, Outcome.NEVER_ASKED, unasked(graph.system, item, graph.fired))
    if not waiting.goes_on():
        return Verdict(item.name, Outcome.NEVER_ASKED, NeverAsked(Unasked.ONLY_ERRORS))
    return Verdict(item.name, Outcome.HOLDS, _why(graph.system, waiting, item, errors))


def _why(system: TransitionSystem, waiting: _Waiting, item: Liveness, errors: str) -> Reason:
    """What a verdict *holds* rests on, besides having seen everything."""
    if not waiting.numbers:
        return Exhaustive(
            (": no run ever waits" if isinstance(item, LeadsTo) else ": every run begins with it") + errors
        )
    names = {strength: tuple(f.name for f in system.fairness if f.strength is strength) for strength in Strength}
    return Assuming(names[Strength.WEAK], names[Strength.STRONG], never_promised(system), errors)


class _Run(Struct, frozen=True):
    """A way to a state in which a run may wait for ever, and the loop it takes there (none: it stops)."""

    path: Path
    loop: Sequence[int]

    @property
    def length(self) -> int:
        """How many actions it takes to show it."""
        return len(self.path[1]) + len(self.loop)


class _Waiting:
    """The states in which a run may be waiting for the goal, nearest first, and how it gets there."""

    def __init__(self, graph: ExploredGraph, item: Liveness) -> None:
        self._graph = graph
        trigger, goal = _trigger_and_goal(item)
        starts, met = graph.where(trigger), graph.where(goal)
        self._starts, self._met = starts, met
        self.asked = (isinstance(item, Eventually) or any(starts)) and matters(graph.system, graph.fired, item)
        self._among = graph.roots if isinstance(item, Eventually) else range(len(graph))
        self._ways = graph.waiting((number for number in self._among if starts[number] and not met[number]), met)
        self.numbers, self.depth = self._ways.numbers, self._ways.depth

    def goes_on(self) -> bool:
        """Whether some run that is asked comes to the goal, or is fair and does not end with an error."""
        graph = self._graph
        if not graph.cut:
            return True
        rounds, met = graph.fair_homes(range(len(graph))), self._met
        reached = bytearray(self._starts[number] and number in self._among for number in range(len(graph)))
        todo = [number for number, begins in enumerate(reached) if begins]
        for number, here in enumerate(todo):
            if number % PIECE == 0:
                look()
            if met[here] or here in rounds or graph.may_stop(here):
                return True
            new = {target for _, target in graph.edges[here] if not reached[target]}
            for target in new:
                reached[target] = True
            todo += new
        return False

    def path(self, number: int) -> Path:
        """A shortest way to a state in which a run waits."""
        actions: list[int] = []
        while (origin := self._ways.origin(number)) is not None:
            action, number = origin
            actions.append(action)
        initial, before = self._graph.path(number)
        return initial, [*before, *actions[::-1]]


def _shortest_run(graph: ExploredGraph, waiting: _Waiting) -> _Run | None:
    """A run that waits for ever, if there is any: one with the fewest actions of those that wait when their loop begins.

    In wide systems the search for shorter ones ends with `EFFORT`, and that for the first with `FIRST`: then any is as good.
    """
    stop = next(filter(graph.may_stop, waiting.numbers), None)
    best = None if stop is None else _Run(waiting.path(stop), [])
    home = graph.fair_homes(waiting.numbers)
    effort = 0
    for number in filter(home.__contains__, waiting.numbers if home else ()):
        room = inf if best is None else best.length - 1 - waiting.depth(number)
        if room < 1 or effort > EFFORT:
            break
        loop, looked = fair_loop(graph, home[number], number, room, FIRST)
        effort += looked
        if loop is None and best is None:
            loop = fair_tour(graph, home[number], number)
        if loop is not None:
            best = _Run(waiting.path(number), loop)
    return best


def _violated(system: TransitionSystem, item: Liveness, run: _Run) -> Verdict:
    """The verdict a run gives, once it has been executed; raises EvidenceError if it does not show what it should."""
    initial, stem = run.path
    actions = (*stem, *run.loop)
    trace = Trace.of(system, item.name, initial, actions, loop=len(stem) if run.loop else None)
    executed = Run.of(system, trace)
    if not shows(executed, item):
        raise EvidenceError(f"{system.name}: the run found for {item.name!r} does not break it")
    stopped = () if run.loop else who_could_move(system, executed.states[-1])
    declared = tuple(control.process for control in system.controls if control.may_stop)
    reason = RunsForEver(len(actions), len(run.loop), stopped, tuple(name for name in stopped if name in declared))
    return Verdict(item.name, Outcome.VIOLATED, reason, trace)

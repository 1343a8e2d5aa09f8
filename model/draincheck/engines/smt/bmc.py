"""Bounded model checking: z3 looks for a path of 0, 1, 2 ... steps to a state that shows a property violated.

The first path found is a shortest one, as the explicit engine's. What z3 found becomes a trace that is executed again by the system's
own rules before anybody sees it. That there is nothing up to a depth is *unknown*, never *holds*, with two exceptions: no path is
longer, or the analysis of pairs (`pairs`) shows that no reachable state can be what is looked for.

Properties that are checked together share one unrolling: at each depth z3 is asked for a state that shows any of them, until there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from draincheck.engines.question import Answered, Question, met
from draincheck.engines.smt.asked import Confirmed, confirmed
from draincheck.engines.smt.mutexes import FOR_EVER, Pairs
from draincheck.engines.smt.relation import Relation
from draincheck.engines.smt.unrolling import Exclusions, Unrolling
from draincheck.errors import EvidenceError
from draincheck.expr import BoolExpr
from draincheck.properties import FaultKind, NoDeadlock, NoFault, Property, Reachable, WithinBounds
from draincheck.reason import Excluded, NoLongerPath, NothingUpTo, Refused, Stop, StopKind, Stuck
from draincheck.semantics.stuck import stuck
from draincheck.semantics.validation import Evidence, Path, conclude
from draincheck.semantics.violation import (
    ERRORS,
    decided_by_states,
    evidence_word,
    fault_found,
    last_action,
    outcome_if_not_shown,
    shown_by,
)
from draincheck.solvers import Answer, Incremental, incremental
from draincheck.system import State, TransitionSystem
from draincheck.verdict import NO_LIMITS, SILENT, Limits, Outcome, Reporter, Verdict
from draincheck.words import counted

__all__ = ["DEFAULT_DEPTH", "ONLY_DEADLOCKS", "BoundedSearch", "answer", "decide", "seen_asked"]

#: for a system with parameters: the system without them that starts in a state
Instance = Callable[[State], TransitionSystem]

#: why it is not known that no process is stuck
ONLY_DEADLOCKS = "something always moves; that no process is stuck meanwhile, explicit search decides"

#: how deep a search goes that was given neither a depth nor a time
DEFAULT_DEPTH = 100


def decide(
    system: TransitionSystem,
    property_names: Sequence[str],
    limits: Limits = NO_LIMITS,
    reporter: Reporter = SILENT,
    *,
    pairs: Pairs | None = None,
    instance: Instance | None = None,
    known: BoolExpr | None = None,
) -> dict[str, Verdict]:
    """Search for counterexamples (witnesses, for `Reachable`) up to `limits.depth` steps and `limits.seconds`, in one search.

    What a verdict says, unless time runs out:

    * if a state that shows the property violated is up to `limits.depth` steps away, this is *violated*, with one of the shortest
      counterexamples (for `Reachable` *holds*, with a witness); that of an assertion has one step more, the one that breaks it. A bound
      hides what comes after it, not what comes before;
    * of stuck processes it finds those that are stuck because nothing moves any more, and never says that there are none;
    * else it is *unknown*; or *holds* (*violated*), if no path is longer or pairs of values exclude what is looked for, and no reachable
      state passes a bound; or *never asked*, if that is so and nothing puts it to the test.

    A run ends with an error. Those that are found while there is something else to look for have their verdicts, too.

    A system with parameters (`draincheck.naturals.parameter`) is an infinite family, searched at once. The trace of a counterexample
    belongs to `instance(initial)`, the member that starts in its first state, and has been executed there.

    `pairs`, `instance` and `known` are as for `BoundedSearch`.
    """
    limits = limits.begun()
    found = BoundedSearch(system, property_names, limits, pairs=pairs, instance=instance, known=known).run(reporter)
    return dict(seen_asked(system, found, limits, reporter).verdicts)


def answer(asked: Question) -> Answered:
    """Verdicts on properties, and on the faults that are met."""
    names = dict.fromkeys((*asked.names, *(item.name for item in asked.system.implicit)))
    found = decide(asked.system, [*names], asked.limits, asked.reporter)
    return met(found) | {name: found[name] for name in asked.names}, None


def seen_asked(
    system: TransitionSystem, verdicts: Mapping[str, Verdict], limits: Limits, reporter: Reporter = SILENT
) -> Confirmed:
    """The verdicts, but *holds* only where a run was found that asks the property (see `asked`). Of the limits the time counts."""

    def search(goals: Sequence[Reachable]) -> dict[str, Verdict]:
        sought = replace(system, properties=tuple(goals))
        return BoundedSearch(sought, [goal.name for goal in goals], replace(limits.begun(), depth=None)).run(reporter)

    return confirmed(system, verdicts, limits, search)


class _Sought(Struct, frozen=True):
    """States that are looked for: the name of their predicate, and the depth before which pairs of values exclude them."""

    predicate: str
    condition: BoolExpr
    first: int


class BoundedSearch:
    """A search for the states that show properties violated, depth by depth.

    Attributes:
        depth: up to where everything that was asked for has been found; -1 at the beginning.
        verdicts: those of the properties that are decided.
        pairs: the analysis of pairs.
    """

    def __init__(
        self,
        system: TransitionSystem,
        property_names: Sequence[str],
        limits: Limits,
        *,
        pairs: Pairs | None = None,
        obstacles: Sequence[tuple[BoolExpr, str]] = (),
        instance: Instance | None = None,
        known: BoolExpr | None = None,
    ) -> None:
        """A search that has not begun.

        Args:
            system: what is searched.
            property_names: the properties.
            limits: where to stop.
            pairs: the analysis of the system, if somebody has made it already.
            obstacles: states that make the search end with *unknown*, and what is to be said of them; if there are any, those that pass
                a bound are among them. A property that is shown violated at the same depth still is.
            instance: for a system with parameters: the system without them to which a path belongs that starts in a state. It has the
                same variables and actions.
            known: what has been proved of every reachable state, that none enables a faulty action included. It narrows the search.
        """
        self.system, self.limits = system, limits.begun()
        self.depth = -1
        self.verdicts: dict[str, Verdict] = {}
        self._names = property_names
        self._instance, self._known = instance, known
        self.pairs = pairs or Pairs(system)
        self._faults = {item.name: self._seek(f"fault{n}", shown) for n, (item, shown) in enumerate(self._implicit())}
        self._obstacles = {self._seek(f"obstacle{n}", where): what for n, (where, what) in enumerate(obstacles)}
        no_bound = obstacles or known is not None
        self._passed_bound = FOR_EVER if no_bound else self.pairs.first(fault_found(system, {FaultKind.BOUND}))
        self._goals = self._open()
        self._hit = ""
        self._stopped: Stop | None = None
        self._unrolling: Unrolling | None = None

    def _implicit(self) -> Iterator[tuple[NoFault, BoolExpr]]:
        """The faults that are looked for beside what was asked for, and the states that show them."""
        for item in self.system.implicit if self._known is None else ():
            if item.name not in self._names:
                yield item, fault_found(self.system, {item.kind})

    def _seek(self, predicate: str, condition: BoolExpr) -> _Sought:
        return _Sought(predicate, condition, self.pairs.first(condition))

    def _open(self) -> dict[str, _Sought]:
        """What shows each property violated; the verdicts of those for which that is known already."""
        goals: dict[str, _Sought] = {}
        for number, name in enumerate(self._names):
            shown = shown_by(self.system, self.system.property_named(name))
            if shown is None:
                refused = Refused("bounded model checking does not decide this kind of property")
                self.verdicts[name] = Verdict(name, Outcome.UNKNOWN, refused)
            else:
                goals[name] = self._seek(f"goal{number}", shown)
        return self._without_excluded(goals)

    def _without_excluded(self, goals: dict[str, _Sought]) -> dict[str, _Sought]:
        """What is left to look for: where only pairs of values speak, they do so once there is no fault or obstacle left to be found."""
        if min((s.first for s in (*self._faults.values(), *self._obstacles)), default=FOR_EVER) != FOR_EVER:
            return goals
        excluded = [name for name, sought in goals.items() if sought.first == FOR_EVER]
        self.verdicts |= {name: self._nothing(name, Excluded()) for name in excluded}
        return {name: sought for name, sought in goals.items() if name not in excluded}

    def run(self, reporter: Reporter) -> dict[str, Verdict]:
        """Search until everything is decided, a limit is reached, or Ctrl-C; verdicts in the order in which they were asked for, then faults."""
        last = self._last()
        try:
            while not self.is_over and self.depth < last:
                reporter.phase(f"query at depth {self.depth + 1}")
                self.deepen()
                reporter.progress(max(self.depth, 0), 0, max(self.depth, 0), 0)
        except KeyboardInterrupt:  # what is decided stays so
            self._stopped = Stop(StopKind.REQUEST)
        self._end(stopped=self._stopped)
        return {name: self.verdicts[name] for name in dict.fromkeys((*self._names, *self.verdicts))}

    @property
    def is_over(self) -> bool:
        """Whether there is nothing left to look for."""
        return not self._goals

    def stop(self) -> None:
        """Make a search that runs in another thread end soon, with *unknown*."""
        self._stopped = Stop(StopKind.REQUEST)
        if self._unrolling is not None:
            self._unrolling.solver.interrupt()

    def deepen(self) -> None:
        """Look one step further; `verdicts` has what that decides."""
        if late := self._late():
            return self._end(stopped=late)
        depth = self.depth + 1
        while sought := self._sought(depth):
            unrolling = self._unrolled(depth)
            query = unrolling.question([s.predicate for s in sought], depth)
            answer = unrolling.solver.check([query], self.seconds_left())
            if answer is Answer.UNKNOWN:
                return self._end(stopped=self._late() or self._given_up(unrolling.solver))
            if answer is Answer.UNSAT:
                unrolling.demand([f"(not {query})"])
                if unrolling.solver.is_hopeless():
                    self._end_with_nothing(NoLongerPath(depth - 1))
                break
            self._note(unrolling.path())
        self.depth = depth
        self._goals = self._without_excluded(self._goals)
        return self._end(f"{self._hit} after {counted(depth, 'step')}") if self._hit else None

    def _last(self) -> int:
        """The depth at which a search ends."""
        if self.limits.depth is not None:
            return self.limits.depth
        return DEFAULT_DEPTH if self.limits.seconds is None else FOR_EVER

    def _late(self) -> Stop | None:
        """That the search was stopped or that time is up, or None."""
        return self._stopped or self.limits.stop()

    def _given_up(self, solver: Incremental) -> Stop:
        """Why z3 did not answer, though time is not quite up by our clock."""
        timed = self.limits.seconds is not None and solver.is_out_of_time()
        return Stop(StopKind.SECONDS, self.limits.seconds) if timed else Stop(StopKind.SOLVER)

    def seconds_left(self) -> float | None:
        """How much of the time limit is left; None without a limit."""
        return self.limits.left()

    # -- z3 ---------------------------------------------------------------------------------------------------------------

    def _unrolled(self, depth: int) -> Unrolling:
        """The paths with so many steps."""
        if self._unrolling is None:
            self._unrolling = self._begin()
        while self._unrolling.length < depth:
            self._unrolling.extend()
        return self._unrolling

    def _begin(self) -> Unrolling:
        relation = Relation(self.system)
        solver = incremental(relation.logic)
        sought = [relation.predicate(s.predicate, s.condition) for s in self._everything() if s.first != FOR_EVER]
        solver.define("".join([relation.domain, relation.initial, *sought]))
        exclusions = Exclusions(relation, self.pairs, solver)
        if self._known is None:
            return Unrolling(relation, solver, "init", exclusions.at)
        solver.define(relation.predicate("known", self._known))
        return Unrolling(relation, solver, "init", lambda depth: ["known", *exclusions.at(depth)])

    def _everything(self) -> list[_Sought]:
        """What is looked for, faults beside the rest; no more obstacles, if there has been one."""
        return [*self._goals.values(), *self._faults.values(), *(() if self._hit else self._obstacles)]

    def _sought(self, depth: int) -> list[_Sought]:
        """What is looked for at a depth."""
        return [sought for sought in self._everything() if sought.first <= depth]

    # -- verdicts ---------------------------------------------------------------------------------------------------------

    def _end(self, obstacle: str = "", stopped: Stop | None = None) -> None:
        """Leave it at *unknown* for what is not decided."""
        for name in self._goals:
            word = evidence_word(self.system.property_named(name))
            depth = self.depth if self.depth >= 0 else None
            self.verdicts[name] = Verdict(name, Outcome.UNKNOWN, NothingUpTo(word, depth, obstacle, stopped=stopped))
        self._goals = {}

    def _end_with_nothing(self, reason: NoLongerPath) -> None:
        """There is nothing to be found any more."""
        self.verdicts |= {name: self._nothing(name, reason) for name in self._goals}
        self._goals = {}

    def _nothing(self, name: str, reason: Excluded | NoLongerPath) -> Verdict:
        """There is nothing to be found: what that means for a property."""
        item = self.system.property_named(name)
        if not decided_by_states(self.system, item):
            depth = self.depth if self.depth >= 0 else None
            return Verdict(name, Outcome.UNKNOWN, NothingUpTo("counterexample", depth, ONLY_DEADLOCKS))
        reason = replace(reason, erring=self._may_err(item))
        if self._passed_bound != FOR_EVER and not isinstance(item, WithinBounds):
            return Verdict(name, Outcome.UNKNOWN, replace(reason, bounded=True))
        return Verdict(name, outcome_if_not_shown(item), reason)

    def _may_err(self, item: Property) -> bool:
        """Whether pairs of values do not exclude that a run ends with an error that is not the property's business."""
        others = ERRORS - {item.kind} if isinstance(item, NoFault) else ERRORS
        return self._known is None and self.pairs.first(fault_found(self.system, others)) != FOR_EVER

    def _note(self, path: Path) -> None:
        """Execute a path that z3 has found, and note what it leads to."""
        initial, actions = path
        system = self._instance(initial) if self._instance is not None else self.system
        evidence, last = Evidence(system), initial
        for index in actions:
            last = system.step(last, system.actions[index])
        shown = [name for name in (*self._goals, *self._faults) if _is_shown(system, name, last)]
        for name in shown:
            del (self._goals if name in self._goals else self._faults)[name]
            self.verdicts[name] = _verdict(evidence, name, path, last)
        if not shown:
            self._hit = self._obstacle(system, last)

    def _obstacle(self, system: TransitionSystem, state: State) -> str:
        """What is to be said of the obstacle in a state."""
        for obstacle, what in self._obstacles.items():
            if system.holds(obstacle.condition, state):
                return what
        raise EvidenceError(f"{system.name}: the path that z3 found does not lead to what was sought")


def _is_shown(system: TransitionSystem, name: str, state: State) -> bool:
    goal = shown_by(system, system.property_named(name))
    return goal is not None and system.holds(goal, state)


def _verdict(evidence: Evidence, name: str, path: Path, last: State) -> Verdict:
    """The verdict on a property that the last state of a path shows violated (met, for `Reachable`)."""
    system, (initial, actions) = evidence.system, path
    item = system.property_named(name)
    run = evidence.shows(item, (initial, [*actions, *last_action(system, item, last)]))
    verdict, names = conclude(item, run, None), stuck(system, last) if isinstance(item, NoDeadlock) else ()
    return replace(verdict, reason=Stuck(names, len(run.steps), first=False)) if names else verdict

"""Bounded model checking: z3 looks for a path of 0, 1, 2 ... steps to a state that shows a property violated.

The first path found is a shortest one, as the explicit engine's. What z3 found becomes a trace that is executed again by the system's
own rules before anybody sees it. That there is nothing up to a depth is *unknown*, never *holds*, with two exceptions: no path is
longer, or the analysis of pairs (`pairs`) shows that no reachable state can be what is looked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter

from draincheck.engines.evidence import NO_LIMITS, SILENT, Evidence, EvidenceError, Path, conclude
from draincheck.engines.symbolic.goals import fault_found, last_action, shown_by
from draincheck.engines.symbolic.pairs import FOR_EVER, Pairs
from draincheck.engines.symbolic.relation import Relation
from draincheck.engines.symbolic.solver import Answer, Solver
from draincheck.engines.symbolic.unrolling import Exclusions, Unrolling
from draincheck.expr import FALSE, BoolExpr, any_
from draincheck.system import FaultKind, Property, Reachable, State, TransitionSystem
from draincheck.trace import rerun
from draincheck.verdict import Limits, Outcome, Reporter, Verdict

__all__ = ["DEFAULT_DEPTH", "Search", "check", "decide", "steps"]

#: how deep a search goes that was given neither a depth nor a time
DEFAULT_DEPTH = 100


def check(
    system: TransitionSystem, property_name: str, limits: Limits = NO_LIMITS, reporter: Reporter = SILENT
) -> Verdict:
    """Search for a counterexample (a witness, for `Reachable`) up to `limits.depth` steps and `limits.seconds`.

    Raises:
        ModelFault: some state no deeper than the search went enables an action that cannot be taken.
    """
    return decide(system, [property_name], limits, reporter)[property_name]


def decide(
    system: TransitionSystem, property_names: Sequence[str], limits: Limits = NO_LIMITS, reporter: Reporter = SILENT
) -> dict[str, Verdict]:
    """Check several properties, each within the limits; the analysis of pairs is made once for all. Raises ModelFault like `check`."""
    found: dict[str, Verdict] = {}
    pairs: Pairs | None = None
    for name in property_names:
        item = system.property_named(name)
        goal = shown_by(system, item)
        if goal is None:
            found[name] = Verdict(name, Outcome.UNKNOWN, "bounded model checking does not decide this kind of property")
            continue
        search = Search(system, item, goal, limits, pairs=pairs)
        pairs = search.pairs
        found[name] = search.run(reporter)
    return found


class Search:
    """A search for the states that show a property violated, depth by depth.

    Attributes:
        depth: up to where there is nothing; -1 at the beginning.
        pairs: the analysis of pairs.
    """

    def __init__(
        self,
        system: TransitionSystem,
        item: Property,
        goal: BoolExpr,
        limits: Limits,
        *,
        pairs: Pairs | None = None,
        obstacles: Sequence[tuple[BoolExpr, str]] = (),
        instance: Callable[[State], TransitionSystem] | None = None,
        known: BoolExpr | None = None,
    ) -> None:
        """A search that has not begun.

        Args:
            system: what is searched.
            item: the property.
            goal: the states that show it (`goals.shown_by`).
            limits: where to stop.
            pairs: the analysis of the system, if somebody has made it already.
            obstacles: states that make the search end with *unknown*, and what is to be said of them; if there are any, those that pass
                a bound are among them.
            instance: for a system with parameters: the system without them to which a path belongs that starts in a state. It has the
                same variables and actions.
            known: what has been proved of every reachable state, that none enables a faulty action included. It narrows the search.
        """
        self.system, self.item, self.goal, self.limits, self.obstacles = system, item, goal, limits, obstacles
        self.depth = -1
        self._instance, self._known = instance, known
        self._started = perf_counter()
        self.pairs = pairs or Pairs(system)
        self._error = fault_found(system, bound=False) if known is None else FALSE
        self._sought = any_(goal, self._error, *(condition for condition, _ in obstacles))
        self._first = self.pairs.first(self._sought)
        self._may_pass_bound = (
            not obstacles and known is None and self.pairs.first(fault_found(system, bound=True)) != FOR_EVER
        )
        self._stopped = ""
        self._unrolling: Unrolling | None = None

    def run(self, reporter: Reporter) -> Verdict:
        """Search until something is found, nothing is left, or a limit is reached."""
        last = self._last()
        verdict = None
        while verdict is None and self.depth < last:
            verdict = self.deepen()
            reporter.progress(0, 0, max(self.depth, 0), 0)
        return verdict or self._unknown("")

    def stop(self) -> None:
        """Make a search that runs in another thread end soon, with *unknown*."""
        self._stopped = "stopped"
        if self._unrolling is not None:
            self._unrolling.solver.interrupt()

    def deepen(self) -> Verdict | None:
        """Look one step further. Returns the verdict if that decides it.

        Raises:
            ModelFault: some state at this depth enables an action that cannot be taken.
        """
        if self._late():
            return self._unknown(self._late())
        if self._first == FOR_EVER:
            return self._nothing("every reachable state is excluded by its pairs of values")
        if self.depth + 1 < self._first:
            self.depth += 1
            return None
        if self._unrolling is None:
            self._unrolling = self._begin()
        answer = self._look(self._unrolling, self.depth + 1)
        if answer is Answer.SAT:
            return self._found(self._unrolling.path())
        reason = self._late()
        if answer is Answer.UNKNOWN:
            return self._unknown(reason or self._given_up(self._unrolling.solver))
        self.depth += 1
        if self._unrolling.solver.is_hopeless():
            return self._nothing(f"no path is longer than {steps(self.depth - 1)}")
        return self._unknown(reason) if reason else None

    def _last(self) -> int:
        """The depth at which a search ends."""
        if self.limits.depth is not None:
            return self.limits.depth
        return DEFAULT_DEPTH if self.limits.seconds is None else FOR_EVER

    def _late(self) -> str:
        """That the search was stopped or that time is up, or ""."""
        if self._stopped:
            return self._stopped
        left = self.seconds_left()
        return f"time limit {self.limits.seconds:g} s reached" if left is not None and left <= 0 else ""

    def _given_up(self, solver: Solver) -> str:
        """Why z3 did not answer, though time is not quite up by our clock."""
        timed = self.limits.seconds is not None and solver.is_out_of_time()
        return f"time limit {self.limits.seconds:g} s reached" if timed else "z3 gave up"

    def seconds_left(self) -> float | None:
        """How much of the time limit is left; None without a limit."""
        return None if self.limits.seconds is None else self.limits.seconds - (perf_counter() - self._started)

    # -- z3 ---------------------------------------------------------------------------------------------------------------

    def _begin(self) -> Unrolling:
        relation = Relation(self.system)
        solver = Solver(relation.logic)
        solver.define(relation.domain + relation.initial + relation.predicate("goal", self._sought))
        exclusions = Exclusions(relation, self.pairs, solver)
        if self._known is None:
            return Unrolling(relation, solver, "init", exclusions.at)
        solver.define(relation.predicate("known", self._known))
        return Unrolling(relation, solver, "init", lambda depth: ["known", *exclusions.at(depth)])

    def _look(self, unrolling: Unrolling, depth: int) -> Answer:
        """Whether some path of this many steps leads to what is sought; if none does, that is remembered."""
        while unrolling.length < depth:
            unrolling.extend()
        query = unrolling.question("goal", depth)
        answer = unrolling.solver.check(query, self.seconds_left())
        if answer is Answer.UNSAT:
            unrolling.demand([f"(not {query})"])
        return answer

    # -- verdicts ---------------------------------------------------------------------------------------------------------

    def _unknown(self, reason: str) -> Verdict:
        kind = "witness" if isinstance(self.item, Reachable) else "counterexample"
        upto = f"no {kind} of up to {steps(self.depth)}" if self.depth >= 0 else f"no {kind} found"
        return Verdict(self.item.name, Outcome.UNKNOWN, f"{upto}; {reason}" if reason else upto)

    def _nothing(self, how: str) -> Verdict:
        """There is nothing to be found: what that means for the property."""
        if self._may_pass_bound:
            return Verdict(self.item.name, Outcome.UNKNOWN, f"{how}, but a bound may be passed")
        outcome = Outcome.VIOLATED if isinstance(self.item, Reachable) else Outcome.HOLDS
        return Verdict(self.item.name, outcome, how)

    def _found(self, path: Path) -> Verdict:
        """The verdict of a path that z3 has found, after its execution.

        Raises:
            ModelFault: it leads to a faulty action.
        """
        initial, actions = path
        system = self._instance(initial) if self._instance is not None else self.system
        evidence, last = Evidence(system), initial
        for index in actions:
            last = system.step(last, system.actions[index])
        for action in system.enabled(last):
            fault = system.fault(last, action)
            if fault is not None and fault.kind is not FaultKind.BOUND:
                raise evidence.fault(action, fault, path)
        item = system.property_named(self.item.name)
        goal = self.goal if system is self.system else shown_by(system, item)
        if goal is None or not system.holds(goal, last):
            for condition, reason in self.obstacles:
                if system.holds(condition, last):
                    return self._unknown(f"{reason} after {steps(len(actions))}")
            raise EvidenceError(f"{system.name}: the path that z3 found does not lead to what was sought")
        trace = evidence.shows(item, (initial, [*actions, *last_action(system, item, last)]))
        rerun(system, trace)
        return conclude(item, trace, "")


def steps(number: int) -> str:
    """A number of steps in words."""
    return "1 step" if number == 1 else f"{number} steps"

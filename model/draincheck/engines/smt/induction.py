"""k-induction: a formula that holds in the first k states of every path, and after any k states in which it holds, always holds.

The formula says that the property is not violated and that no action is at fault, and with it come lemmas: those of a specification,
and the pairs of values that exclude each other for ever (`pairs`, without control locations: these pairs are inductive by themselves).
The states of the induction step are pairwise different (the simple path condition of Sheeran, Singh and Stålmarck 2000), so with enough
steps every property that holds is proved.

That the step fails is no counterexample: the states it starts from may be unreachable. It is *unknown*.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from draincheck.engines.question import Answered, Question, one_by_one
from draincheck.engines.smt import bmc
from draincheck.engines.smt.bmc import ONLY_DEADLOCKS, BoundedSearch, seen_asked
from draincheck.engines.smt.mutexes import FOR_EVER, Pairs
from draincheck.engines.smt.relation import Relation
from draincheck.engines.smt.unrolling import Unrolling
from draincheck.engines.smt.writer import conjoined, declare, define
from draincheck.expr import BoolExpr, all_, constant, eq, not_
from draincheck.properties import FaultKind
from draincheck.reason import Inductive, NothingUpTo, NotInductive, Refused
from draincheck.semantics.validation import Path
from draincheck.semantics.violation import decided_by_states, fault_found, outcome_if_not_shown, shown_by
from draincheck.solvers import Answer, incremental
from draincheck.system import TransitionSystem
from draincheck.verdict import NO_LIMITS, SILENT, Limits, Outcome, Reporter, Verdict

__all__ = ["DEFAULT_STEPS", "Proof", "answer", "prove"]

#: the largest k that is tried where no limit is given
DEFAULT_STEPS = 20


class Proof(Struct, frozen=True):
    """What k-induction has proved.

    Attributes:
        property: the property's name.
        k: how many states in a row the induction looks back on.
        formula: what is k-inductive: no state violates the property or enables a faulty action, and the lemmas hold.
        simple: whether these states are pairwise different.
        asked: a path whose last step puts the property to the test; None where it is violated: a goal that is out of reach.
    """

    property: str
    k: int
    formula: BoolExpr
    simple: bool
    asked: Path | None = None


def prove(
    system: TransitionSystem,
    property_names: Sequence[str],
    limits: Limits = NO_LIMITS,
    reporter: Reporter = SILENT,
    lemmas: Sequence[BoolExpr] = (),
    *,
    mined: bool = True,
    pairs: Pairs | None = None,
) -> dict[str, tuple[Verdict, Proof | None]]:
    """Prove properties, each by itself, with a k of up to `limits.depth`, or find counterexamples on the way.

    They share the search for counterexamples and the time limit. `mined` adds what pairs of values exclude to the lemmas; `pairs` is the
    analysis of these, if somebody has made it already. What a verdict says, unless time runs out:

    * *holds* (for `Reachable`: *violated*), with the proof, only if no reachable state violates the property, enables an action with a fault
      or violates a lemma, and a run was found that asks the property;
    * *violated*, with one of the shortest counterexamples (for `Reachable` *holds*, with a witness), if a state that shows that is less than
      `limits.depth` steps away, and none that is nearer enables an action with a fault or violates a lemma; faults themselves, too;
    * *never asked*, if it is proved and nothing puts it to the test;
    * else *unknown*.
    """
    limits = limits.begun()
    found = _Induction(system, property_names, limits, lemmas, mined=mined, pairs=pairs).run(reporter)
    verdicts = {name: verdict for name, (verdict, _) in found.items()}
    seen = seen_asked(system, verdicts, limits, reporter)
    proofs = {n: replace(p, asked=seen.runs.get(n)) for n, (v, p) in found.items() if p and seen.verdicts[n] == v}
    return {name: (verdict, proofs.get(name)) for name, verdict in seen.verdicts.items()}


#: what is said of a fault in the way of a proof
_AN_OBSTACLE = {
    FaultKind.RANGE: "a value leaves its range",
    FaultKind.REENTRY: "a coroutine is entered that cannot be",
    FaultKind.SCHEDULED: "a coroutine is scheduled twice",
    FaultKind.ERROR: "there is an error",
    FaultKind.BOUND: "a bound is passed",
}


def answer(asked: Question) -> Answered:
    """Verdicts on properties one by one: with a large k that is faster than all in one solver."""

    def decide(name: str) -> dict[str, Verdict]:
        found = prove(asked.system, [name], asked.limits, asked.reporter, asked.lemmas)
        return {name: verdict for name, (verdict, _) in found.items()}

    def search(names: Sequence[str]) -> dict[str, Verdict]:
        deep = replace(asked.limits.begun(), depth=DEFAULT_STEPS if asked.limits.depth is None else asked.limits.depth)
        return bmc.decide(asked.system, names, deep, asked.reporter)

    return one_by_one(asked, decide, search)


class _Induction:
    """Several properties, with k growing for all of them.

    Attributes:
        found: the properties that are decided.
    """

    def __init__(
        self,
        system: TransitionSystem,
        names: Sequence[str],
        limits: Limits,
        lemmas: Sequence[BoolExpr],
        *,
        mined: bool,
        pairs: Pairs | None,
    ) -> None:
        self.found: dict[str, tuple[Verdict, Proof | None]] = {}
        self._system = system
        self._items = {name: system.property_named(name) for name in names}
        shown = {name: shown_by(system, item) for name, item in self._items.items()}
        self._goals = {name: goal for name, goal in shown.items() if goal is not None}
        self._limits = limits = limits.begun()
        faults = [(fault_found(system, {kind}), _AN_OBSTACLE[kind]) for kind in FaultKind]
        false_lemmas = [(not_(lemma), f"lemma {n} is no invariant, it is false") for n, lemma in enumerate(lemmas, 1)]
        obstacles = [*faults, *false_lemmas]
        self._base = BoundedSearch(system, [*self._goals], limits, pairs=pairs, obstacles=obstacles)
        mine = _exclusions(self._base.pairs) if mined else ()
        self._step = _Step(system, self._goals, all_(*(not_(fault) for fault, _ in faults), *lemmas, *mine))

    def run(self, reporter: Reporter) -> dict[str, tuple[Verdict, Proof | None]]:
        """Try k = 1, 2, 3 ... until everything is decided or a limit is reached."""
        limits, k, goes_on = self._limits, 0, True
        last = DEFAULT_STEPS if limits.depth is None and limits.seconds is None else limits.depth
        while goes_on and (last is None or k < last) and self._open():
            k += 1
            reporter.phase(f"query with k = {k}")
            goes_on = self._try(k)
            reporter.progress(k, 0, k, 0)
        faults = {name: (verdict, None) for name, verdict in self._base.verdicts.items() if name not in self._items}
        return {name: self.found.get(name) or (self._left(name, k), None) for name in self._items} | faults

    def _open(self) -> list[str]:
        return [name for name in self._goals if name not in self.found]

    def _try(self, k: int) -> bool:
        """Look for counterexamples of less than k steps, then for proofs with this k; False if z3 does not answer any more."""
        base = self._base
        while base.depth < k - 1 and not base.is_over:
            base.deepen()
        for name in self._open():
            shown = base.verdicts.get(name)
            if shown is not None and (shown.trace is not None or shown.outcome is Outcome.UNKNOWN):
                self.found[name] = shown, None
                continue
            answer = self._step.inductive(name, k, base.seconds_left())
            if answer is Answer.UNKNOWN:
                return False
            if answer is Answer.UNSAT:
                self.found[name] = self._proved(name, k)
        return True

    def _proved(self, name: str, k: int) -> tuple[Verdict, Proof | None]:
        """The verdict on a property that no reachable state shows violated."""
        item = self._items[name]
        if not decided_by_states(self._system, item):
            return Verdict(name, Outcome.UNKNOWN, NothingUpTo("counterexample", k, ONLY_DEADLOCKS)), None
        return Verdict(name, outcome_if_not_shown(item), Inductive(k)), Proof(name, k, self._step.formula(name), k > 1)

    def _left(self, name: str, k: int) -> Verdict:
        """The verdict on a property for which there is no proof with a k of up to this."""
        if name not in self._goals:
            return Verdict(name, Outcome.UNKNOWN, Refused("k-induction does not decide this kind of property"))
        return self._base.verdicts.get(name) or Verdict(name, Outcome.UNKNOWN, NotInductive(k))


class _Step:
    """The induction step: a path of pairwise different states, anywhere, on which a formula holds.

    All formulas have a part in common. What is more in that of a property is assumed only when its turn comes.
    """

    def __init__(self, system: TransitionSystem, goals: Mapping[str, BoolExpr], common: BoolExpr) -> None:
        self._goals, self._common = goals, common
        self._predicates = {name: f"goal{number}" for number, name in enumerate(goals)}
        relation = Relation(system)
        solver = incremental(relation.logic)
        holds = conjoined(map(relation.applied, ("domain", "claimed")))
        parts = [
            relation.domain,
            relation.predicate("claimed", common),
            define("common", relation.parameters(), holds),
            define("wrong", relation.parameters(), f"(not {relation.applied('common')})"),
            *(relation.predicate(predicate, goals[name]) for name, predicate in self._predicates.items()),
            *(declare(_avoided(predicate), "Bool") for predicate in self._predicates.values()),
        ]
        solver.define("".join(parts))
        self._unrolling = Unrolling(relation, solver, "common", lambda _: ())
        self._avoid(0)

    def formula(self, name: str) -> BoolExpr:
        """What is proved of a property."""
        return all_(not_(self._goals[name]), self._common)

    def inductive(self, name: str, k: int, seconds: float | None) -> Answer:
        """UNSAT if the formula of a property holds wherever it held in the k states before; k never gets smaller."""
        unrolling = self._unrolling
        while unrolling.length < k:
            if unrolling.length:
                unrolling.demand([unrolling.at("common", unrolling.length)])
                self._avoid(unrolling.length)
            unrolling.extend()
            unrolling.distinct(unrolling.length)
        predicate = self._predicates[name]
        question = unrolling.question(["wrong", predicate], k)
        return unrolling.solver.check([question, _avoided(predicate)], seconds)

    def _avoid(self, depth: int) -> None:
        """Let the assumption about a property say that the state at a depth does not violate it."""
        at = self._unrolling.at
        self._unrolling.demand(f"(=> {_avoided(p)} (not {at(p, depth)}))" for p in self._predicates.values())


def _avoided(predicate: str) -> str:
    """The name of the assumption that no state of the path, but perhaps the last, satisfies a predicate."""
    return f"avoided.{predicate}"


def _exclusions(pairs: Pairs) -> Iterator[BoolExpr]:
    """What pairs of values exclude for ever, as conditions."""
    mixed = pairs.without_locations()
    for first, second in mixed.exclusions().get(FOR_EVER, ()):
        facts = (mixed.facts.all[number] for number in {first: None, second: None})
        yield not_(all_(*(eq(variable, constant(variable.sort, value)) for variable, value in facts)))

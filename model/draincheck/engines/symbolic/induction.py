"""k-induction: a formula that holds in the first k states of every path, and after any k states in which it holds, always holds.

The formula says that the property is not violated and that no action is at fault, and with it come lemmas: those of a specification,
and the pairs of values that exclude each other for ever (`pairs`, without control locations: these pairs are inductive by themselves).
The states of the induction step are pairwise different (the simple path condition of Sheeran, Singh and Stålmarck 2000), so with enough
steps every property that holds is proved.

That the step fails is no counterexample: the states it starts from may be unreachable. It is *unknown*.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from draincheck.engines.evidence import NO_LIMITS, SILENT
from draincheck.engines.symbolic.bmc import Search
from draincheck.engines.symbolic.goals import fault_found, shown_by
from draincheck.engines.symbolic.pairs import FOR_EVER, Pairs
from draincheck.engines.symbolic.relation import Relation
from draincheck.engines.symbolic.smtlib import conjoined, define
from draincheck.engines.symbolic.solver import Answer, Solver
from draincheck.engines.symbolic.unrolling import Unrolling
from draincheck.expr import BoolExpr, all_, constant, eq, not_
from draincheck.system import Property, Reachable, TransitionSystem
from draincheck.verdict import Limits, Outcome, Reporter, Verdict

__all__ = ["DEFAULT_STEPS", "Proof", "check", "prove"]

#: the largest k that is tried where no limit is given
DEFAULT_STEPS = 20


@dataclass(frozen=True, slots=True)
class Proof:
    """What k-induction has proved.

    Attributes:
        property: the property's name.
        k: how many states in a row the induction looks back on.
        formula: what is k-inductive: no state violates the property or enables a faulty action, and the lemmas hold.
        simple: whether these states are pairwise different.
    """

    property: str
    k: int
    formula: BoolExpr
    simple: bool


def check(
    system: TransitionSystem,
    property_name: str,
    limits: Limits = NO_LIMITS,
    reporter: Reporter = SILENT,
    lemmas: Sequence[BoolExpr] = (),
) -> Verdict:
    """Prove a property with a k of up to `limits.depth`, or find a counterexample on the way.

    Raises:
        ModelFault: some state that the search for counterexamples reached enables an action that cannot be taken.
    """
    return prove(system, property_name, limits, reporter, lemmas)[0]


def prove(
    system: TransitionSystem,
    property_name: str,
    limits: Limits = NO_LIMITS,
    reporter: Reporter = SILENT,
    lemmas: Sequence[BoolExpr] = (),
    *,
    mined: bool = True,
) -> tuple[Verdict, Proof | None]:
    """Like `check`, with the proof if there is one; `mined` adds what pairs of values exclude to the lemmas."""
    item = system.property_named(property_name)
    goal = shown_by(system, item)
    if goal is None:
        return Verdict(item.name, Outcome.UNKNOWN, "k-induction does not decide this kind of property"), None
    bound = fault_found(system, bound=True)
    false_lemmas = [(not_(lemma), f"lemma {n} is no invariant, it is false") for n, lemma in enumerate(lemmas, 1)]
    base = Search(system, item, goal, limits, obstacles=[(bound, "a bound is passed"), *false_lemmas])
    step = _Step(system, mined, all_(not_(goal), not_(fault_found(system, bound=False)), not_(bound), *lemmas))
    last = DEFAULT_STEPS if limits.depth is None and limits.seconds is None else limits.depth
    found: Verdict | None = None
    k = 0
    while last is None or k < last:
        k += 1
        while found is None and base.depth < k - 1:
            found = base.deepen()
        if found is not None and (found.trace is not None or found.outcome is Outcome.UNKNOWN):
            return found, None
        answer = step.inductive(k, base.seconds_left())
        reporter.progress(0, 0, k, 0)
        if answer is Answer.UNSAT:
            return _proved(item, k), Proof(item.name, k, step.formula, k > 1)
        if answer is Answer.UNKNOWN:
            break
    return found or Verdict(item.name, Outcome.UNKNOWN, f"not inductive with k up to {k}"), None


def _proved(item: Property, k: int) -> Verdict:
    outcome = Outcome.VIOLATED if isinstance(item, Reachable) else Outcome.HOLDS
    return Verdict(item.name, outcome, f"k-induction, k = {k}")


class _Step:
    """The induction step: a path of pairwise different states, anywhere, on which a formula holds."""

    def __init__(self, system: TransitionSystem, mined: bool, formula: BoolExpr) -> None:
        self.formula = all_(formula, *(_exclusions(system) if mined else ()))
        relation = Relation(system)
        solver = Solver(relation.logic)
        solver.define(relation.domain + relation.predicate("claimed", self.formula))
        holds = conjoined(map(relation.applied, ("domain", "claimed")))
        solver.define(define("formula", relation.parameters(), holds))
        solver.define(define("wrong", relation.parameters(), f"(not {relation.applied('formula')})"))
        self._unrolling = Unrolling(relation, solver, "formula", lambda _: ())

    def inductive(self, k: int, seconds: float | None) -> Answer:
        """UNSAT if the formula holds wherever it held in the k states before; k is one more than the last time."""
        unrolling = self._unrolling
        if unrolling.length:
            unrolling.demand([unrolling.at("formula", unrolling.length)])
        unrolling.extend()
        unrolling.distinct(k)
        return unrolling.solver.check(unrolling.question("wrong", k), seconds)


def _exclusions(system: TransitionSystem) -> Iterator[BoolExpr]:
    """What pairs of values exclude for ever, as conditions."""
    pairs = Pairs(system, located=False)
    for first, second in pairs.exclusions().get(FOR_EVER, ()):
        facts = (pairs.facts.all[number] for number in {first: None, second: None})
        yield not_(all_(*(eq(variable, constant(variable.sort, value)) for variable, value in facts)))

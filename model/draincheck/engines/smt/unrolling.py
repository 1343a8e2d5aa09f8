"""Paths of a system as constants of a solver: state after state, with the action between."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from draincheck.engines.smt.mutexes import Pairs
from draincheck.engines.smt.relation import Relation
from draincheck.engines.smt.writer import conjoined, declare, define, disjoined
from draincheck.semantics.validation import Path
from draincheck.solvers import Incremental

__all__ = ["Exclusions", "Unrolling"]


class Unrolling:
    """A path that grows at its end.

    The constants of the state at depth 4 are `v0.4`, `v1.4` and so on, the action that leads to it is `c.4`.

    Attributes:
        length: how many steps the path has.
    """

    def __init__(
        self, relation: Relation, solver: Incremental, first: str, always: Callable[[int], Iterable[str]]
    ) -> None:
        """A path of no steps.

        Args:
            relation: the system.
            solver: where the path is built; it has to know the predicates.
            first: the predicate of the first state.
            always: the predicates of the state at a depth.
        """
        self.relation = relation
        self.solver = solver
        self.length = 0
        self._questions = 0
        self._always = always
        solver.define(relation.step + "".join(relation.declared(0)))
        self.demand(self.at(predicate, 0) for predicate in (first, *always(0)))

    def extend(self) -> None:
        """Add a step."""
        self.length += 1
        always = [self.at(predicate, self.length) for predicate in self._always(self.length)]
        self.demand([self.relation.taken(self.length), *always], "".join(self.relation.declared(self.length)))

    def at(self, predicate: str, depth: int) -> str:
        """The text of a predicate over the state at a depth."""
        return f"({predicate} {self.relation.at(depth)})"

    def question(self, predicates: Iterable[str], depth: int) -> str:
        """A new constant that implies one of some predicates of the state at a depth: something to assume in a check."""
        self._questions += 1
        name = f"q.{self._questions}"
        wanted = disjoined(self.at(predicate, depth) for predicate in predicates)
        self.demand([f"(=> {name} {wanted})"], declare(name, "Bool"))
        return name

    def demand(self, texts: Iterable[str], declared: str = "") -> None:
        """Assert conditions, perhaps about constants that are declared here."""
        self.solver.add(declared + "".join(f"(assert {text})" for text in texts))

    def distinct(self, depth: int) -> None:
        """Assert that the state at a depth is none of those before it."""
        self.demand(self.relation.different(earlier, depth) for earlier in range(depth))

    def path(self) -> Path:
        """After a sat answer: the first state, and the actions that were taken."""
        relation = self.relation
        first = relation.at(0).split()
        choices = [f"c.{n}" for n in range(1, self.length + 1)]
        # what the solver left open gets the least value
        values = dict.fromkeys([*first, *choices], 0) | self.solver.values({*first, *choices})
        initial = tuple(relation.stored(position, values[name]) for position, name in enumerate(first))
        return initial, [relation.actions[values[name]].index for name in choices]


class Exclusions:
    """What pairs of values exclude at each depth, as definitions of a solver."""

    def __init__(self, relation: Relation, pairs: Pairs, solver: Incremental) -> None:
        found = pairs.exclusions()
        facts = [relation.value(variable, value) for variable, value in pairs.facts.all]
        self._layers = sorted(found)
        for layer, excluded in found.items():
            texts = (f"(not {facts[a]})" if a == b else f"(not (and {facts[a]} {facts[b]}))" for a, b in excluded)
            solver.define(define(f"excluded{layer}", relation.parameters(), conjoined(texts)))

    def at(self, depth: int) -> list[str]:
        """The predicates that every state at this depth satisfies."""
        return [f"excluded{layer}" for layer in self._layers if layer > depth]

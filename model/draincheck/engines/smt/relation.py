"""A transition system as SMT-LIB definitions: where it starts, and the step from a state to the next.

A state is a list of constants, one for each variable: `v3` is the fourth variable, `w3` the same after a step, unless somebody else calls them
otherwise (`Symbols`). Beside the two states a step has the action it takes: `c`, which counts those actions that some state may enable.
"""

from __future__ import annotations

from functools import cached_property

from draincheck.engines.smt.operators import possible
from draincheck.engines.smt.writer import BitVectors, Integers, SmtWriter, conjoined, declare, define, disjoined
from draincheck.expr import BoolExpr
from draincheck.naturals import has_naturals
from draincheck.semantics.violation import faultless
from draincheck.sorts import BOOL, IntSort
from draincheck.system import Action, TransitionSystem, Variable

__all__ = ["Relation", "Symbols"]


class Symbols:
    """What variables are called, by their positions."""

    def before(self, position: int) -> str:
        """Before a step, and in conditions."""
        return f"v{position}"

    def after(self, position: int) -> str:
        """After a step."""
        return f"w{position}"

    def at(self, position: int, depth: int) -> str:
        """At a depth of a path."""
        return f"v{position}.{depth}"


class Relation:
    """A system's definitions.

    Attributes:
        system: the system.
        actions: those that some state may enable, in index order; a step counts them from 0.
        choice: the sort of the number of an action.
        logic: the logic of SMT-LIB that the definitions belong to.
        state: the sorts of the variables, in the order of the system.
    """

    def __init__(
        self, system: TransitionSystem, symbols: Symbols | None = None, writer: type[SmtWriter] | None = None
    ) -> None:
        self.system = system
        self.symbols = symbols or Symbols()
        self.actions = tuple(action for action in system.actions if possible(faultless(action)))
        self._writer = (writer or (Integers if has_naturals(system) else BitVectors))(
            {variable: self.symbols.before(i) for i, variable in enumerate(system.variables)}
        )
        self.logic = self._writer.logic
        self._numbers = IntSort(0, max(0, len(self.actions) - 1))
        self.choice = self._writer.sort(self._numbers)
        self.state = [self._writer.sort(variable.sort) for variable in system.variables]

    def parameters(self) -> list[tuple[str, str]]:
        """The variables as parameters of a definition."""
        return [(self.symbols.before(i), sort) for i, sort in enumerate(self.state)]

    def applied(self, predicate: str) -> str:
        """A predicate of a state as part of a definition that has the state as its parameters."""
        return f"({predicate} {' '.join(name for name, _ in self.parameters())})"

    def at(self, depth: int) -> str:
        """The constants of the state at a depth of a path: `v0.4 v1.4` and so on."""
        return " ".join(self.symbols.at(i, depth) for i in range(len(self.state)))

    def declared(self, depth: int) -> list[str]:
        """Their declarations, and that of the action that leads there: `c.4`; none leads to the first state."""
        found = [declare(self.symbols.at(i, depth), sort) for i, sort in enumerate(self.state)]
        return [*found, declare(f"c.{depth}", self.choice)] if depth else found

    def taken(self, depth: int) -> str:
        """That the path goes on to a depth from the one before."""
        return f"(step {self.at(depth - 1)} {self.at(depth)} c.{depth})"

    def different(self, one: int, other: int) -> str:
        """That the states at two depths are not the same."""
        pairs = ((self.symbols.at(i, one), self.symbols.at(i, other)) for i in range(len(self.state)))
        return f"(not {conjoined(f'(= {first} {second})' for first, second in pairs)})"

    def predicate(self, name: str, condition: BoolExpr) -> str:
        """The definition of a condition over a state."""
        return define(name, self.parameters(), self.condition(condition))

    def condition(self, condition: BoolExpr) -> str:
        """The text of a condition over the variables `v0`, `v1` and so on."""
        return self._writer.bound(lambda: self._writer.truth(condition))

    def value(self, variable: Variable, stored: int) -> str:
        """The text that says that a variable has a value."""
        name = self.symbols.before(self.system.position[variable])
        if variable.sort is BOOL:
            return name if stored else f"(not {name})"
        return f"(= {name} {self._writer.constant(variable.sort, stored)})"

    def stored(self, position: int, number: int) -> int:
        """The value that a number in a solver's answer stands for, for the variable at a position."""
        return self._writer.stored(self.system.variables[position].sort, number)

    @cached_property
    def initial(self) -> str:
        """The definition of `init`: the initial states. A variable without initial values, or with all, may start with any of its sort."""
        chosen = {v: dict.fromkeys(v.initial) for v in self.system.variables if not _starts_anyhow(v)}
        parts = [disjoined(self.value(v, value) for value in values) for v, values in chosen.items()]
        return define("init", self.parameters(), conjoined([self.applied("domain"), *parts]))

    @cached_property
    def domain(self) -> str:
        """The definition of `domain`: every variable has a value of its sort."""
        limits = [self._writer.limits(self.symbols.before(i), v.sort) for i, v in enumerate(self.system.variables)]
        return define("domain", self.parameters(), conjoined(limit for limit in limits if limit != "true"))

    @cached_property
    def step(self) -> str:
        """The definition of `step`: the states before and after, and the action; a line for each action, then for each variable."""
        after = [(self.symbols.after(i), sort) for i, sort in enumerate(self.state)]
        parameters = [*self.parameters(), *after, ("c", self.choice)]
        if not self.actions:
            return define("step", parameters, "false")
        lines = [self._writer.limits("c", self._numbers)]
        lines += [f"(=> {self._taken(n)} {self._effect(action)})" for n, action in enumerate(self.actions)]
        lines += [self._kept(variable) for variable in self.system.variables]
        return define("step", parameters, "(and\n" + "\n".join(lines) + ")")

    @property
    def enabled(self) -> str:
        """The definition of `enabled`: the state, and an action that can be taken there; a line for each action."""
        lines = [f"(and {self._taken(n)} {self.condition(faultless(a))})" for n, a in enumerate(self.actions)]
        return define("enabled", [*self.parameters(), ("c", self.choice)], disjoined(f"\n{line}" for line in lines))

    def number(self, number: int) -> str:
        """The text of a number of an action."""
        return self._writer.constant(self._numbers, number)

    def number_of(self, index: int) -> str:
        """The text of the number by which a step knows the action with an index."""
        return self.number(next(n for n, action in enumerate(self.actions) if action.index == index))

    def _taken(self, number: int) -> str:
        return f"(= c {self.number(number)})"

    def _effect(self, action: Action) -> str:
        """What an action demands of the state before it, and makes of the variables it writes."""

        def text() -> str:
            position = self.system.position
            stored = [
                f"(= {self.symbols.after(position[u.variable])} {self._writer.value(u.value, u.variable.sort)})"
                for u in action.updates
            ]
            return conjoined([self._writer.truth(faultless(action)), *stored])

        return self._writer.bound(text)

    def _kept(self, variable: Variable) -> str:
        """A variable keeps its value unless the action writes it."""
        position = self.system.position[variable]
        writers = [n for n, a in enumerate(self.actions) if any(u.variable is variable for u in a.updates)]
        return disjoined(
            [*map(self._taken, writers), f"(= {self.symbols.after(position)} {self.symbols.before(position)})"]
        )


def _starts_anyhow(variable: Variable) -> bool:
    """Whether a variable may start with any value of its sort: none is named, or all are."""
    starts = variable.initial
    return (
        not starts
        or (starts.stop - starts.start if isinstance(starts, range) else len(set(starts))) == variable.sort.size
    )

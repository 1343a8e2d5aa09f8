"""SMT-LIB, for z3, cvc5 and other solvers: `init`, `step` and what shows each property as functions of a state, over integers.

It is the translation that engines and certificates use, with the names of the model: quoted symbols, which may hold nearly anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from draincheck.engines.smt.relation import Relation, Symbols
from draincheck.engines.smt.writer import Integers
from draincheck.escape import printable
from draincheck.export.contents import Exported, Origin, heading, left_out, refuse_no_variables, said_of, where
from draincheck.export.naming import LONGEST, Spellings
from draincheck.properties import CanAlwaysFinish, Liveness, Property, Reachable
from draincheck.semantics.violation import shown_by
from draincheck.sorts import EnumSort, Sort
from draincheck.system import TransitionSystem

__all__ = ["to_smtlib"]

#: what definitions here are made of
RESERVED = frozenset({
    "_", "!", "as", "let", "forall", "exists", "match", "par", "true", "false", "not", "and", "or", "=>", "=", "ite", "<", "<=", "+", "-",
    "Bool", "Int", "domain", "init", "step", "c",
})  # fmt: skip

#: what no quoted symbol may have, and what tells a variable from itself after a step, at a depth, and from names of parts of terms
REPLACED = str.maketrans({"|": "!", "\\": "/", "'": "`", "@": "%", "?": "."})

NO_RUNS = "a run without end is more than any number of steps"


def to_smtlib(system: TransitionSystem, items: Sequence[Property], origin: Origin) -> Exported:
    """The system with some of its properties. Raises ExportError for a system without variables."""
    refuse_no_variables(system)
    lacking = left_out(system, items, NO_RUNS)
    carried = [item for item in items if not isinstance(item, CanAlwaysFinish | Liveness)]
    writer = _Writer(system, carried)
    text = "\n".join(writer.lines([*heading(system, origin, items, lacking)])) + "\n"
    return Exported(text, tuple((item.name, writer.called[item]) for item in carried), lacking)


class _Quoted(Symbols):
    """The names of the model; after a step they have a prime, at a depth its number."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def before(self, position: int) -> str:
        """As it is called."""
        return f"|{self._names[position]}|"

    def after(self, position: int) -> str:
        """With a prime."""
        return f"|{self._names[position]}'|"

    def at(self, position: int, depth: int) -> str:
        """With the depth."""
        return f"|{self._names[position]} @{depth}|"


class _Writer:
    """Writes one system."""

    def __init__(self, system: TransitionSystem, items: Sequence[Property]) -> None:
        self.system, self.items = system, items
        names = Spellings(_spelled, RESERVED)
        self._symbols = _Quoted([names.new(variable.name) for variable in system.variables])
        self._relation = Relation(system, self._symbols, Integers)
        self.called = {item: f"|{names.new(f'{_shows(item)} {item.name}')}|" for item in items}

    def lines(self, said: Sequence[str]) -> Iterator[str]:
        """The file, line by line."""
        yield from (f"; {printable(line)}".rstrip() for line in said)
        if self.called:
            yield "; The query at the end asks about two steps alone, as an example: unsat says nothing of other lengths."
        yield from ("(set-info :smt-lib-version 2.6)", f"(set-logic {self._relation.logic})")
        yield from ("", "; variables; with a prime: after a step")
        for position, variable in enumerate(self.system.variables):
            yield f"; {self._symbols.before(position)} {printable(f'{variable.name}: {_meaning(variable.sort)}')}"
        yield from ("", "; actions, by the number c of a step")
        for number, action in enumerate(self._relation.actions):
            yield f"; {number} {printable(f'{action.process}: {where(action)}')}"
        yield from ("", "; every variable has one of its values", self._relation.domain)
        yield from ("", "; where runs begin", self._relation.initial)
        yield from ("", "; what a step makes of a state; one with an error is not taken", self._relation.step)
        yield from self._demands()
        yield from self._question()

    def _demands(self) -> Iterator[str]:
        for item, name in self.called.items():
            condition = shown_by(self.system, item)
            assert condition is not None, item
            yield from ("", f"; {printable(said_of(item))}", self._relation.predicate(name, condition))

    def _question(self) -> Iterator[str]:
        """A query to begin with."""
        if not self.called:
            return
        relation, (item, name) = self._relation, next(iter(self.called.items()))
        yield from ("", f"; Do two steps lead to a state that {_shows(item)} {printable(item.name)}? sat: they do.")
        yield "; For other lengths declare more or fewer states, with a step between each and the next."
        yield "(push 1)"
        yield from (line for depth in range(3) for line in relation.declared(depth))
        yield f"(assert {_applied('init', relation.at(0))})"
        yield from (f"(assert {relation.taken(depth)})" for depth in (1, 2))
        yield f"(assert {_applied(name, relation.at(2))})"
        yield from ("(check-sat)", "(pop 1)")


def _applied(predicate: str, state: str) -> str:
    return f"({predicate} {state})" if state else predicate


def _shows(item: Property) -> str:
    return "reaches" if isinstance(item, Reachable) else "violates"


def _meaning(sort: Sort) -> str:
    """The values of a sort, those with names by their numbers."""
    if isinstance(sort, EnumSort):
        return ", ".join(f"{number} {name}" for number, name in enumerate(sort.names))
    return str(sort)


def _spelled(name: str, number: int) -> str:
    """A name inside a quoted symbol."""
    text = printable(name).translate(REPLACED)[:LONGEST] or "x"
    return text if number == 1 else f"{text} #{number}"

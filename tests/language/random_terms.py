"""Random variables, terms and updates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from tests.language.tree import At, CanEnter, IsName, Name, Number, Op, Read, Term, Truth, Update, Var, Yielded

__all__ = ["Terms", "variables"]

SORTS: tuple[Var, ...] = (
    Var("", "bool"),
    Var("", "bool"),
    Var("", "bool"),
    Var("", "int", 0, 1),
    Var("", "int", 0, 2),
    Var("", "int", 0, 2),
    Var("", "int", -1, 1),
    Var("", "enum", 0, 1, names=("x", "y")),
    Var("", "enum", 0, 2, names=("u", "v", "w")),
)


def variables(random: Random) -> tuple[Var, ...]:
    """Two or three variables; the first is a truth value."""
    kinds = [SORTS[0], *(random.choice(SORTS) for _ in range(random.choice((1, 1, 2))))]
    return tuple(_named(f"v{number}", kind, random) for number, kind in enumerate(kinds))


def _named(name: str, kind: Var, random: Random) -> Var:
    initial = random.randint(kind.low, kind.high) if random.random() < 0.4 else max(kind.low, 0)
    return Var(name, kind.kind, kind.low, kind.high, initial, kind.names, random.random() < 0.06)


class Terms:
    """Random terms of a process that knows some variables; `everybody` and `coroutines` are processes that it may ask about."""

    def __init__(
        self, random: Random, known: Sequence[Var], everybody: Sequence[str], coroutines: Sequence[str]
    ) -> None:
        self.random, self.known, self.everybody, self.coroutines = random, known, everybody, coroutines

    def chance(self, percent: int) -> bool:
        return self.random.random() * 100 < percent

    # conditions

    def condition(self, depth: int = 1, among: Sequence[Var] | None = None) -> Term:
        """A truth-valued term; among some variables only, if given."""
        roll = self.random.random()
        if depth == 0 or roll < 0.6:
            return self.atom(among)
        if roll < 0.7:
            return Op("not", (self.condition(depth - 1, among),))
        if roll < 0.74:
            return Op("ite", tuple(self.condition(depth - 1, among) for _ in range(3)))
        op = self.random.choice(("and", "and", "or", "or", "implies", "iff"))
        return Op(op, (self.condition(depth - 1, among), self.condition(depth - 1, among)))

    def atom(self, among: Sequence[Var] | None) -> Term:
        """Something about one variable, or about a process."""
        if among is None and (found := self.elsewhere()) is not None:
            return found
        if self.chance(2):
            return Truth(self.chance(50))
        var = self.random.choice(self.known if among is None else among)
        if var.kind == "bool":
            return Read(var) if self.chance(55) else Op("not", (Read(var),))
        if var.kind == "int":
            return self.comparison(var, among)
        if self.chance(25):
            return Op(
                "same", (Read(var), Read(self.random.choice([v for v in among or self.known if v.names == var.names])))
            )
        return IsName(Read(var), tuple(self.random.sample(var.names, self.random.choice((1, 1, len(var.names) - 1)))))

    def elsewhere(self) -> Term | None:
        """About a process; which place is found when all places are known."""
        if self.coroutines and self.chance(12):
            return CanEnter(self.random.choice(self.coroutines))
        if self.coroutines and self.chance(5):
            return Yielded(self.random.choice(self.coroutines), "?")
        if self.everybody and self.chance(4):
            return At(self.random.choice(self.everybody), "?")
        return None

    def comparison(self, var: Var, among: Sequence[Var] | None) -> Term:
        op = self.random.choice(("lt", "le", "gt", "ge", "is", "is", "is"))
        return Op(op, (self.number(1, [var]), self.number(0, among) if self.chance(20) else self.constant(var)))

    def constant(self, var: Var) -> Term:
        return Number(self.random.randint(var.low, var.high))

    # numbers and names

    def number(self, depth: int, among: Sequence[Var] | None = None) -> Term:
        """An integer term."""
        ints = [var for var in among or self.known if var.kind == "int"]
        leaf = Read(self.random.choice(ints)) if ints and self.chance(85) else Number(self.random.randint(0, 1))
        if depth == 0 or self.chance(75):
            return leaf
        roll = self.random.random()
        if roll < 0.3:
            return Op("ite", (self.atom(among), leaf, self.number(depth - 1, among)))
        if roll < 0.5:
            return Op("count", tuple(self.atom(among) for _ in range(self.random.randint(0, 2))))
        return Op(self.random.choice(("add", "sub")), (leaf, self.number(depth - 1, among)))

    def value(self, var: Var) -> Term:
        """A term that the variable can hold, mostly within its range."""
        if var.kind == "bool":
            return self.condition() if self.chance(40) else Truth(self.chance(60))
        if var.kind == "int":
            return self.constant(var) if self.chance(60) else self.number(1)
        same = [other for other in self.known if other.names == var.names]
        if self.chance(25):
            return Op("ite", (self.condition(0), Read(self.random.choice(same)), Read(self.random.choice(same))))
        return Read(self.random.choice(same)) if self.chance(25) else Name(var.names, self.random.randint(0, var.high))

    # updates

    def updates(self, writable: Sequence[Var]) -> tuple[Update, ...]:
        """Simultaneous updates of different variables."""
        some = self.random.sample(list(writable), min(len(writable), self.random.choice((0, 1, 1, 1, 1, 2))))
        return tuple(map(self.update, some))

    def update(self, var: Var) -> Update:
        if var.kind == "bool" and self.chance(30):
            return Update(var, "set")
        if var.kind == "int" and self.chance(45):
            return self.counted(var)
        term = self.value(var)
        return Update(var, "to" if self.chance(15) and not isinstance(term, Name) else "set", term)

    def counted(self, var: Var) -> Update:
        """One more or one less, mostly only where there is room."""
        room, update = self.room(var)
        when = room if self.chance(70) else self.atom(None) if self.chance(30) else None
        return replace(update, term=when)

    def room(self, var: Var) -> tuple[Term, Update]:
        """One more or one less, and where there is room for it."""
        if self.chance(50):
            return Op("lt", (Read(var), Number(var.high))), Update(var, "inc")
        return Op("gt", (Read(var), Number(var.low))), Update(var, "dec")

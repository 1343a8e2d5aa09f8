"""Actions under case distinctions: each case needs some values and makes some values, and nothing else about it matters.

An update such as `pending := pending + 1 if root == source else pending` does one thing for each pair of values of `root` and `pending`.
Splitting an action along the variables that decide what it does turns it into operators as AI planning knows them: facts needed, facts
made. A *fact* is a variable with a value; sets of facts are bit masks over their numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from draincheck import op
from draincheck.exploration.domains import Values, conjunction
from draincheck.expr import REBUILD, BoolExpr, Expr, constant, substitute, variables_of
from draincheck.naturals import is_natural
from draincheck.sorts import BOOL
from draincheck.system import Variable
from draincheck.walks import OfTerms, bottom_up

__all__ = ["Case", "Fact", "OperatorFacts", "bits", "possible"]

#: a variable and a stored value of it
Fact = tuple[Variable, int]

#: cases an action is split into; beyond, an undecided update may store any value and an undecided condition counts as true
MOST_CASES = 256

#: variables on which an undecided case may depend; one with more is not split, for that would leave it as undecided
MOST_OPEN = 64


class Case(Struct, frozen=True):
    """A case of an action.

    Attributes:
        needs: for each variable that the case depends on, the facts of which one must be true before.
        makes: for each variable that it writes, the facts of which one is true afterwards.
    """

    needs: Mapping[Variable, int]
    makes: Mapping[Variable, int]


class OperatorFacts:
    """The facts about some variables, numbered variable by variable."""

    def __init__(self, variables: Iterable[Variable]) -> None:
        self.all: list[Fact] = []
        #: the facts about each variable, one of which is always true
        self.of: dict[Variable, int] = {}
        self._first: dict[Variable, int] = {}
        for variable in variables:
            self._first[variable] = len(self.all)
            self.of[variable] = (1 << variable.sort.size) - 1 << len(self.all)
            self.all += [(variable, value) for value in range(variable.sort.low, variable.sort.high + 1)]

    def number(self, variable: Variable, value: int) -> int:
        """The number of a fact."""
        return self._first[variable] + value - variable.sort.low

    def mask(self, variable: Variable, values: Iterable[int]) -> int:
        """The facts that a variable has one of these values."""
        return sum(1 << self.number(variable, value) for value in set(values))

    def cases(self, condition: Expr, updates: Mapping[Variable, Expr]) -> Sequence[Case]:
        """The cases of what happens under a condition; together they cover it, and each says no less than what can happen."""
        found: list[Case] = []
        todo = [(condition, {v: term for v, term in updates.items() if v in self.of}, dict[Variable, int]())]
        while todo:
            condition, terms, needs = todo.pop()
            said = conjunction([_Opaque()[condition]])
            if said is None:
                continue
            needs = needs | self._needs(said.fixed, said.among)
            open_terms = [*said.rest, *(term for v, term in terms.items() if term.op is not op.CONST and term is not v)]
            known = self.of.keys() & {v for term in open_terms for v in variables_of(term)}
            variable = min(known, key=self._first.__getitem__, default=None)
            if variable is None or len(known) > MOST_OPEN or len(found) + len(todo) >= MOST_CASES:
                found.append(Case(needs, {v: self._made(v, term) for v, term in terms.items() if term is not v}))
                continue
            for fact in bits(needs.get(variable, self.of[variable])):
                value: dict[Expr, Expr] = {variable: constant(variable.sort, self.all[fact][1])}
                after = {v: term if term is v else substitute(term, value) for v, term in terms.items()}
                todo.append((substitute(condition, value), after, {**needs, variable: 1 << fact}))
        return found

    def _needs(self, fixed: Mapping[Expr, int], among: Mapping[Expr, Values]) -> dict[Variable, int]:
        """What a conjunction says about single variables, as facts."""
        sets: dict[Expr, Values] = {variable: (value, value + 1) for variable, value in fixed.items()} | dict(among)
        return {v: self._among(v, values) for v, values in sets.items() if isinstance(v, Variable) and v in self.of}

    def _among(self, variable: Variable, values: Values) -> int:
        """The facts that a variable has one of these values."""
        first = self._first[variable] - variable.sort.low
        return sum(
            (1 << end + first) - (1 << start + first) for start, end in zip(values[::2], values[1::2], strict=True)
        )

    def _made(self, variable: Variable, term: Expr) -> int:
        """The facts of which storing a term makes one true: all of the variable if it is not known which."""
        value = term.value if term.op is op.CONST else None
        if value is None or not variable.sort.low <= value <= variable.sort.high:
            return self.of[variable]
        return 1 << self.number(variable, value)


def possible(condition: BoolExpr) -> bool:
    """False for a condition of which single variables tell that nothing satisfies it."""
    return conjunction([_Opaque()[condition]]) is not None


class _Opaque(OfTerms[Expr]):
    """Conditions with an unknown truth value in place of each comparison of natural numbers, of which no set can be made."""

    def of(self, a: Expr) -> Expr:
        """The condition, from those that it is made of."""
        if a.op in (op.EQ, op.LT, op.LE):
            return BoolExpr("", BOOL, op=op.OPAQUE) if any(map(_is_endless, a.args)) else a
        if a.op not in (op.AND, op.OR, op.NOT, op.ITE) or not isinstance(a, BoolExpr):
            return a
        args = tuple(map(self.__getitem__, a.args))
        return a if all(new is old for new, old in zip(args, a.args, strict=True)) else REBUILD[a.op](*args)


def _is_endless(a: Expr) -> bool:
    return is_natural(a.sort) or (bool(a.args) and any(is_natural(term.sort) for term in bottom_up(a)))


def bits(mask: int) -> Iterator[int]:
    """The positions of the bits that are set, lowest first."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest

"""Expressions: the terms that guards, updates and properties are made of.

Terms are immutable trees built by Python operators; constants are folded while building, so that a knob that is off leaves nothing
behind. Terms have no Python value (see `Valueless`): `x.is_(1)`, `&`, `p.when` stand for `==`, `and`, `if`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING, Final, TypeVar, cast

from msgspec import Struct

from draincheck import op
from draincheck.errors import ModelError
from draincheck.location import slip
from draincheck.op import Op
from draincheck.refusals import Valueless, no_condition, said
from draincheck.sorts import BOOL, EnumSort, IntSort, Sort, Value
from draincheck.walks import OfTerms, bottom_up

__all__ = [
    "FALSE", "REBUILD", "TRUE", "BoolExpr", "EnumExpr", "Expr", "IntExpr", "Rendering", "Substitution", "all_", "any_", "bounds",
    "choose", "constant", "count", "eq", "ite", "not_", "number", "render", "same_kind", "substitute", "variables_of", "want_bool", "want_int",
]  # fmt: skip


class _Made(Struct, frozen=True, kw_only=True, eq=False, gc=False):
    """What a term is made of; see `Expr`. Terms hold no cycles that Python would have to look for."""

    op: Op = op.VAR
    args: tuple[Expr, ...] = ()
    value: int = 0


class Expr(Valueless, _Made, frozen=True):
    """A term over state variables.

    Attributes: `op`, `args` (sub-terms), `sort`, `value` (stored, of constants), `name` (of variables and places, "" for others).
    """

    name: str
    sort: Sort

    def operand(self) -> str:
        """Its text inside a larger term."""
        return f"({render(self)})" if self.op in _INFIX else render(self)

    def __str__(self) -> str:
        return render(self)

    __repr__ = __str__


class BoolExpr(Expr, frozen=True):
    """A truth-valued term: combine with `&`, `|`, `~`, `implies` and `iff`."""

    def __and__(self, other: BoolExpr) -> BoolExpr:
        return _both(op.AND, FALSE, self, want_bool(other))

    def __or__(self, other: BoolExpr) -> BoolExpr:
        return _both(op.OR, TRUE, self, want_bool(other))

    def __invert__(self) -> BoolExpr:
        return not_(self)

    def implies(self, other: BoolExpr) -> BoolExpr:
        """True unless this holds and `other` does not."""
        return any_(not_(self), other)

    def iff(self, other: BoolExpr) -> BoolExpr:
        """True where both have the same truth value."""
        return eq(self, want_bool(other))

    def __reduce__(self) -> str | tuple[object, ...]:
        """There is one true and one false: copies, in other processes too, are these."""
        return "TRUE" if self is TRUE else "FALSE" if self is FALSE else super().__reduce__()


class IntExpr(Expr, frozen=True):
    """An integer term: `+`, `-`, `<`, `<=`, `>`, `>=` and `is_`; the other operand may be a Python int."""

    def __add__(self, other: IntExpr | int) -> IntExpr:
        return arith(op.ADD, self, want_int(other))

    def __sub__(self, other: IntExpr | int) -> IntExpr:
        return arith(op.SUB, self, want_int(other))

    def __lt__(self, other: IntExpr | int) -> BoolExpr:
        return compare(op.LT, self, want_int(other))

    def __le__(self, other: IntExpr | int) -> BoolExpr:
        return compare(op.LE, self, want_int(other))

    def __gt__(self, other: IntExpr | int) -> BoolExpr:
        return compare(op.LT, want_int(other), self)

    def __ge__(self, other: IntExpr | int) -> BoolExpr:
        return compare(op.LE, want_int(other), self)

    def is_(self, other: IntExpr | int) -> BoolExpr:
        """True where both are the same number."""
        return eq(self, want_int(other))


class EnumExpr(Expr, frozen=True):
    """A term with a named value; compare it with names through `is_`."""

    def is_(self, *names: str) -> BoolExpr:
        """True where the value is one of these names; raises ModelError for a name the sort does not have."""
        if len(names) == 1:
            return eq(self, self.named(names[0]))
        if not names:
            raise slip(f"{self}.is_() needs a name: {self.sort}")
        return any_(*[eq(self, self.named(name)) for name in names])

    def named(self, name: str) -> EnumExpr:
        """The constant of this sort with a name; raises ModelError for a name the sort does not have."""
        return _enum_constant(self.sort, self._position(name))

    def _position(self, name: Value | Expr) -> int:
        if isinstance(name, Expr):
            raise slip(f"{self} is {self.sort}: name one in quotes, not {name}; same_as(...) compares two terms")
        try:
            return self.sort.encode(name)
        except ModelError as error:
            raise slip(error.message) from None

    def same_as(self, other: EnumExpr) -> BoolExpr:
        """True where both have the same value; raises ModelError for different sorts."""
        if not same_kind(self, other):
            raise slip(f"cannot compare {self} ({self.sort}): {said(other)}")
        return eq(self, other)


TRUE: Final = BoolExpr("", BOOL, op=op.CONST, value=1)
FALSE: Final = BoolExpr("", BOOL, op=op.CONST, value=0)

E = TypeVar("E", bound=Expr)


def same_kind(a: object, b: object) -> bool:
    """Whether both are terms, and of one kind: truth values, numbers (of any range), or values of the same enum."""
    if isinstance(a, BoolExpr):
        return isinstance(b, BoolExpr)
    if isinstance(a, EnumExpr):
        return isinstance(b, EnumExpr) and a.sort == b.sort
    return isinstance(a, IntExpr) and isinstance(b, IntExpr)


def want_bool(value: object) -> BoolExpr:
    """The argument itself if it is a truth-valued term; raises ModelError otherwise (a Python bool is a slip: see module text)."""
    if isinstance(value, BoolExpr):
        return value
    raise no_condition(value)


def want_int(value: object) -> IntExpr:
    """An integer term for a term or a Python int; raises ModelError otherwise."""
    if isinstance(value, IntExpr):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return _number(int(value))  # of a subclass its number alone
    raise slip(f"expected an integer or an integer expression, not {value!r}")


@cache
def _number(value: int) -> IntExpr:
    return IntExpr("", IntSort(value, value), op=op.CONST, value=value)


def number(value: int) -> IntExpr:
    """The constant term of a Python int, for `ite` and for the left side of an operator; raises ModelError for anything else."""
    return want_int(value)


def constant(sort: Sort, stored: int) -> Expr:
    """The constant of a sort with this stored value."""
    if sort is BOOL:
        return TRUE if stored else FALSE
    return _enum_constant(sort, stored) if isinstance(sort, EnumSort) else IntExpr("", sort, op=op.CONST, value=stored)


@lru_cache
def _enum_constant(sort: Sort, stored: int) -> EnumExpr:
    return EnumExpr("", sort, op=op.CONST, value=stored)


def not_(a: BoolExpr) -> BoolExpr:
    """The negation, with double negations and constants removed."""
    if a.op is op.CONST:
        return FALSE if a.value else TRUE
    return _truth(a.args[0]) if a.op is op.NOT else BoolExpr("", BOOL, op=op.NOT, args=(a,))


def _truth(a: Expr) -> BoolExpr:
    """A term that is known to be truth-valued."""
    assert isinstance(a, BoolExpr)
    return a


def _nary(kind: Op, zero: BoolExpr, parts: Iterable[Expr]) -> BoolExpr:
    """`and`/`or` of parts, flattened; `zero` absorbs, its negation disappears, a part twice counts once."""
    kept: dict[Expr, None] = {}
    for part in parts:
        if not isinstance(part, BoolExpr):
            raise no_condition(part)
        if part.op is kind:
            for item in part.args:
                kept[item] = None
        elif part.op is not op.CONST:
            kept[part] = None
        elif part.value == zero.value:
            return zero
    if len(kept) < 2:
        return _truth(next(iter(kept), TRUE if zero is FALSE else FALSE))
    for item in kept:
        if item.op is op.NOT and item.args[0] in kept:
            return zero
    return BoolExpr("", BOOL, op=kind, args=tuple(kept))


def _both(kind: Op, zero: BoolExpr, a: BoolExpr, b: BoolExpr) -> BoolExpr:
    """`and`/`or` of two terms; one of them is often a constant."""
    if a.op is op.CONST:
        return zero if a.value == zero.value else b
    if b.op is op.CONST:
        return zero if b.value == zero.value else a
    if a is b:
        return a
    plain = a.op is not kind and b.op is not kind and a.op is not op.NOT and b.op is not op.NOT
    return BoolExpr("", BOOL, op=kind, args=(a, b)) if plain else _nary(kind, zero, (a, b))


def all_(*parts: BoolExpr) -> BoolExpr:
    """True where every part holds (true for no parts)."""
    return _nary(op.AND, FALSE, parts)


def any_(*parts: BoolExpr) -> BoolExpr:
    """True where some part holds (false for no parts)."""
    return _nary(op.OR, TRUE, parts)


def eq(a: Expr, b: Expr) -> BoolExpr:
    """Equality of two terms of one sort, folded where both sides are known."""
    if a is b:
        return TRUE
    if a.op is op.CONST and b.op is not op.CONST:
        a, b = b, a
    return _eq_constant(a, b) if b.op is op.CONST else BoolExpr("", BOOL, op=op.EQ, args=(a, b))


def _eq_constant(a: Expr, b: Expr) -> BoolExpr:
    if a.op is op.CONST:
        return TRUE if a.value == b.value else FALSE
    if a.sort is BOOL:
        return _truth(a) if b.value else not_(_truth(a))
    if not a.sort.low <= b.value <= a.sort.high:
        return FALSE
    return _eq_choice(a, b) if a.op is op.ITE else BoolExpr("", BOOL, op=op.EQ, args=(a, b))


def _eq_choice(a: Expr, b: Expr) -> BoolExpr:
    """Equality of an `ite` with a constant: a choice of equalities."""
    found: dict[Expr, BoolExpr] = {}
    for term in bottom_up(a, parts=lambda term: term.args[1:] if term.op is op.ITE else ()):
        if term.op is not op.ITE:
            found[term] = eq(term, b)
        elif not term.sort.low <= b.value <= term.sort.high:
            found[term] = FALSE
        else:
            found[term] = choose(_truth(term.args[0]), *(found[arg] for arg in term.args[1:]))
    return found[a]


def compare(kind: Op, a: IntExpr, b: IntExpr) -> BoolExpr:
    """`LT` or `LE`, folded where the ranges of both sides decide it."""
    (a_low, a_high), (b_low, b_high) = bounds(a), bounds(b)
    if kind is op.LT:
        decided = True if a_high < b_low else False if a_low >= b_high else None
    else:
        decided = True if a_high <= b_low else False if a_low > b_high else None
    if decided is not None:
        return TRUE if decided else FALSE
    return BoolExpr("", BOOL, op=kind, args=(a, b))


def arith(kind: Op, a: IntExpr, b: IntExpr) -> IntExpr:
    """Sum (`ADD`) or difference; its sort is the interval it can take, so a range error is decided where the value is stored."""
    (a_low, a_high), (b_low, b_high) = bounds(a), bounds(b)
    if b_low == b_high == 0:
        return a
    if kind is op.ADD and a_low == a_high == 0:
        return b
    low, high = (a_low + b_low, a_high + b_high) if kind is op.ADD else (a_low - b_high, a_high - b_low)
    return _number(low) if low == high else IntExpr("", IntSort(low, high), op=kind, args=(a, b))


def ite(condition: BoolExpr, then: E, otherwise: E) -> E:
    """`then` where the condition holds, `otherwise` elsewhere. Raises ModelError unless both are terms of one sort."""
    if not same_kind(then, otherwise):
        raise slip(
            f"ite chooses between two terms of one sort: {said(then)}, {said(otherwise)}; for a constant number write number(1), for a truth value TRUE"
        )
    return choose(want_bool(condition), then, otherwise)


def choose(condition: BoolExpr, then: E, otherwise: E) -> E:
    """`ite` of two terms that are known to be of one sort; truth-valued choices become and/or/not."""
    if condition.op is op.CONST:
        return then if condition.value else otherwise
    if then is otherwise or (then.op is otherwise.op is op.CONST and then.value == otherwise.value):
        return then
    return _choice(condition, then, otherwise)


def _choice(condition: BoolExpr, then: E, otherwise: E) -> E:
    made: Expr
    if isinstance(then, BoolExpr):
        made = _bool_choice(condition, then, _truth(otherwise))
    elif isinstance(then, IntExpr):
        (a_low, a_high), (b_low, b_high) = bounds(then), bounds(otherwise)
        sort = IntSort(min(a_low, b_low), max(a_high, b_high))
        made = IntExpr("", sort, op=op.ITE, args=(condition, then, otherwise))
    else:
        made = EnumExpr("", then.sort, op=op.ITE, args=(condition, then, otherwise))
    return cast(E, made)


def _bool_choice(condition: BoolExpr, then: BoolExpr, otherwise: BoolExpr) -> BoolExpr:
    if then.op is op.CONST:
        return condition | otherwise if then.value else ~condition & otherwise
    if otherwise.op is op.CONST:
        return ~condition | then if otherwise.value else condition & then
    return BoolExpr("", BOOL, op=op.ITE, args=(condition, then, otherwise))


def count(*parts: BoolExpr) -> IntExpr:
    """How many of the parts hold."""
    total = want_int(0)
    for part in parts:
        total = total + choose(want_bool(part), number(1), number(0))
    return total


def bounds(a: Expr) -> tuple[int, int]:
    """The least and greatest stored value the term can take, from the sorts of its variables."""
    if a.op is op.CONST:
        return a.value, a.value
    return a.sort.low, a.sort.high


#: how to put an operator together again from new arguments, with folding
REBUILD: Mapping[Op, Callable[..., Expr]] = {
    op.NOT: not_,
    op.AND: all_,
    op.OR: any_,
    op.EQ: eq,
    op.ITE: choose,
    op.LT: partial(compare, op.LT),
    op.LE: partial(compare, op.LE),
    op.ADD: partial(arith, op.ADD),
    op.SUB: partial(arith, op.SUB),
}


def substitute(a: E, replacements: Mapping[Expr, Expr]) -> E:
    """The term with variables and places replaced; unchanged sub-terms stay the same objects."""
    if not (replacements and a.args):
        return cast(E, replacements.get(a, a))
    return Substitution(replacements)(a)


class Substitution(OfTerms[Expr]):
    """Replaces leaves in many terms that share parts: each part is looked at once."""

    if TYPE_CHECKING:

        def __call__(self, a: E) -> E:
            """The term with its leaves replaced, as by `substitute`: of the same sort."""
            ...

    else:
        __call__ = dict.__getitem__

    def of(self, a: Expr) -> Expr:
        """The term with its parts replaced."""
        if not a.args:
            return self.leaf(a)
        args = tuple(map(self.__getitem__, a.args))
        return a if all(map(operator.is_, args, a.args)) else REBUILD[a.op](*args)

    def leaf(self, a: Expr) -> Expr:
        """What stands for a leaf that nothing replaces: itself."""
        return a


def variables_of(*terms: Expr) -> set[Expr]:
    """The variables (leaves that are not constants) of terms."""
    seen = layer = set(terms)
    while layer:
        layer = {arg for term in layer for arg in term.args} - seen
        seen |= layer
    return {term for term in seen if term.op is op.VAR or term.op is op.AT}


#: operators that are written between their arguments
_INFIX: Final = {
    op.AND: "and", op.OR: "or", op.EQ: "==", op.LT: "<", op.LE: "<=", op.ADD: "+", op.SUB: "-",
}  # fmt: skip

#: texts of terms that are longer are cut
LONGEST = 5_000


def render(a: Expr) -> str:
    """The term as an engineer would write it: `bh_scheduled and not (pending == 0)`."""
    return Rendering()[a]


class Rendering(OfTerms[str]):
    """The texts of terms."""

    def of(self, a: Expr) -> str:
        """The text of a term."""
        match a.op:
            case op.CONST:
                text = str(a.sort.decode(a.value))
            case op.VAR | op.AT | op.OPAQUE:
                text = a.name
            case op.NOT:
                text = f"not {self._operand(a.args[0])}"
            case op.ITE:
                text = f"({self[a.args[1]]} if {self[a.args[0]]} else {self[a.args[2]]})"
            case _:
                text = f" {_INFIX[a.op]} ".join(map(self._operand, a.args))
        return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} ... {text[-LONGEST // 2 :]}"

    def _operand(self, a: Expr) -> str:
        return f"({self[a]})" if a.op in _INFIX else self[a]

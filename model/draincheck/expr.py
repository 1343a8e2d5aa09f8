"""Sorts and expressions: the terms that guards, updates and properties are made of.

Every sort is finite. Values are stored as small integers (Bool 0/1, Enum the position of its name, Int itself); `Sort.decode` turns
them back. Expressions are immutable trees built by Python operators; constants are folded while building, so that a knob that is off
leaves nothing behind. `x == y` is Python's identity on purpose: write `x.is_(1)`, and a slip raises instead of comparing objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NoReturn, TypeVar, cast

from draincheck.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "BOOL", "FALSE", "TRUE", "BoolExpr", "EnumExpr", "EnumSort", "Expr", "IntExpr", "IntSort", "Sort", "all_", "any_",
    "bounds", "constant", "count", "evaluate", "ite", "substitute", "variables_of",
]  # fmt: skip

Value = bool | int | str


@dataclass(frozen=True, slots=True)
class Sort:
    """A finite set of values, stored as the integers `low..high`."""

    low: int
    high: int

    @property
    def size(self) -> int:
        """How many values there are."""
        return self.high - self.low + 1

    def decode(self, stored: int) -> Value:
        """The value a stored integer stands for."""
        return stored

    def encode(self, value: Value) -> int:
        """The stored integer of a value; raises ModelError if the value is not of this sort."""
        if isinstance(value, bool) or not isinstance(value, int) or not self.low <= value <= self.high:
            raise ModelError(f"{value!r} is not {self}")
        return value

    def __str__(self) -> str:
        return f"an integer from {self.low} to {self.high}"


IntSort = Sort


@dataclass(frozen=True, slots=True)
class BoolSort(Sort):
    """The two truth values, stored as 0 and 1."""

    def decode(self, stored: int) -> Value:
        """False for 0, True for 1."""
        return bool(stored)

    def encode(self, value: Value) -> int:
        """0 or 1; raises ModelError for anything but a bool."""
        if not isinstance(value, bool):
            raise ModelError(f"{value!r} is not {self}")
        return int(value)

    def __str__(self) -> str:
        return "a truth value"


BOOL = BoolSort(0, 1)


@dataclass(frozen=True, slots=True)
class EnumSort(Sort):
    """Named values, stored as their position in `names`."""

    names: tuple[str, ...]

    @classmethod
    def of(cls, names: Sequence[str]) -> EnumSort:
        """The sort with these names, in this order; raises ModelError for none or for a name twice."""
        if not names or len(set(names)) != len(names):
            raise ModelError(f"an enum needs distinct names, at least one: {', '.join(names) or 'none given'}")
        return cls(0, len(names) - 1, tuple(names))

    def decode(self, stored: int) -> Value:
        """The name at this position."""
        return self.names[stored]

    def encode(self, value: Value) -> int:
        """The position of a name; raises ModelError for a name that is not in the enum."""
        if value not in self.names:
            raise ModelError(f"{value!r} is not {self}")
        return self.names.index(value)

    def __str__(self) -> str:
        return f"one of {', '.join(self.names)}"


class Expr:
    """A term over state variables.

    Attributes: `op` (const, var, at, not, and, or, eq, lt, le, add, sub, ite), `args` (sub-terms), `value` (of constants), `sort`.
    """

    __slots__ = ("args", "op", "sort", "value")

    def __init__(self, op: str, args: tuple[Expr, ...], sort: Sort, value: object = None) -> None:
        self.op = op
        self.args = args
        self.sort = sort
        self.value = value

    def __bool__(self) -> NoReturn:
        raise ModelError(
            "a model expression has no Python truth value: use p.when(...) to branch, and &, |, ~ or all_/any_ instead of and, or, not"
        )

    def __str__(self) -> str:
        return render(self)

    __repr__ = __str__


class BoolExpr(Expr):
    """A truth-valued term: combine with `&`, `|`, `~`, `implies` and `iff`."""

    __slots__ = ()

    def __and__(self, other: BoolExpr) -> BoolExpr:
        return all_(self, other)

    def __or__(self, other: BoolExpr) -> BoolExpr:
        return any_(self, other)

    def __invert__(self) -> BoolExpr:
        return not_(self)

    def implies(self, other: BoolExpr) -> BoolExpr:
        """True unless this holds and `other` does not."""
        return any_(not_(self), other)

    def iff(self, other: BoolExpr) -> BoolExpr:
        """True where both have the same truth value."""
        return eq(self, want_bool(other))


class IntExpr(Expr):
    """An integer term: `+`, `-`, `<`, `<=`, `>`, `>=` and `is_`; the other operand may be a Python int."""

    __slots__ = ()

    def __add__(self, other: IntExpr | int) -> IntExpr:
        return arith("add", self, want_int(other))

    def __sub__(self, other: IntExpr | int) -> IntExpr:
        return arith("sub", self, want_int(other))

    def __lt__(self, other: IntExpr | int) -> BoolExpr:
        return compare("lt", self, want_int(other))

    def __le__(self, other: IntExpr | int) -> BoolExpr:
        return compare("le", self, want_int(other))

    def __gt__(self, other: IntExpr | int) -> BoolExpr:
        return compare("lt", want_int(other), self)

    def __ge__(self, other: IntExpr | int) -> BoolExpr:
        return compare("le", want_int(other), self)

    def is_(self, other: IntExpr | int) -> BoolExpr:
        """True where both are the same number."""
        return eq(self, want_int(other))


class EnumExpr(Expr):
    """A term with a named value; compare it with names through `is_`."""

    __slots__ = ()

    def is_(self, *names: str) -> BoolExpr:
        """True where the value is one of these names; raises ModelError for a name the sort does not have."""
        return any_(*(eq(self, EnumExpr("const", (), self.sort, self.sort.encode(name))) for name in names))

    def same_as(self, other: EnumExpr) -> BoolExpr:
        """True where both have the same value; raises ModelError for different sorts."""
        if other.sort != self.sort:
            raise ModelError(f"cannot compare {self} ({self.sort}) with {other} ({other.sort})")
        return eq(self, other)


TRUE = BoolExpr("const", (), BOOL, 1)
FALSE = BoolExpr("const", (), BOOL, 0)

E = TypeVar("E", bound=Expr)


def want_bool(value: object) -> BoolExpr:
    """The argument itself if it is a truth-valued term; raises ModelError otherwise (a Python bool is a slip: see module text)."""
    if isinstance(value, BoolExpr):
        return value
    raise ModelError(f"a condition must be a truth-valued expression, not {value!r}; for a constant use TRUE or FALSE")


def want_int(value: object) -> IntExpr:
    """An integer term for a term or a Python int; raises ModelError otherwise."""
    if isinstance(value, IntExpr):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return IntExpr("const", (), IntSort(value, value), value)
    raise ModelError(f"expected an integer or an integer expression, not {value!r}")


def constant(sort: Sort, stored: int) -> Expr:
    """The constant of a sort with this stored value."""
    if sort is BOOL:
        return TRUE if stored else FALSE
    kind = EnumExpr if isinstance(sort, EnumSort) else IntExpr
    return kind("const", (), sort, stored)


def not_(a: BoolExpr) -> BoolExpr:
    """The negation, with double negations and constants removed."""
    if a.op == "const":
        return FALSE if a.value else TRUE
    if a.op == "not":
        return cast(BoolExpr, a.args[0])
    return BoolExpr("not", (a,), BOOL)


def _nary(op: str, zero: BoolExpr, parts: Iterable[BoolExpr]) -> BoolExpr:
    """`and`/`or` of parts, flattened; `zero` absorbs, its negation disappears, a part twice counts once."""
    kept: dict[int, BoolExpr] = {}
    for part in map(want_bool, parts):
        for item in cast("tuple[BoolExpr, ...]", part.args) if part.op == op else (part,):
            if item.op != "const":
                kept[id(item)] = item
            elif item.value == zero.value:
                return zero
    if any(item.op == "not" and id(item.args[0]) in kept for item in kept.values()):
        return zero
    if len(kept) < 2:
        return next(iter(kept.values()), TRUE if zero is FALSE else FALSE)
    return BoolExpr(op, tuple(kept.values()), BOOL)


def all_(*parts: BoolExpr) -> BoolExpr:
    """True where every part holds (true for no parts)."""
    return _nary("and", FALSE, parts)


def any_(*parts: BoolExpr) -> BoolExpr:
    """True where some part holds (false for no parts)."""
    return _nary("or", TRUE, parts)


def eq(a: Expr, b: Expr) -> BoolExpr:
    """Equality of two terms of one sort, folded where both sides are known."""
    if a is b:
        return TRUE
    if a.op == "const" and b.op != "const":
        a, b = b, a
    if b.op == "const":
        if a.op == "const":
            return TRUE if a.value == b.value else FALSE
        if a.sort is BOOL:
            return cast(BoolExpr, a) if b.value else not_(cast(BoolExpr, a))
        low, high = bounds(a)
        if not low <= cast(int, b.value) <= high:
            return FALSE
        if a.op == "ite":
            return ite(cast(BoolExpr, a.args[0]), eq(a.args[1], b), eq(a.args[2], b))
    return BoolExpr("eq", (a, b), BOOL)


def compare(op: str, a: IntExpr, b: IntExpr) -> BoolExpr:
    """`lt` or `le`, folded where the ranges of both sides decide it."""
    (a_low, a_high), (b_low, b_high) = bounds(a), bounds(b)
    if op == "lt":
        decided = True if a_high < b_low else False if a_low >= b_high else None
    else:
        decided = True if a_high <= b_low else False if a_low > b_high else None
    if decided is not None:
        return TRUE if decided else FALSE
    return BoolExpr(op, (a, b), BOOL)


def arith(op: str, a: IntExpr, b: IntExpr) -> IntExpr:
    """Sum or difference; its sort is the interval it can take, so a range error is decided where the value is stored."""
    (a_low, a_high), (b_low, b_high) = bounds(a), bounds(b)
    if b_low == b_high == 0:
        return a
    if op == "add" and a_low == a_high == 0:
        return b
    low, high = (a_low + b_low, a_high + b_high) if op == "add" else (a_low - b_high, a_high - b_low)
    if low == high:
        return IntExpr("const", (), IntSort(low, low), low)
    return IntExpr(op, (a, b), IntSort(low, high))


def ite(condition: BoolExpr, then: E, otherwise: E) -> E:
    """`then` where the condition holds, `otherwise` elsewhere; truth-valued choices become and/or/not."""
    if condition.op == "const":
        return then if condition.value else otherwise
    if then is otherwise or (then.op == otherwise.op == "const" and then.value == otherwise.value):
        return then
    if then.sort is BOOL:
        return cast(E, _bool_ite(condition, cast(BoolExpr, then), cast(BoolExpr, otherwise)))
    sort = then.sort
    if isinstance(then, IntExpr):
        (a_low, a_high), (b_low, b_high) = bounds(then), bounds(otherwise)
        sort = IntSort(min(a_low, b_low), max(a_high, b_high))
    return cast(E, type(constant(sort, sort.low))("ite", (condition, then, otherwise), sort))


def _bool_ite(condition: BoolExpr, then: BoolExpr, otherwise: BoolExpr) -> BoolExpr:
    if then.op == "const":
        return condition | otherwise if then.value else ~condition & otherwise
    if otherwise.op == "const":
        return ~condition | then if otherwise.value else condition & then
    return BoolExpr("ite", (condition, then, otherwise), BOOL)


def count(*parts: BoolExpr) -> IntExpr:
    """How many of the parts hold."""
    total = want_int(0)
    for part in parts:
        total = total + ite(want_bool(part), want_int(1), want_int(0))
    return total


def bounds(a: Expr) -> tuple[int, int]:
    """The least and greatest stored value the term can take, from the sorts of its variables."""
    if a.op == "const":
        return cast(int, a.value), cast(int, a.value)
    return a.sort.low, a.sort.high


#: how to put an operator together again from new arguments, with folding
REBUILD: dict[str, Callable[..., Expr]] = {
    "not": not_,
    "and": all_,
    "or": any_,
    "eq": eq,
    "ite": ite,
    "lt": partial(compare, "lt"),
    "le": partial(compare, "le"),
    "add": partial(arith, "add"),
    "sub": partial(arith, "sub"),
}  # fmt: skip


def substitute(a: E, replacements: Mapping[Expr, Expr]) -> E:
    """The term with variables (and `at` terms) replaced; unchanged sub-terms stay the same objects."""
    if not replacements:
        return a
    if not a.args:
        return cast(E, replacements.get(a, a))
    changed, args = False, list[Expr]()
    for old in a.args:  # plain loops: building a model spends most of its time here
        new = substitute(old, replacements) if old.args else replacements.get(old, old)
        changed = changed or new is not old
        args.append(new)
    return cast(E, REBUILD[a.op](*args)) if changed else a


def variables_of(a: Expr) -> set[Expr]:
    """The variables (leaves that are not constants) of a term."""
    if a.op in ("var", "at"):
        return {a}
    found: set[Expr] = set()
    for arg in a.args:
        found |= variables_of(arg)
    return found


def evaluate(a: Expr, value_of: Callable[[Expr], int]) -> int:
    """The stored value of a term, given the stored values of its variables. Written for clarity: engines generate code instead."""
    match a.op:
        case "const":
            return cast(int, a.value)
        case "var":
            return value_of(a)
        case "not":
            return 1 - evaluate(a.args[0], value_of)
        case "and":
            return int(all(evaluate(arg, value_of) for arg in a.args))
        case "or":
            return int(any(evaluate(arg, value_of) for arg in a.args))
        case "ite":
            return evaluate(a.args[1 if evaluate(a.args[0], value_of) else 2], value_of)
    left, right = (evaluate(arg, value_of) for arg in a.args)
    match a.op:
        case "eq":
            return int(left == right)
        case "lt":
            return int(left < right)
        case "le":
            return int(left <= right)
        case "add":
            return left + right
        case "sub":
            return left - right
    raise ModelError(f"unknown operator {a.op!r}")


def render(a: Expr) -> str:
    """The term as an engineer would write it: `bh_scheduled and not (pending == 0)`."""
    match a.op:
        case "const":
            return str(a.sort.decode(cast(int, a.value)))
        case "var" | "at":
            return str(a.value)
        case "not":
            return f"not {_operand(a.args[0])}"
        case "and" | "or":
            return f" {a.op} ".join(_operand(arg) for arg in a.args)
        case "ite":
            return f"({render(a.args[1])} if {render(a.args[0])} else {render(a.args[2])})"
    symbol = {"eq": "==", "lt": "<", "le": "<=", "add": "+", "sub": "-"}[a.op]
    return f"{_operand(a.args[0])} {symbol} {_operand(a.args[1])}"


def _operand(a: Expr) -> str:
    return f"({render(a)})" if a.op in ("and", "or", "eq", "lt", "le", "add", "sub") else render(a)

"""Sorts and expressions: the terms that guards, updates and properties are made of.

Every sort is finite. Values are stored as small integers (Bool 0/1, Enum the position of its name, Int itself); `Sort.decode` turns
them back. Expressions are immutable trees built by Python operators; constants are folded while building, so that a knob that is off
leaves nothing behind. Terms have no Python value: `==`, `and`, `if`, indexing and operators that no term can answer raise ModelError with
what to write instead (`x.is_(1)`, `&`, `p.when`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, NoReturn, TypeVar, cast

from draincheck.errors import ModelError
from draincheck.location import slip, written

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "BOOL", "FALSE", "TRUE", "BoolExpr", "EnumExpr", "EnumSort", "Expr", "IntExpr", "IntSort", "Sort", "all_", "any_",
    "bounds", "choose", "constant", "count", "evaluate", "ite", "number", "said", "same_kind", "substitute", "variables_of",
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
            raise slip(f"an enum needs distinct names, at least one: {', '.join(names) or 'none given'}")
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
        raise slip(
            "a model expression has no Python truth value: use p.when(...) to branch, and &, |, ~ or all_/any_ instead of and, or, not"
        )

    def __eq__(self, other: object) -> NoReturn:
        raise slip(f"terms are not compared with == or !=: write {_compared(self, other)}, and ~ before it for 'not'")

    #: by identity: a dict of terms never compares two of them
    __hash__ = object.__hash__

    def __index__(self) -> NoReturn:
        raise slip(
            f"{self} is no Python number: it has a value only when the model runs; choose with ite(...) or p.when(...)"
        )

    __int__ = __float__ = __len__ = __index__

    def __iter__(self) -> NoReturn:
        raise slip(f"{self} is one term, not a series of them")

    def __getitem__(self, key: object) -> NoReturn:
        raise slip(f"{self} is one term: it has no element {key!r}")

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
        if not names:
            raise slip(f"{self}.is_() needs a name: {self.sort}")
        return any_(*(eq(self, self.named(name)) for name in names))

    def named(self, name: str) -> EnumExpr:
        """The constant of this sort with a name; raises ModelError for a name the sort does not have."""
        return EnumExpr("const", (), self.sort, self._position(name))

    def _position(self, name: object) -> int:
        if isinstance(name, Expr):
            raise slip(f"{self} is {self.sort}: name one in quotes, not {name}; same_as(...) compares two terms")
        try:
            return self.sort.encode(cast(Value, name))
        except ModelError as error:
            raise slip(error.message) from None

    def same_as(self, other: EnumExpr) -> BoolExpr:
        """True where both have the same value; raises ModelError for different sorts."""
        if not same_kind(self, other):
            raise slip(f"cannot compare {self} ({self.sort}): {said(other)}")
        return eq(self, other)


_OPERATORS: Final = {
    "add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "**", "lshift": "<<", "rshift": ">>", "and": "&",
    "matmul": "@", "divmod": "divmod", "or": "|", "xor": "^", "lt": "<", "le": "<=", "gt": ">", "ge": ">=",
}  # fmt: skip


_ALONE: Final = {
    "neg": "the sign -", "pos": "the sign +", "invert": "~", "abs": "abs", "round": "round", "trunc": "trunc", "floor": "floor", "ceil": "ceil",
}  # fmt: skip


def _refuse(symbol: str, swapped: bool) -> Callable[[Expr, object], NoReturn]:
    def refuse(self: Expr, other: object) -> NoReturn:
        left, right = (other, self) if swapped else (self, other)
        raise slip(f"{_shown(left)} {symbol} {_shown(right)} means nothing in a model: {_can(self)}")

    return refuse


def _refuse_alone(symbol: str) -> Callable[..., NoReturn]:
    def refuse(self: Expr, *_: object) -> NoReturn:
        raise slip(f"{symbol} of {_shown(self)} means nothing in a model: {_can(self)}")

    return refuse


def _refuse_operators() -> None:
    """What a sort has no operator for is a slip with a message of ours, not Python's."""
    for name, symbol in _OPERATORS.items():
        setattr(Expr, f"__{name}__", _refuse(symbol, swapped=False))
        if name not in ("lt", "le", "gt", "ge"):
            setattr(Expr, f"__r{name}__", _refuse(symbol, swapped=True))
    for name, symbol in _ALONE.items():
        setattr(Expr, f"__{name}__", _refuse_alone(symbol))


_refuse_operators()


def _can(a: Expr) -> str:
    """The operators of a term's sort."""
    match a:
        case BoolExpr():
            return "truth values have &, |, ~, implies and iff; TRUE and FALSE are the constants"
        case IntExpr():
            return "numbers have + and - (the term first, or number(2) - n), <, <=, >, >= and is_"
        case _:
            return "named values have is_('name') and same_as(term)"


TRUE = BoolExpr("const", (), BOOL, 1)
FALSE = BoolExpr("const", (), BOOL, 0)

E = TypeVar("E", bound=Expr)


def same_kind(a: object, b: object) -> bool:
    """Whether both are terms, and of one kind: truth values, numbers (of any range), or values of the same enum."""
    if isinstance(a, EnumExpr):
        return isinstance(b, EnumExpr) and a.sort == b.sort
    kind = BoolExpr if isinstance(a, BoolExpr) else IntExpr
    return isinstance(a, kind) and isinstance(b, kind)


def said(value: object) -> str:
    """What somebody wrote, and what it is, for messages."""
    if isinstance(value, Expr):
        return f"{value} is {value.sort}"
    return f"{value!r} is a Python {type(value).__name__}"


def _shown(value: object) -> str:
    return _operand(value) if isinstance(value, Expr) else repr(value) if isinstance(value, str) else written(value)


def _compared(a: Expr, b: object) -> str:
    """How two terms, or a term and a Python value, are compared."""
    other = _shown(b)
    if isinstance(a, BoolExpr):
        return f"{_shown(a)}.iff({other})" if isinstance(b, Expr) else f"{_shown(a)} itself, or ~{_shown(a)}"
    return f"{_shown(a)}.{'same_as' if isinstance(a, EnumExpr) and isinstance(b, Expr) else 'is_'}({other})"


def want_bool(value: object) -> BoolExpr:
    """The argument itself if it is a truth-valued term; raises ModelError otherwise (a Python bool is a slip: see module text)."""
    if isinstance(value, BoolExpr):
        return value
    raise slip(f"a condition must be a truth-valued expression, not {_shown(value)}; {_instead(value)}")


def _instead(value: object) -> str:
    """What to write where somebody wrote this for a condition."""
    if isinstance(value, bool | int | str | None):
        return "for a constant use TRUE or FALSE"
    if isinstance(value, Expr):
        return f"compare it, as in {_shown(value)}.is_({'...' if isinstance(value, EnumExpr) else value.sort.low})"
    if isinstance(value, Iterable):
        return "write * before a series of terms: all_(*terms), any_(*terms)"
    return f"this is of type {type(value).__name__}: write a term such as x, n.is_(1) or p.at('place')"


def want_int(value: object) -> IntExpr:
    """An integer term for a term or a Python int; raises ModelError otherwise."""
    if isinstance(value, IntExpr):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return IntExpr("const", (), IntSort(value, value), value)
    raise slip(f"expected an integer or an integer expression, not {value!r}")


def number(value: int) -> IntExpr:
    """The constant term of a Python int, for `ite` and for the left side of an operator; raises ModelError for anything else."""
    return want_int(value)


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
            return choose(cast(BoolExpr, a.args[0]), eq(a.args[1], b), eq(a.args[2], b))
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
    """`then` where the condition holds, `otherwise` elsewhere. Raises ModelError unless both are terms of one sort."""
    if not same_kind(then, otherwise):
        raise slip(
            f"ite chooses between two terms of one sort: {said(then)}, {said(otherwise)}; for a constant number write number(1), for a truth value TRUE"
        )
    return choose(want_bool(condition), then, otherwise)


def choose(condition: BoolExpr, then: E, otherwise: E) -> E:
    """`ite` of two terms that are known to be of one sort; truth-valued choices become and/or/not."""
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
        total = total + choose(want_bool(part), number(1), number(0))
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
    "ite": choose,
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

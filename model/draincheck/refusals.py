"""How slips are refused: a term has no Python value, and what it cannot answer raises ModelError with what to write instead."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NoReturn

from draincheck.errors import ModelError
from draincheck.location import slip, written
from draincheck.sorts import BOOL, BoolSort, EnumSort, Sort

__all__ = ["Valueless", "no_condition", "said"]


class Valueless:
    """What has a value only when the model runs: no truth value, no `==`, no elements, no operators but those that a subclass gives it."""

    __slots__ = ()

    sort: Sort

    def operand(self) -> str:
        """Its text inside a larger term."""
        return str(self)

    def __bool__(self) -> NoReturn:
        raise slip(
            "a model expression has no Python truth value: use p.when(...) to branch, and &, |, ~ or all_/any_ instead of and, or, not"
        )

    def __eq__(self, other: object) -> NoReturn:
        raise slip(f"terms are not compared with == or !=: write {_compared(self, other)}, and ~ before it for 'not'")

    __ne__ = __eq__

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


_OPERATORS: Final = {
    "add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "**", "lshift": "<<", "rshift": ">>", "and": "&",
    "matmul": "@", "divmod": "divmod", "or": "|", "xor": "^", "lt": "<", "le": "<=", "gt": ">", "ge": ">=",
}  # fmt: skip


_ALONE: Final = {
    "neg": "the sign -", "pos": "the sign +", "invert": "~", "abs": "abs", "round": "round", "trunc": "trunc", "floor": "floor", "ceil": "ceil",
}  # fmt: skip


def _refuse(symbol: str, swapped: bool) -> Callable[[Valueless, object], NoReturn]:
    def refuse(self: Valueless, other: object) -> NoReturn:
        left, right = (other, self) if swapped else (self, other)
        raise slip(f"{_shown(left)} {symbol} {_shown(right)} means nothing in a model: {_can(self.sort)}")

    return refuse


def _refuse_alone(symbol: str) -> Callable[..., NoReturn]:
    def refuse(self: Valueless, *_: object) -> NoReturn:
        raise slip(f"{symbol} of {_shown(self)} means nothing in a model: {_can(self.sort)}")

    return refuse


def _refuse_operators() -> None:
    """What a sort has no operator for is a slip with a message of ours, not Python's."""
    for name, symbol in _OPERATORS.items():
        setattr(Valueless, f"__{name}__", _refuse(symbol, swapped=False))
        if name not in ("lt", "le", "gt", "ge"):
            setattr(Valueless, f"__r{name}__", _refuse(symbol, swapped=True))
    for name, symbol in _ALONE.items():
        setattr(Valueless, f"__{name}__", _refuse_alone(symbol))


_refuse_operators()


def _can(sort: Sort) -> str:
    """The operators of a sort."""
    match sort:
        case BoolSort():
            return "truth values have &, |, ~, implies and iff; TRUE and FALSE are the constants"
        case EnumSort():
            return "named values have is_('name') and same_as(term)"
        case _:
            return "numbers have + and - (the term first, or number(2) - n), <, <=, >, >= and is_"


def said(value: object) -> str:
    """What somebody wrote, and what it is, for messages."""
    if isinstance(value, Valueless):
        return f"{value} is {value.sort}"
    return f"{value!r} is a Python {type(value).__name__}"


def no_condition(value: object) -> ModelError:
    """The error for what somebody wrote instead of a condition."""
    return slip(f"a condition must be a truth-valued expression, not {_shown(value)}; {_instead(value)}")


def _shown(value: object) -> str:
    if isinstance(value, Valueless):
        return value.operand()
    return repr(value) if isinstance(value, str) else written(value)


def _compared(a: Valueless, b: object) -> str:
    """How two terms, or a term and a Python value, are compared."""
    this, other = _shown(a), _shown(b)
    if a.sort is BOOL:
        return f"{this}.iff({other})" if isinstance(b, Valueless) else f"{this} itself, or ~{this}"
    return f"{this}.{'same_as' if isinstance(a.sort, EnumSort) and isinstance(b, Valueless) else 'is_'}({other})"


def _instead(value: object) -> str:
    """What to write where somebody wrote this for a condition."""
    if isinstance(value, bool | int | str | None):
        return "for a constant use TRUE or FALSE"
    if isinstance(value, Valueless):
        return f"compare it, as in {_shown(value)}.is_({'...' if isinstance(value.sort, EnumSort) else value.sort.low})"
    if isinstance(value, Iterable):
        return "write * before a series of terms: all_(*terms), any_(*terms)"
    return f"this is of type {type(value).__name__}: write a term such as x, n.is_(1) or p.at('place')"

"""Terms of a system as SMT-LIB text: the one translation that bounded model checking, induction and certificates share.

Truth values are `Bool`. In finite systems every other sort is a bit vector that holds the stored value minus the least one, so nothing is
ever negative and a term is as wide as the interval it can take: sums and comparisons never wrap. In systems over natural numbers
(`draincheck.naturals`) it is an `Int`, the stored value itself.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from draincheck import op
from draincheck.errors import ModelError
from draincheck.expr import Expr, bounds
from draincheck.naturals import is_natural
from draincheck.sorts import BOOL, Sort
from draincheck.walks import OfTerms

__all__ = ["BitVectors", "Integers", "SmtWriter", "conjoined", "declare", "define", "disjoined"]

#: terms with a longer text get a name, so that one that is used twice is written once
LONG = 160


def conjoined(parts: Iterable[str]) -> str:
    """The conjunction of truth-valued texts."""
    return _joined("and", "true", parts)


def disjoined(parts: Iterable[str]) -> str:
    """The disjunction of truth-valued texts."""
    return _joined("or", "false", parts)


def _joined(op: str, empty: str, parts: Iterable[str]) -> str:
    texts = list(parts)
    return empty if not texts else texts[0] if len(texts) == 1 else f"({op} {' '.join(texts)})"


def define(name: str, parameters: Iterable[tuple[str, str]], body: str, sort: str = "Bool") -> str:
    """A definition of a function; parameters are names with sorts."""
    return f"(define-fun {name} ({' '.join(f'({n} {s})' for n, s in parameters)}) {sort} {body})"


def declare(name: str, sort: str) -> str:
    """The declaration of a constant."""
    return f"(declare-const {name} {sort})"


def literal(value: int, bits: int) -> str:
    """A bit vector constant."""
    return f"#b{value:0{bits}b}"


class _Number(Struct, frozen=True):
    """A term that is not a truth value: text of `bits` bits that stands for `low` plus its unsigned value."""

    text: str
    bits: int
    low: int

    def as_from(self, low: int, bits: int) -> str:
        """The text of the same value minus `low`, in `bits` bits; exact if it fits, else modulo 2**bits."""
        shift = self.low - low
        if self.text.startswith("#b"):
            return literal((int(self.text[2:], 2) + shift) % (1 << bits), bits)
        text = _resized(self.text, self.bits, bits)
        return f"(bvadd {text} {literal(shift % (1 << bits), bits)})" if shift else text


def _resized(text: str, have: int, want: int) -> str:
    if have == want:
        return text
    return f"((_ zero_extend {want - have}) {text})" if want > have else f"((_ extract {want - 1} 0) {text})"


class _Terms(OfTerms[_Number]):
    """The texts of the terms of one text."""

    def __init__(self, write: Callable[[Expr], _Number]) -> None:
        super().__init__()
        self._write = write

    def of(self, a: Expr) -> _Number:
        """The text of a term; that of a truth value stands for nothing but itself."""
        return self._write(a)


class SmtWriter(ABC):
    """Writes terms. `names` are what the variables are called.

    Long terms get names: a text is complete only inside `bound`, which puts their definitions around it.

    Attributes:
        logic: the logic of SMT-LIB that the texts belong to.
    """

    logic: str

    def __init__(self, names: Mapping[Expr, str]) -> None:
        self.names = names
        self._forget()

    def bound(self, text: Callable[[], str]) -> str:
        """A text with the definitions of all names that it uses."""
        self._forget()
        body = text()
        for name, term in reversed(self._lets):
            body = f"(let (({name} {term})) {body})"
        return body

    def _forget(self) -> None:
        """Begin a new text: names are known in one only."""
        self._terms = _Terms(self._named)
        self._lets: list[tuple[str, str]] = []

    def truth(self, a: Expr) -> str:
        """The text of a truth-valued term."""
        return self._terms[a].text

    @abstractmethod
    def value(self, a: Expr, sort: Sort) -> str:
        """The text of a term as a value of a sort. What does not fit the sort may come out as any value."""

    @abstractmethod
    def sort(self, sort: Sort) -> str:
        """The text of a sort."""

    @abstractmethod
    def constant(self, sort: Sort, stored: int) -> str:
        """The text of a value of a sort."""

    @abstractmethod
    def stored(self, sort: Sort, number: int) -> int:
        """The stored value that a number in a solver's answer stands for."""

    @abstractmethod
    def limits(self, name: str, sort: Sort) -> str:
        """That a constant has a value of a sort."""

    @abstractmethod
    def _compared(self, a: Expr) -> str:
        """The text of an equation or comparison of terms that are not truth values."""

    @abstractmethod
    def _write_number(self, a: Expr) -> _Number:
        """The text of any other term."""

    def _named(self, a: Expr) -> _Number:
        """The text of a term, or a name for it if it is long."""
        number = _Number(self._truth(a), 1, 0) if a.sort is BOOL else self._write_number(a)
        if len(number.text) <= LONG:
            return number
        self._lets.append((f"?{len(self._lets)}", number.text))
        return replace(number, text=self._lets[-1][0])

    def _truth(self, a: Expr) -> str:
        match a.op:
            case op.CONST:
                return "true" if a.value else "false"
            case op.VAR:
                return self.names[a]
            case op.NOT | op.AND | op.OR | op.ITE:
                return f"({a.op.value} {' '.join(map(self.truth, a.args))})"
            case op.EQ if a.args[0].sort is BOOL:
                return f"(= {self.truth(a.args[0])} {self.truth(a.args[1])})"
            case op.EQ | op.LT | op.LE:
                return self._compared(a)
        raise ModelError(f"unknown operator {a.op.value!r} in a condition")


class BitVectors(SmtWriter):
    """Writes the terms of finite systems."""

    logic = "QF_BV"

    def value(self, a: Expr, sort: Sort) -> str:
        """As `Writer.value`."""
        return self.truth(a) if sort is BOOL else self._terms[a].as_from(sort.low, _width(sort))

    def sort(self, sort: Sort) -> str:
        """`Bool`, or a bit vector that has just enough bits."""
        return "Bool" if sort is BOOL else f"(_ BitVec {_width(sort)})"

    def constant(self, sort: Sort, stored: int) -> str:
        """A truth value, or the stored value minus the least one."""
        return ("true" if stored else "false") if sort is BOOL else literal(stored - sort.low, _width(sort))

    def stored(self, sort: Sort, number: int) -> int:
        """The number plus the least value."""
        return number + sort.low

    def limits(self, name: str, sort: Sort) -> str:
        """`true` where every value of the bit vector is one of the sort."""
        if sort is BOOL or sort.size == 1 << _width(sort):
            return "true"
        return f"(bvule {name} {self.constant(sort, sort.high)})"

    def _compared(self, a: Expr) -> str:
        left, right = map(self._terms.__getitem__, a.args)
        low = min(left.low, right.low)
        bits = max(_bits(number.low + (1 << number.bits) - 1 - low) for number in (left, right))
        symbol = {op.EQ: "=", op.LT: "bvult", op.LE: "bvule"}[a.op]
        return f"({symbol} {left.as_from(low, bits)} {right.as_from(low, bits)})"

    def _write_number(self, a: Expr) -> _Number:
        low, high = bounds(a)
        bits = _bits(high - low)
        if a.op in (op.ADD, op.SUB) and a.args[1].op is op.CONST:
            left, shift = self._terms[a.args[0]], a.args[1].value
            return replace(left, low=left.low + (shift if a.op is op.ADD else -shift))
        match a.op:
            case op.CONST:
                return _Number(literal(0, bits), bits, low)
            case op.VAR:
                return _Number(self.names[a], bits, low)
            case op.ITE:
                test, (then, otherwise) = self.truth(a.args[0]), map(self._terms.__getitem__, a.args[1:])
                return _Number(f"(ite {test} {then.as_from(low, bits)} {otherwise.as_from(low, bits)})", bits, low)
            case op.ADD:
                left, right = map(self._terms.__getitem__, a.args)
                return _Number(f"(bvadd {left.as_from(left.low, bits)} {right.as_from(right.low, bits)})", bits, low)
            case op.SUB:
                # x - y is (x - low of x) + (high of y - y), and none of the two parts is negative
                left, right = map(self._terms.__getitem__, a.args)
                top = literal(bounds(a.args[1])[1] - right.low, bits)
                return _Number(
                    f"(bvadd {left.as_from(left.low, bits)} (bvsub {top} {right.as_from(right.low, bits)}))", bits, low
                )
        raise ModelError(f"unknown operator {a.op.value!r} in a number")


def _width(sort: Sort) -> int:
    """How many bits a value of a sort takes."""
    return _bits(sort.high - sort.low)


def _bits(highest: int) -> int:
    """The bits that the numbers from 0 to `highest` take, at least one."""
    return max(1, highest.bit_length())


class Integers(SmtWriter):
    """Writes the terms of systems over natural numbers."""

    logic = "QF_LIA"

    def value(self, a: Expr, sort: Sort) -> str:
        """As `Writer.value`."""
        return self._terms[a].text

    def sort(self, sort: Sort) -> str:
        """`Bool` or `Int`."""
        return "Bool" if sort is BOOL else "Int"

    def constant(self, sort: Sort, stored: int) -> str:
        """A truth value or a number."""
        return ("true" if stored else "false") if sort is BOOL else _integer(stored)

    def stored(self, sort: Sort, number: int) -> int:
        """The number itself."""
        return number

    def limits(self, name: str, sort: Sort) -> str:
        """Both ends, if there are two."""
        if sort is BOOL:
            return "true"
        lower = f"(<= {_integer(sort.low)} {name})"
        return lower if is_natural(sort) else f"(and {lower} (<= {name} {_integer(sort.high)}))"

    def _compared(self, a: Expr) -> str:
        symbol = {op.EQ: "=", op.LT: "<", op.LE: "<="}[a.op]
        return f"({symbol} {self._number(a.args[0])} {self._number(a.args[1])})"

    def _write_number(self, a: Expr) -> _Number:
        return _Number(self._integer(a), 0, 0)

    def _number(self, a: Expr) -> str:
        return self._terms[a].text

    def _integer(self, a: Expr) -> str:
        match a.op:
            case op.CONST:
                return _integer(a.value)
            case op.VAR:
                return self.names[a]
            case op.ITE:
                return f"(ite {self.truth(a.args[0])} {self._number(a.args[1])} {self._number(a.args[2])})"
            case op.ADD | op.SUB:
                return f"({'+' if a.op is op.ADD else '-'} {self._number(a.args[0])} {self._number(a.args[1])})"
        raise ModelError(f"unknown operator {a.op.value!r} in a number")


def _integer(number: int) -> str:
    return str(number) if number >= 0 else f"(- {-number})"

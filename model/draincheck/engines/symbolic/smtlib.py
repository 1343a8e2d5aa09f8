"""Terms of a system as SMT-LIB text: the one translation that bounded model checking, induction and certificates share.

Truth values are `Bool`; every other sort is a bit vector that holds the stored value minus the least one, so nothing is ever negative
and a term is exactly as wide as the interval it can take: sums and comparisons never wrap. A constant has no width of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from draincheck.errors import ModelError
from draincheck.expr import BOOL, Expr, Sort, bounds

__all__ = ["Writer", "conjoined", "define", "disjoined", "literal", "sort_text", "width"]

#: terms with a longer text get a name, so that one that is used twice is written once
LONG = 160


def width(sort: Sort) -> int:
    """How many bits a value of a sort takes (at least one; truth values take one `Bool` instead)."""
    return max(1, (sort.high - sort.low).bit_length())


def sort_text(sort: Sort) -> str:
    """A sort in SMT-LIB."""
    return "Bool" if sort is BOOL else f"(_ BitVec {width(sort)})"


def literal(value: int, bits: int) -> str:
    """A bit vector constant."""
    return f"#b{value:0{bits}b}"


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


@dataclass(frozen=True, slots=True)
class _Number:
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


class Writer:
    """Writes terms. `names` are what the variables are called.

    Long terms get names: a text is complete only inside `bound`, which puts their definitions around it.
    """

    def __init__(self, names: Mapping[Expr, str]) -> None:
        self.names = names
        self._known: dict[int, tuple[Expr, str | _Number]] = {}
        self._lets: list[tuple[str, str]] = []

    def bound(self, text: Callable[[], str]) -> str:
        """A text with the definitions of all names that it uses."""
        self._known, self._lets = {}, []
        body = text()
        for name, term in reversed(self._lets):
            body = f"(let (({name} {term})) {body})"
        return body

    def truth(self, a: Expr) -> str:
        """The text of a truth-valued term."""
        return cast(str, self._once(a, self._truth))

    def value(self, a: Expr, sort: Sort) -> str:
        """The text of a term as a value of a sort; what does not fit the sort comes out as some value of it."""
        if sort is BOOL:
            return self.truth(a)
        return self._number(a).as_from(sort.low, width(sort))

    def _once(self, a: Expr, write: Callable[[Expr], str | _Number]) -> str | _Number:
        found = self._known.get(id(a))
        if found is None:
            # the term is kept beside its text: an id is only unique while its object lives
            found = self._known[id(a)] = (a, self._named(write(a)))
        return found[1]

    def _named(self, text: str | _Number) -> str | _Number:
        if isinstance(text, _Number):
            return _Number(cast(str, self._named(text.text)), text.bits, text.low)
        if len(text) <= LONG:
            return text
        self._lets.append((f"?{len(self._lets)}", text))
        return self._lets[-1][0]

    def _truth(self, a: Expr) -> str:
        match a.op:
            case "const":
                return "true" if a.value else "false"
            case "var":
                return self.names[a]
            case "not" | "and" | "or" | "ite":
                return f"({a.op} {' '.join(map(self.truth, a.args))})"
            case "eq" if a.args[0].sort is BOOL:
                return f"(= {self.truth(a.args[0])} {self.truth(a.args[1])})"
            case "eq" | "lt" | "le":
                return self._compared(a)
        raise ModelError(f"unknown operator {a.op!r} in a condition")

    def _compared(self, a: Expr) -> str:
        left, right = map(self._number, a.args)
        low = min(left.low, right.low)
        bits = max(_bits(number.low + (1 << number.bits) - 1 - low) for number in (left, right))
        symbol = {"eq": "=", "lt": "bvult", "le": "bvule"}[a.op]
        return f"({symbol} {left.as_from(low, bits)} {right.as_from(low, bits)})"

    def _number(self, a: Expr) -> _Number:
        return cast(_Number, self._once(a, self._write_number))

    def _write_number(self, a: Expr) -> _Number:
        low, high = bounds(a)
        bits = _bits(high - low)
        match a.op:
            case "const":
                return _Number(literal(0, bits), bits, low)
            case "var":
                return _Number(self.names[a], bits, low)
            case "ite":
                test, (then, otherwise) = self.truth(a.args[0]), map(self._number, a.args[1:])
                return _Number(f"(ite {test} {then.as_from(low, bits)} {otherwise.as_from(low, bits)})", bits, low)
            case "add":
                left, right = map(self._number, a.args)
                return _Number(f"(bvadd {left.as_from(left.low, bits)} {right.as_from(right.low, bits)})", bits, low)
            case "sub":
                # x - y is (x - low of x) + (high of y - y), and none of the two parts is negative
                left, right = map(self._number, a.args)
                top = literal(bounds(a.args[1])[1] - right.low, bits)
                return _Number(
                    f"(bvadd {left.as_from(left.low, bits)} (bvsub {top} {right.as_from(right.low, bits)}))", bits, low
                )
        raise ModelError(f"unknown operator {a.op!r} in a number")


def _bits(highest: int) -> int:
    """The bits that the numbers from 0 to `highest` take, at least one."""
    return max(1, highest.bit_length())

"""From the text of a search loop, which Python executes, to LLVM code that does the same.

Numbers in the text are Python's: they have no width. Sums, differences, shifts to the left and masks are right in their low bits whatever the
width they are computed in; comparisons and shifts to the right want whole numbers, and get a width that holds all that their operands can be.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import NamedTuple, TypeVar

from msgspec import Struct

from draincheck.errors import ModelError
from draincheck.native.width import WORD

__all__ = ["Range", "Terms", "chosen", "fitting", "not_understood"]

_SIGNED: Mapping[type[ast.AST], str] = {ast.Eq: "eq", ast.NotEq: "ne", ast.Lt: "slt", ast.LtE: "sle"}

T = TypeVar("T")


class Range(NamedTuple):
    """The least and the greatest that a number can be."""

    low: int
    high: int

    @property
    def bits(self) -> int:
        """The bits that all of these numbers fit into, their sign left out."""
        return max(max(number, ~number).bit_length() for number in self)


class Stored(Struct, frozen=True):
    """A value that was computed before: a number with its width and what it can be, or a condition (None)."""

    operand: str
    width: int = 1
    range: Range | None = None


def fitting(*ranges: Range) -> int:
    """The least width, in whole words, of a signed number that can be any of these."""
    return (max(each.bits for each in ranges) // WORD + 1) * WORD


def chosen(table: Mapping[type[ast.AST], T], operator: ast.AST) -> T:
    """What stands for an operator; raises ModelError if nothing does."""
    if type(operator) not in table:
        raise not_understood(operator)
    return table[type(operator)]


def not_understood(node: ast.AST) -> ModelError:
    """The error for text that has no native form."""
    return ModelError(f"this has no native form: {ast.dump(node)[:200]}")


class Terms:
    """Writes the terms of a text as instructions on one state.

    Attributes:
        names: what stands for the names in the text beside `s`: a term that is computed anew wherever it is used, or what was computed.
    """

    def __init__(self, emit: Callable[[str], str], bits: int) -> None:
        """Begin.

        Args:
            emit: writes an instruction, and says what its value is called.
            bits: those of a state, which is called %s.
        """
        self._emit = emit
        self._state = Range(0, (1 << bits) - 1)
        self._width = fitting(self._state)
        self.names: dict[str, ast.expr | Stored] = {}

    # -- conditions ---------------------------------------------------------------------------------

    def condition(self, node: ast.expr) -> str:
        """The truth of a term, as an i1."""
        match node:
            case ast.Constant(value=bool(value)):
                return "true" if value else "false"
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return self._emit(f"xor i1 {self.condition(operand)}, true")
            case ast.BoolOp(op=operator, values=values):
                return self._joined("and" if isinstance(operator, ast.And) else "or", map(self.condition, values))
            case ast.IfExp(test=test, body=body, orelse=otherwise):
                choice, then, other = map(self.condition, (test, body, otherwise))
                return self._emit(f"select i1 {choice}, i1 {then}, i1 {other}")
            case ast.Compare(left=left, ops=operators, comparators=others):
                pairs = zip([left, *others], operators, others, strict=False)
                return self._joined("and", [self._compared(*pair) for pair in pairs])
            case ast.Name(id=name) if isinstance(known := self.names.get(name), Stored) and known.range is None:
                return known.operand
            case ast.Subscript():
                return self.condition(self._computed(node))
            case _:
                return self._compared(node, ast.NotEq(), ast.Constant(0))

    def _joined(self, operator: str, conditions: Sequence[str] | map[str]) -> str:
        return reduce(lambda one, other: self._emit(f"{operator} i1 {one}, {other}"), conditions)

    def _compared(self, left: ast.expr, operator: ast.cmpop, right: ast.expr) -> str:
        if isinstance(operator, ast.In) and isinstance(right, ast.Tuple):
            return self._joined("or", [self._compared(left, ast.Eq(), each) for each in right.elts])
        sides = self._lower(left, right)
        width = fitting(*map(self.range, sides))
        one, other = [self.number(side, width) for side in sides]
        return self._emit(f"icmp {chosen(_SIGNED, operator)} i{width} {one}, {other}")

    def _lower(self, *sides: ast.expr) -> Sequence[ast.expr]:
        """The two sides of a comparison: if it is of a part of the state with a constant, without the words below that part."""
        meant = [*map(self._meant, sides)]
        masks = [mask for side in meant if (mask := _mask(side)) is not None]
        places = _trailing_zeros(masks) // WORD * WORD if len(masks) == len(sides) else 0
        return [_shifted(side, places) for side in meant] if places else sides

    def _meant(self, node: ast.expr) -> ast.expr:
        """What stands for a name that is computed anew."""
        known = self.names.get(node.id) if isinstance(node, ast.Name) else None
        return known if isinstance(known, ast.expr) else node

    # -- numbers ------------------------------------------------------------------------------------

    def number(self, node: ast.expr, width: int) -> str:
        """The low bits of a number."""
        match node:
            case ast.Constant(value=int(value)):
                return str(value % (1 << width))
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(value))):
                return str(-value % (1 << width))
            case ast.Name(id="s"):
                return self._converted(Stored("%s", self._width, self._state), width)
            case ast.Name(id=name):
                known = self.names[name]
                return self._converted(known, width) if isinstance(known, Stored) else self.number(known, width)
            case ast.BinOp(left=left, op=ast.RShift(), right=ast.Constant(value=int(places))):
                return self._shifted_right(left, places, width)
            case ast.BinOp(left=left, op=ast.LShift(), right=ast.Constant(value=int(places))):
                return self._emit(f"shl i{width} {self.number(left, width)}, {places}") if places < width else "0"
            case ast.BinOp(left=left, op=operator, right=right):
                return self._emit(f"{chosen(_LOW_BITS, operator)} i{width} {self.number(left, width)}, {self.number(right, width)}")  # fmt: skip
            case ast.IfExp(test=test, body=body, orelse=otherwise):
                choice = self.condition(test)
                then, other = self.number(body, width), self.number(otherwise, width)
                return self._emit(f"select i1 {choice}, i{width} {then}, i{width} {other}")
            case ast.Subscript():
                return self.number(self._computed(node), width)
            case _:
                raise not_understood(node)

    def _shifted_right(self, node: ast.expr, places: int, width: int) -> str:
        """All bits of a number have to be there before it is shifted."""
        around = self.range(node)
        whole = fitting(around)
        if places >= whole:
            return "0" if around.low >= 0 else self._emit(f"ashr i{width} {self.number(node, width)}, {width - 1}")
        text = self._emit(f"ashr i{whole} {self.number(node, whole)}, {places}")
        return self._converted(Stored(text, whole, around), width)

    def _converted(self, value: Stored, width: int) -> str:
        if value.width == width:
            return value.operand
        how = "trunc" if value.width > width else "sext"
        return self._emit(f"{how} i{value.width} {value.operand} to i{width}")

    def _computed(self, node: ast.Subscript) -> ast.expr:
        """The last part of `(t0 := ..., t1 := ..., text)[-1]`, when those before have been computed."""
        if not isinstance(node.value, ast.Tuple):
            raise not_understood(node)
        *before, last = node.value.elts
        for part in before:
            if not isinstance(part, ast.NamedExpr):
                raise not_understood(part)
            self.names[part.target.id] = self._stored(part.value)
        return last

    def _stored(self, node: ast.expr) -> Stored:
        if self._is_condition(node):
            return Stored(self.condition(node))
        around = self.range(node)
        return Stored(self.number(node, fitting(around)), fitting(around), around)

    def _is_condition(self, node: ast.expr) -> bool:
        match node:
            case ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()) | ast.Constant(value=bool()):
                return True
            case ast.IfExp(body=body):
                return self._is_condition(body)
            case ast.Name(id=name):
                known = self.names.get(name)
                return isinstance(known, Stored) and known.range is None
            case _:
                return False

    # -- what numbers can be ------------------------------------------------------------------------

    def range(self, node: ast.expr) -> Range:
        """What a number can be, as far as that is plain."""
        match node:
            case ast.Constant(value=int(value)):
                return Range(value, value)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(value))):
                return Range(-value, -value)
            case ast.Name(id="s"):
                return self._state
            case ast.Name(id=name):
                known = self.names[name]
                found = known.range if isinstance(known, Stored) else self.range(known)
                if found is None:
                    raise not_understood(node)
                return found
            case ast.BinOp(left=left, op=operator, right=right):
                return chosen(_RANGES, operator)(self.range(left), self.range(right))
            case ast.IfExp(body=body, orelse=otherwise):
                one, other = self.range(body), self.range(otherwise)
                return Range(min(one.low, other.low), max(one.high, other.high))
            case _:
                raise not_understood(node)


_LOW_BITS: Mapping[type[ast.AST], str] = {ast.Add: "add", ast.Sub: "sub", ast.BitAnd: "and", ast.BitOr: "or"}


def _mask(node: ast.expr) -> int | None:
    """The bits that a constant or a part of the state can have; None for anything else."""
    match node:
        case (
            ast.Constant(value=int(value))
            | ast.BinOp(left=ast.Name(id="s"), op=ast.BitAnd(), right=ast.Constant(value=int(value)))
        ):
            return value
        case _:
            return None


def _trailing_zeros(values: Sequence[int]) -> int:
    """How many low bits are zero in all of some numbers."""
    together = reduce(lambda one, other: one | other, values)
    return (together & -together).bit_length() - 1 if together else 0


def _shifted(node: ast.expr, places: int) -> ast.expr:
    """A constant, or a part of the state, without its low bits, which are zero."""
    match node:
        case ast.Constant(value=int(value)):
            return ast.Constant(value >> places)
        case ast.BinOp(left=left, op=operator, right=right):
            whole = ast.BinOp(left, ast.RShift(), ast.Constant(places))
            return ast.BinOp(whole, operator, _shifted(right, places))
        case _:
            raise not_understood(node)


def _masked(one: Range, other: Range) -> Range:
    highs = [each.high for each in (one, other) if each.low >= 0]
    return Range(0, min(highs)) if highs else _joined_bits(one, other)


def _joined_bits(one: Range, other: Range) -> Range:
    most = (1 << max(one.bits, other.bits)) - 1
    return Range(0 if min(one.low, other.low) >= 0 else ~most, most)


_RANGES: Mapping[type[ast.AST], Callable[[Range, Range], Range]] = {
    ast.Add: lambda one, other: Range(one.low + other.low, one.high + other.high),
    ast.Sub: lambda one, other: Range(one.low - other.high, one.high - other.low),
    ast.LShift: lambda one, other: Range(one.low << other.low, one.high << other.high),
    ast.RShift: lambda one, other: Range(one.low >> other.low, one.high >> other.high),
    ast.BitAnd: _masked,
    ast.BitOr: _joined_bits,
}

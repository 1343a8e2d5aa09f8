"""What conditions say about single variables: the values they allow each of them.

A set of values is a tuple of borders, ascending: the values from the first to before the second are in it, those from the third to before
the fourth, and so on. However wide a range is, a set costs what the conditions say about it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from draincheck import op
from draincheck.expr import FALSE, TRUE, Expr
from draincheck.op import Op

__all__ = ["Facts", "Values", "allowed", "complement", "conjunction", "disjunction", "flat", "intersection", "shifted", "size", "union"]  # fmt: skip

#: a set of values, by its borders
Values: TypeAlias = tuple[int, ...]

#: how deep a condition is looked into for the values of a single variable; what is nested deeper is hardly about one
DEEPEST = 8


def size(values: Values) -> int:
    """How many values there are."""
    return sum(values[1::2]) - sum(values[::2])


def union(one: Values, other: Values) -> Values:
    """The values that are in one of two sets."""
    return one or other if not (one and other) else _swept(one, other, 1)


def intersection(one: Values, other: Values) -> Values:
    """The values that are in both of two sets."""
    return () if not (one and other) else _swept(one, other, 2)


def _swept(one: Values, other: Values, wanted: int) -> Values:
    """The values that are in so many of two sets at least: borders are passed in ascending order."""
    if one == other:
        return one
    borders: list[int] = []
    for border in sorted({*one, *other}):
        inside = (bisect_right(one, border) & 1) + (bisect_right(other, border) & 1) >= wanted
        if inside != len(borders) & 1:
            borders.append(border)
    return tuple(borders)


def complement(variable: Expr, values: Values) -> Values:
    """The values of a variable that are not in a set of them."""
    first, end = variable.sort.low, variable.sort.high + 1
    borders = values[1:] if values and values[0] == first else (first, *values)
    return borders[:-1] if borders and borders[-1] == end else (*borders, end)


class Facts:
    """What a conjunction of conditions says.

    Attributes:
        fixed: variables with the one value they may have.
        among: variables with the several values they may have.
        rest: the conditions that are not about a single variable.
    """

    __slots__ = ("among", "fixed", "rest")

    def __init__(self, among: dict[Expr, Values], rest: list[Expr]) -> None:
        self.fixed: dict[Expr, int] = {}
        self.among: dict[Expr, Values] = {}
        for variable, values in among.items():
            if values[0] + 1 == values[-1]:
                self.fixed[variable] = values[0]
            else:
                self.among[variable] = values
        self.rest = rest


def conjunction(conditions: Iterable[Expr]) -> Facts | None:
    """What holds where all the conditions do; None if they cannot all hold."""
    values: dict[Expr, Values] = {}
    rest: list[Expr] = []
    for condition in flat(op.AND, conditions):
        found = allowed(condition)
        if found is None:
            rest.append(condition)
            continue
        variable, these = found
        if variable in values:
            these = intersection(these, values[variable])
        values[variable] = these
        if not these:
            return None
    return None if any(condition is FALSE for condition in rest) else Facts(values, rest)


def disjunction(conditions: Iterable[Expr]) -> tuple[dict[Expr, Values], list[Expr]]:
    """The values of single variables for any of which one of the conditions holds, and the other conditions."""
    values: dict[Expr, Values] = {}
    rest: list[Expr] = []
    for condition in flat(op.OR, conditions):
        found = allowed(condition)
        if found is None:
            rest.append(condition)
        else:
            values[found[0]] = union(values.get(found[0], ()), found[1])
    return values, rest


def flat(kind: Op, conditions: Iterable[Expr]) -> Iterator[Expr]:
    """The operands of a conjunction (or disjunction) of conditions that may be such themselves."""
    for condition in conditions:
        if condition.op is kind:
            yield from flat(kind, condition.args)
        elif condition is not (TRUE if kind is op.AND else FALSE):
            yield condition


def allowed(a: Expr, deepest: int = DEEPEST) -> tuple[Expr, Values] | None:
    """The variable and the values it may have, if that is all a condition says; so much of it is looked into."""
    match a.op:
        case op.VAR:
            return a, (1, 2)
        case op.EQ | op.LE | op.LT:
            return _compared(a)
        case op.NOT:
            inner = allowed(a.args[0], deepest)
            return inner and (inner[0], complement(*inner))
        case op.OR | op.AND if deepest:
            return _united(a, deepest - 1)
        case _:
            return None


def shifted(a: Expr) -> tuple[Expr, int]:
    """A term as another term plus a constant."""
    shift = 0
    while a.op in (op.ADD, op.SUB) and a.args[1].op is op.CONST:
        shift += a.args[1].value * (1 if a.op is op.ADD else -1)
        a = a.args[0]
    return a, shift


def _compared(a: Expr) -> tuple[Expr, Values] | None:
    """Of a comparison with a constant."""
    variable, limit = a.args
    turned = variable.op is op.CONST
    if turned:
        variable, limit = limit, variable
    if limit.op is not op.CONST:
        return None
    border = limit.value
    if variable.op is not op.VAR:
        variable, shift = shifted(variable)
        border -= shift
        if variable.op is not op.VAR:
            return None
    first, last = variable.sort.low, variable.sort.high
    if a.op is op.EQ:
        return variable, (border, border + 1) if first <= border <= last else ()
    # `x < c` and `c <= x` part the values just below c, `x <= c` and `c < x` just above it
    border = min(max(border + ((a.op is op.LE) != turned), first), last + 1)
    start, end = (border, last + 1) if turned else (first, border)
    return variable, (start, end) if start < end else ()


def _united(a: Expr, deepest: int) -> tuple[Expr, Values] | None:
    variable, values = a, Values()
    for arg in a.args:
        found = allowed(arg, deepest)
        if found is None or (variable is not a and variable is not found[0]):
            return None
        combined = union if a.op is op.OR else intersection
        values = found[1] if variable is a else combined(values, found[1])
        variable = found[0]
    return variable, values

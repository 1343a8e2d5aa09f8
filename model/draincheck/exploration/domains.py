"""What conditions say about single variables: the values they allow each of them.

A set of values is an integer with a bit for each value of the sort, the lowest value first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from draincheck import op
from draincheck.expr import FALSE, TRUE, Expr
from draincheck.op import Op

__all__ = ["Facts", "allowed", "conjunction", "disjunction", "everything", "flat", "shifted"]


class Facts:
    """What a conjunction of conditions says.

    Attributes:
        fixed: variables with the one value they may have.
        among: variables with the several values they may have.
        rest: the conditions that are not about a single variable.
    """

    __slots__ = ("among", "fixed", "rest")

    def __init__(self, among: dict[Expr, int], rest: list[Expr]) -> None:
        self.fixed = {v: v.sort.low + bits.bit_length() - 1 for v, bits in among.items() if not bits & (bits - 1)}
        self.among = {v: bits for v, bits in among.items() if bits & (bits - 1)}
        self.rest = rest


def conjunction(conditions: Iterable[Expr]) -> Facts | None:
    """What holds where all the conditions do; None if they cannot all hold."""
    values: dict[Expr, int] = {}
    rest: list[Expr] = []
    for condition in flat(op.AND, conditions):
        found = allowed(condition)
        if found is None:
            rest.append(condition)
            continue
        variable, bits = found
        values[variable] = bits = bits & values.get(variable, bits)
        if not bits:
            return None
    return None if any(condition is FALSE for condition in rest) else Facts(values, rest)


def disjunction(conditions: Iterable[Expr]) -> tuple[dict[Expr, int], list[Expr]]:
    """The values of single variables for any of which one of the conditions holds, and the other conditions."""
    values: dict[Expr, int] = {}
    rest: list[Expr] = []
    for condition in flat(op.OR, conditions):
        found = allowed(condition)
        if found is None:
            rest.append(condition)
        else:
            values[found[0]] = values.get(found[0], 0) | found[1]
    return values, rest


def flat(kind: Op, conditions: Iterable[Expr]) -> Iterator[Expr]:
    """The operands of a conjunction (or disjunction) of conditions that may be such themselves."""
    for condition in conditions:
        if condition.op is kind:
            yield from flat(kind, condition.args)
        elif condition is not (TRUE if kind is op.AND else FALSE):
            yield condition


def allowed(a: Expr) -> tuple[Expr, int] | None:
    """The variable and the values it may have, if that is all a condition says."""
    match a.op:
        case op.VAR:
            return a, 2
        case op.EQ | op.LE | op.LT:
            return _compared(a)
        case op.NOT:
            inner = allowed(a.args[0])
            return inner and (inner[0], everything(inner[0]) ^ inner[1])
        case op.OR | op.AND:
            return _united(a)
        case _:
            return None


def everything(variable: Expr) -> int:
    """All values of a variable."""
    return (1 << variable.sort.size) - 1


def shifted(a: Expr) -> tuple[Expr, int]:
    """A term as another term plus a constant."""
    shift = 0
    while a.op in (op.ADD, op.SUB) and a.args[1].op is op.CONST:
        shift += a.args[1].value * (1 if a.op is op.ADD else -1)
        a = a.args[0]
    return a, shift


def _compared(a: Expr) -> tuple[Expr, int] | None:
    """Of a comparison with a constant."""
    variable, limit = a.args
    turned = variable.op is op.CONST
    if turned:
        variable, limit = limit, variable
    if limit.op is not op.CONST:
        return None
    position = limit.value
    if variable.op is not op.VAR:
        variable, shift = shifted(variable)
        position -= shift
        if variable.op is not op.VAR:
            return None
    position -= variable.sort.low
    size = variable.sort.high - variable.sort.low + 1
    if a.op is op.EQ:
        return variable, 1 << position if 0 <= position < size else 0
    # `x < c` and `c <= x` part the values just below c, `x <= c` and `c < x` just above it
    below = (1 << min(max(position + ((a.op is op.LE) != turned), 0), size)) - 1
    return variable, ((1 << size) - 1) ^ below if turned else below


def _united(a: Expr) -> tuple[Expr, int] | None:
    variable, bits = a, 0
    for arg in a.args:
        found = allowed(arg)
        if found is None or (variable is not a and variable is not found[0]):
            return None
        bits = found[1] if variable is a else bits | found[1] if a.op is op.OR else bits & found[1]
        variable = found[0]
    return variable, bits

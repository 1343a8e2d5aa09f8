"""What conditions say about single variables: the values they allow each of them.

A set of values is an integer with a bit for each value of the sort, the lowest value first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import cast

from draincheck.expr import Expr

__all__ = ["Facts", "allowed", "conjunction", "disjunction", "shifted"]


@dataclass(slots=True)
class Facts:
    """A conjunction or disjunction of conditions: the values allowed to variables, and the conditions that are not like that."""

    values: dict[Expr, int] = field(default_factory=dict[Expr, int])
    rest: list[Expr] = field(default_factory=list[Expr])

    def fixed(self) -> dict[Expr, int]:
        """The variables that have one value left, with that value."""
        return {v: v.sort.low + bits.bit_length() - 1 for v, bits in self.values.items() if bits & (bits - 1) == 0}


def conjunction(conditions: Iterable[Expr]) -> Facts | None:
    """What holds where all the conditions do; None if they cannot all hold."""
    facts = Facts()
    for condition in conditions:
        found = allowed(condition)
        if found is None:
            facts.rest.append(condition)
            continue
        variable, bits = found
        facts.values[variable] = bits = bits & facts.values.get(variable, bits)
        if not bits:
            return None
    return facts


def disjunction(conditions: Iterable[Expr]) -> Facts:
    """What holds where at least one of the conditions does."""
    facts = Facts()
    for condition in conditions:
        found = allowed(condition)
        if found is None:
            facts.rest.append(condition)
        else:
            facts.values[found[0]] = facts.values.get(found[0], 0) | found[1]
    return facts


def allowed(a: Expr) -> tuple[Expr, int] | None:
    """The variable and the values it may have, if that is all a condition says."""
    match a.op:
        case "var":
            return a, 2
        case "eq" | "le" | "lt":
            return _compared(a)
        case "not":
            inner = allowed(a.args[0])
            return inner and (inner[0], everything(inner[0]) ^ inner[1])
        case "or" | "and":
            return _united(a)
        case _:
            return None


def everything(variable: Expr) -> int:
    """All values of a variable."""
    return (1 << variable.sort.size) - 1


def shifted(a: Expr) -> tuple[Expr, int]:
    """A term as another term plus a constant."""
    shift = 0
    while a.op in ("add", "sub") and a.args[1].op == "const":
        shift += cast(int, a.args[1].value) * (1 if a.op == "add" else -1)
        a = a.args[0]
    return a, shift


def _compared(a: Expr) -> tuple[Expr, int] | None:
    left, right = a.args
    turned = left.op == "const"
    (variable, shift), limit = (shifted(right), left) if turned else (shifted(left), right)
    if variable.op != "var" or limit.op != "const":
        return None
    size = variable.sort.size
    position = cast(int, limit.value) - shift - variable.sort.low
    if a.op == "eq":
        return variable, 1 << position if 0 <= position < size else 0
    # `x < c` and `c <= x` part the values just below c, `x <= c` and `c < x` just above it
    below = (1 << min(max(position + ((a.op == "le") != turned), 0), size)) - 1
    return variable, everything(variable) ^ below if turned else below


def _united(a: Expr) -> tuple[Expr, int] | None:
    variable, bits = a, 0
    for arg in a.args:
        found = allowed(arg)
        if found is None or variable not in (a, found[0]):
            return None
        bits = found[1] if variable is a else bits | found[1] if a.op == "or" else bits & found[1]
        variable = found[0]
    return variable, bits

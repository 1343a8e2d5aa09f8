"""What terms are worth in a state: the meaning of each operator, written for clarity. Engines generate code instead."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Final

from draincheck import op
from draincheck.errors import ModelError
from draincheck.expr import Expr
from draincheck.op import Op
from draincheck.walks import OfTerms

__all__ = ["Evaluation"]


class Evaluation(OfTerms[int]):
    """The stored values of terms; made from those of their variables."""

    def of(self, a: Expr) -> int:
        """The value of a term."""
        match a.op:
            case op.AND:
                for arg in a.args:
                    if not self[arg]:
                        return 0
                return 1
            case op.CONST:
                return a.value
            case op.EQ | op.LT | op.LE | op.ADD | op.SUB:
                left, right = a.args
                return int(_OF_TWO[a.op](self[left], right.value if right.op is op.CONST else self[right]))
            case op.NOT:
                return 1 - self[a.args[0]]
            case op.OR:
                return int(any(map(self.__getitem__, a.args)))
            case op.ITE:
                return self[a.args[1 if self[a.args[0]] else 2]]
            case op.VAR | op.AT | op.OPAQUE:
                raise ModelError(f"a term without a value: {a} ({a.op.value})")


_OF_TWO: Final[Mapping[Op, Callable[[int, int], int]]] = {
    op.EQ: operator.eq, op.LT: operator.lt, op.LE: operator.le, op.ADD: operator.add, op.SUB: operator.sub,
}  # fmt: skip

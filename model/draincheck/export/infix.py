"""Terms in languages that write operators between their arguments; they differ in signs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct

from draincheck import op
from draincheck.errors import ExportError
from draincheck.expr import Expr
from draincheck.op import Op
from draincheck.sorts import Sort
from draincheck.walks import OfTerms

__all__ = ["LONGEST", "Infix", "Signs"]

#: longer texts of a term are refused: parts that terms share are written out each time
LONGEST = 200_000


class Signs(Struct, frozen=True):
    """How a language writes operators.

    Attributes:
        between: the signs of those that stand between their arguments.
        negation: the sign of `not`.
        choice: the text of a choice, with {0} for the condition, {1} and {2} for what it chooses between.
    """

    between: Mapping[Op, str]
    negation: str
    choice: str


class Infix(OfTerms[str]):
    """The texts of terms; `names` are what variables are called, `constant` writes a stored value of a sort.

    Raises ExportError for a term that comes out longer than `LONGEST`.
    """

    def __init__(self, signs: Signs, names: Mapping[Expr, str], constant: Callable[[Sort, int], str]) -> None:
        super().__init__(names)
        self._signs, self._constant = signs, constant

    def of(self, a: Expr) -> str:
        """The text of a term."""
        text = self._written(a)
        if len(text) > LONGEST:
            raise ExportError(
                f"a term takes more than {LONGEST} characters when its parts are written out: {text[:60]}..."
            )
        return text

    def _written(self, a: Expr) -> str:
        match a.op:
            case op.CONST:
                return self._constant(a.sort, a.value)
            case op.NOT:
                return f"{self._signs.negation}{self.inside(a.args[0])}"
            case op.ITE:
                return self._signs.choice.format(*map(self._operand, a.args))
            case op.AND | op.OR:
                return f" {self._signs.between[a.op]} ".join(map(self._operand, a.args))
            case _:
                return f" {self._signs.between[a.op]} ".join(map(self.inside, a.args))

    def _operand(self, a: Expr) -> str:
        """The text of a term inside a larger one."""
        return f"({self[a]})" if a.op in self._signs.between else self[a]

    def inside(self, a: Expr) -> str:
        """The text of a term beside another sign: there a negation would reach too far, or become another sign."""
        return f"({self[a]})" if a.op is op.NOT else self._operand(a)

"""Whether conditions hold in all states, reachable or not: decided by cases, within so much work.

A condition is looked at with one variable after the other replaced by each of its values; terms fold, so that most cases are decided long before
all variables have values. What takes more work than there is counts as not decided, which is always the safe answer here.
"""

from __future__ import annotations

from collections.abc import Mapping

from draincheck import op
from draincheck.evaluation import Evaluation
from draincheck.expr import FALSE, TRUE, BoolExpr, Expr, Substitution, constant

__all__ = ["Cases"]

#: values of a variable beyond which it is not split
MOST_VALUES = 1 << 10


class Cases:
    """Decides conditions.

    Attributes:
        left: how many terms may still be looked at.
    """

    def __init__(self, work: int) -> None:
        self.left = work

    def implied(self, premise: BoolExpr, conclusion: BoolExpr) -> bool:
        """Whether a conclusion is known to hold in all states in which a premise does; False also where that was not decided."""
        todo = [(premise, conclusion)]
        while todo:
            given, wanted = todo.pop()
            if wanted is TRUE or given is FALSE:
                continue
            if given is TRUE and wanted is FALSE:
                return False
            if wanted.op is op.AND:
                todo += [(given, part) for part in wanted.args if isinstance(part, BoolExpr)]
            elif fixed := _fixed(given):
                todo.append(self._with(fixed, given, wanted))
            elif (split := self._split(given, wanted)) is None:
                return False
            else:
                todo += split
        return True

    def _split(self, given: BoolExpr, wanted: BoolExpr) -> list[tuple[BoolExpr, BoolExpr]] | None:
        """The cases of a variable; none where there is no variable left and all is well, None where it is not, or too much would have to be done."""
        variable = _first_variable(wanted, given)
        if variable is None:
            return [] if _value(wanted) or not _value(given) else None
        if variable.sort.size > MOST_VALUES or self.left <= 0:
            return None
        values = range(variable.sort.low, variable.sort.high + 1)
        return [self._with({variable: constant(variable.sort, v)}, given, wanted) for v in values]

    def equal(self, one: BoolExpr, other: BoolExpr, premise: BoolExpr = TRUE) -> bool:
        """Whether two conditions are known to be the same wherever a premise holds."""
        return one is other or self.implied(premise, one.iff(other))

    def _with(self, values: Mapping[Expr, Expr], given: BoolExpr, wanted: BoolExpr) -> tuple[BoolExpr, BoolExpr]:
        replaced = Substitution(values)
        found = replaced(given), replaced(wanted)
        self.left -= len(replaced)
        return found


def _fixed(condition: BoolExpr) -> dict[Expr, Expr]:
    """The variables whose values a conjunction says."""
    found: dict[Expr, Expr] = {}
    for part in condition.args if condition.op is op.AND else (condition,):
        match part.op:
            case op.VAR:
                found[part] = TRUE
            case op.NOT if part.args[0].op is op.VAR:
                found[part.args[0]] = FALSE
            case op.EQ if part.args[0].op is op.VAR and part.args[1].op is op.CONST:
                found[part.args[0]] = part.args[1]
            case _:
                pass
    return found


def _first_variable(*terms: Expr) -> Expr | None:
    """A variable of some terms, the first one that stands in them; None if there is none."""
    todo, seen = [*reversed(terms)], set[Expr]()
    while todo:
        part = todo.pop()
        if part.op is op.VAR:
            return part
        if part not in seen:
            seen.add(part)
            todo += reversed(part.args)
    return None


def _value(condition: BoolExpr) -> bool:
    """What a condition without variables is."""
    return bool(Evaluation()[condition])

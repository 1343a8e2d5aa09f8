"""From terms over state variables to Python source over packed states.

The text is plain Python over one integer `s`: masks, shifts, comparisons, `and`/`or`/`not` and conditional expressions.
What conditions say about single variables is gathered, so that a conjunction of equalities costs one mask and one compare.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import starmap

from draincheck import op
from draincheck.errors import ModelError
from draincheck.exploration.domains import Facts, Values, allowed, complement, conjunction, disjunction, shifted, size
from draincheck.exploration.layout import Field, Layout
from draincheck.expr import BoolExpr, Expr
from draincheck.system import Update
from draincheck.walks import OfTerms

__all__ = ["Writer"]

#: values of a variable that are listed one by one; of more only the borders are
MOST_LISTED = 64

#: texts that are longer have a name in others; those of terms in the depth even if they are short, for each adds parentheses
LONGEST, LONG = 1_000, 200

#: choices in one another that are written out where a value is stored
MOST_CHOICES = 12

#: what is called by a name
NAME = r"\bt(\d+)\b"

COMPARE = {op.EQ: "==", op.LT: "<", op.LE: "<="}


class Writer(OfTerms[str]):
    """Writes terms as Python text. Texts are kept, since guards, updates and checks share many.

    What is long has a name in the texts of what it is a part of: Python reads no text whose parentheses are nested deeply, and a part that is
    used again and again is computed once. A text is complete only when it is `closed`.
    """

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.layout = layout
        self._memberships: dict[tuple[Expr, Values], str] = {}
        self._named: list[str] = []
        self._numbers: dict[str, int] = {}

    def of(self, a: Expr) -> str:
        """Text of a truth-valued term as a condition, of any other as an operand; its name if it is long."""
        text = self._condition(a) if isinstance(a, BoolExpr) else self._value(a)
        return self._brief(text, LONG if self.is_deep else LONGEST)

    def _brief(self, text: str, longest: int = LONGEST) -> str:
        """A text, or its name if it is longer than that."""
        if len(text) <= longest:
            return text
        number = self._numbers.setdefault(text, len(self._named))
        if number == len(self._named):
            self._named.append(text)
        return f"t{number}"

    def closed(self, text: str) -> str:
        """A text that computes first what has a name in it."""
        if not self._named:
            return text
        needed, todo = set[int](), [text]
        while todo:
            new = set(map(int, re.findall(NAME, todo.pop()))) - needed
            needed |= new
            todo += [self._named[number] for number in new]
        if not needed:
            return text
        parts = "".join(f"(t{number} := {self._named[number]}), " for number in sorted(needed))
        return f"({parts}{text})[-1]"

    def condition(self, a: Expr) -> str:
        """Text that is true where the condition holds; it binds at least as tight as `not`."""
        return self[a]

    def _condition(self, a: Expr) -> str:
        found = allowed(a)
        if found is not None:
            return self._among(*found)
        match a.op:
            case op.CONST:
                return "True" if a.value else "False"
            case op.AND:
                facts = conjunction(a.args)
                return "False" if facts is None else self.all_of(facts.fixed, facts) or "True"
            case op.OR:
                values, rest = disjunction(a.args)
                return (
                    f"({' or '.join([*starmap(self._among, values.items()), *map(self.condition, rest)]) or 'False'})"
                )
            case op.NOT:
                return f"not {self.condition(a.args[0])}"
            case op.ITE:
                test, then, otherwise = map(self.condition, a.args)
                return f"({then} if {test} else {otherwise})"
            case op.EQ | op.LT | op.LE:
                return f"{self.value(a.args[0])} {COMPARE[a.op]} {self.value(a.args[1])}"
            case _:
                raise ModelError(f"not a condition that can be searched: {a} ({a.op.value})")

    def all_of(self, fixed: Mapping[Expr, int], facts: Facts) -> str:
        """Text that is true where a conjunction holds; "" if that is everywhere.

        Args:
            fixed: those of its fixed values that need a look; whoever calls knows that the others are right.
            facts: the conjunction.
        """
        mask, value = self.layout.pattern(fixed)
        texts = [masked(mask, value)] if mask else []
        texts += starmap(self._among, facts.among.items())
        texts += map(self.condition, facts.rest)
        return " and ".join(texts) if len(texts) < 2 else f"({' and '.join(texts)})"

    def _among(self, variable: Expr, values: Values) -> str:
        """Text that is true where a variable has one of a set of values."""
        text = self._memberships.get((variable, values))
        if text is None:
            text = self._memberships[variable, values] = self._membership(variable, values)
        return text

    def _membership(self, variable: Expr, values: Values) -> str:
        field, others = self.layout.fields[variable], complement(variable, values)
        if not values or not others:
            return "True" if values else "False"
        here = f"s & {field.mask}"
        if values[0] + 1 == values[-1]:
            return masked(field.mask, field.bits(values[0]))
        if others[0] + 1 == others[-1]:
            return f"{here} != {field.bits(others[0])}" if field.bits(others[0]) else here
        if len(values) == 2:
            text = f"{here} <= {field.bits(values[1] - 1)}"
            return f"{field.bits(values[0])} <= {text}" if values[0] > field.low else text
        parts = list(zip(values[::2], values[1::2], strict=True))
        if size(values) <= MOST_LISTED:
            places = [field.bits(value) for first, end in parts for value in range(first, end)]
            return f"{here} in ({', '.join(map(str, places))})"
        return f"({' or '.join(self._among(variable, part) for part in parts)})"

    def value(self, a: Expr) -> str:
        """Text for the value of a term, as an operand."""
        if not isinstance(a, BoolExpr):
            return self[a]
        return self._value(a) if not a.args else f"(1 if {self[a]} else 0)"

    def _value(self, a: Expr) -> str:
        match a.op:
            case op.CONST:
                return str(a.value)
            case op.VAR:
                field = self.layout.fields[a]
                text = f"(s >> {field.offset} & {field.mask >> field.offset})"
                return f"({text} + {field.low})" if field.low else text
            case op.ADD:
                return f"({self.value(a.args[0])} + {self.value(a.args[1])})"
            case op.SUB:
                return f"({self.value(a.args[0])} - {self.value(a.args[1])})"
            case op.ITE:
                return f"({self.value(a.args[1])} if {self.condition(a.args[0])} else {self.value(a.args[2])})"
            case _:
                raise ModelError(f"not a number that can be searched: {a} ({a.op.value})")

    def bits(self, a: Expr, field: Field, deepest: int = MOST_CHOICES) -> str:
        """Text for a term's value where a field has its bits; choices in one another are written out so often."""
        base, shift = shifted(a)
        match base.op:
            case op.CONST:
                return str(field.bits(base.value + shift))
            case op.VAR if not shift and self.layout.fields[base].low == field.low:
                source = self.layout.fields[base]
                return moved(f"s & {source.mask}", field.offset - source.offset)
            case op.ITE if not shift and deepest:
                then, otherwise = (self.bits(arg, field, deepest - 1) for arg in base.args[1:])
                return self._brief(f"({then} if {self.condition(base.args[0])} else {otherwise})")
            case op.AND | op.OR | op.NOT | op.EQ | op.LT | op.LE:
                return f"({field.bits(1)} if {self.condition(a)} else {field.bits(0)})"
            case _:
                return f"({self.value(a)} - {field.low} << {field.offset})"

    def delta(self, a: Expr, variable: Expr, known: int | None, deepest: int = MOST_CHOICES) -> int | str | None:
        """What to add to a state to store a term in a variable whose old value may be known; None if adding cannot do it.

        Choices in one another are written out so often.
        """
        field = self.layout.fields[variable]
        base, shift = shifted(a)
        if base is variable:
            return shift << field.offset
        if base.op is op.CONST and known is not None:
            return field.bits(base.value + shift) - field.bits(known)
        if base.op is op.ITE and not shift and deepest:
            then, otherwise = (self.delta(arg, variable, known, deepest - 1) for arg in base.args[1:])
            if then is not None and otherwise is not None:
                return self._brief(f"({then} if {self.condition(base.args[0])} else {otherwise})")
        return None

    def successor(self, updates: Iterable[Update], fixed: Mapping[Expr, int]) -> str:
        """Text for the state after simultaneous updates, where the variables in `fixed` are known to have these values.

        All that is a matter of adding constants is one addition; other constants are part of one and/or.
        """
        keep, ones, total = self.layout.everything, 0, 0
        stored: list[str] = []
        added: list[str] = []
        for variable, new in {update.variable: update.value for update in updates}.items():
            delta = self.delta(new, variable, fixed.get(variable))
            if isinstance(delta, int):
                total += delta
            elif delta is not None:
                added.append(delta)
            else:
                field = self.layout.fields[variable]
                keep &= ~field.mask
                if new.op is op.CONST:
                    ones |= field.bits(new.value)
                else:
                    stored.append(self.bits(new, field))
        text = "s"
        if keep != self.layout.everything:
            text = " | ".join([f"s & {keep}", *([str(ones)] if ones else []), *stored])
            text = f"({text})" if total or added else text
        return " + ".join([text, *([str(total)] if total else []), *added])


def moved(text: str, places: int) -> str:
    """Text for bits that are somewhere else, some places to the left of (if negative: right of) where they should be."""
    if not places:
        return text
    return f"(({text}) << {places})" if places > 0 else f"(({text}) >> {-places})"


def masked(mask: int, value: int) -> str:
    """Text that is true where the bits under a mask have a value."""
    if value == 0:
        return f"not s & {mask}"
    return f"s & {mask}" if mask & (mask - 1) == 0 else f"s & {mask} == {value}"

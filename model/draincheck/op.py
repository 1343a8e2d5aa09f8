"""Operators of terms.

Read them as `op.AND`: looking one up in the enum takes Python 3.11 longer than comparing it.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

__all__ = ["ADD", "AND", "AT", "CONST", "EQ", "ITE", "LE", "LT", "NOT", "OPAQUE", "OR", "SUB", "VAR", "Op"]


class Op(Enum):
    """What a term is made by: leaves (a constant, a variable, a named place, a condition nothing is known of), or an operator."""

    CONST = "const"
    VAR = "var"
    AT = "at"
    OPAQUE = "opaque"
    NOT = "not"
    AND = "and"
    OR = "or"
    EQ = "eq"
    LT = "lt"
    LE = "le"
    ADD = "add"
    SUB = "sub"
    ITE = "ite"

    #: the enum's own is Python code
    __hash__ = object.__hash__


CONST: Final = Op.CONST
VAR: Final = Op.VAR
AT: Final = Op.AT
OPAQUE: Final = Op.OPAQUE
NOT: Final = Op.NOT
AND: Final = Op.AND
OR: Final = Op.OR
EQ: Final = Op.EQ
LT: Final = Op.LT
LE: Final = Op.LE
ADD: Final = Op.ADD
SUB: Final = Op.SUB
ITE: Final = Op.ITE

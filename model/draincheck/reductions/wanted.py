"""Which reductions somebody wants, and for what: apart from what makes them, which most searches have no use for."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from draincheck.expr import BoolExpr

__all__ = ["Reductions", "Sought"]


class Reductions(Enum):
    """Which reductions a search may use; by itself it does so only where there are many states."""

    NONE = "none"
    SYMMETRY = "symmetry"
    CONFLUENCE = "confluence"
    BOTH = "both"
    AUTO = "auto"

    @property
    def symmetry(self) -> bool:
        """Whether states may stand for others."""
        return self not in (Reductions.NONE, Reductions.CONFLUENCE)

    @property
    def confluence(self) -> bool:
        """Whether steps may be taken at once."""
        return self not in (Reductions.NONE, Reductions.SYMMETRY)


class Sought(NamedTuple):
    """What a search looks for in states.

    Attributes:
        property: for which property.
        condition: what shows it by itself, or is a goal that must stay in reach.
        at_ends: it is asked of states alone in which nothing is enabled.
        process: whose goal it is; such goals are sought together, so that one may answer for others. None for what stands for itself.
    """

    property: str
    condition: BoolExpr
    at_ends: bool = False
    process: str | None = None

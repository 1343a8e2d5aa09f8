"""Systems written for the tools of others: Promela for Spin, TLA+ for TLC, SMT-LIB for solvers; each file says what it cannot carry."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from draincheck.export.contents import Exported, NotCarried, Origin
from draincheck.export.promela import to_promela
from draincheck.export.smtlib import to_smtlib
from draincheck.export.tla import to_tla
from draincheck.properties import Property
from draincheck.system import TransitionSystem

__all__ = ["FORMATS", "Exported", "Format", "NotCarried", "Origin", "demanded"]


class Format(Struct, frozen=True):
    """A language of other tools.

    Attributes:
        suffix: that of its files.
        write: writes a system with properties; raises ExportError for one that the language cannot hold.
    """

    suffix: str
    write: Callable[[TransitionSystem, Sequence[Property], Origin], Exported]


#: the languages, by what options call them
FORMATS: Final[Mapping[str, Format]] = {
    "promela": Format(".pml", to_promela),
    "tla": Format(".tla", to_tla),
    "smtlib": Format(".smt2", to_smtlib),
}


def demanded(system: TransitionSystem) -> tuple[Property, ...]:
    """All that is demanded of a system: its properties, and that no run has an error of a kind that it can have."""
    return (*system.properties, *system.implicit)

"""The model with counted requests (`drainspecs.parametric`), as certificates and traces name it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from draincheck.report.jsontrace import Source
from draincheck.revisions import Knobs
from draincheck.system import TransitionSystem

__all__ = ["Counted"]


@dataclass(frozen=True, slots=True)
class Counted:
    """A code base with a number of guest writes: any number (None), or so many with bounded counters."""

    knobs: Knobs
    writes: int | None

    @classmethod
    def from_source(cls, source: Mapping[str, Any]) -> Counted:
        """What a file names. Raises UnknownName or ValueError if that is nothing."""
        from drainspecs.parametric import knobs_from

        return cls(*knobs_from(source))

    @property
    def title(self) -> str:
        """Its name in messages."""
        return "the model with counted requests"

    def system(self) -> TransitionSystem:
        """The compiled model."""
        from drainspecs.parametric import Family

        family = Family.of(self.knobs)
        return family.any_writes() if self.writes is None else family.finite(self.writes)

    def source(self) -> Source:
        """What a file needs to say to build it again."""
        from drainspecs.parametric import source_of

        return source_of(self.knobs, self.writes)

"""The model with counted requests (`drainspecs.mirror.counted`), as certificates and traces name it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from draincheck.report.jsontrace import Source
from draincheck.revisions import Revision, with_settings
from draincheck.system import TransitionSystem

if TYPE_CHECKING:
    from drainspecs.mirror.counted import Family

__all__ = ["Counted", "writes_from"]

#: what a file says of a model in which the guest may make any number of writes
ANY = "any number of writes"


@dataclass(frozen=True, slots=True)
class Counted:
    """A code base with a number of guest writes: any number (None), or so many with bounded counters.

    Attributes:
        revision: the row of the table that it starts from.
        settings: knobs turned by hand.
        writes: the number.
    """

    revision: Revision
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    writes: int | None = None

    @property
    def turned(self) -> Revision:
        """The revision with its knobs turned; the name says which."""
        return with_settings(self.revision, self.settings)

    @property
    def family(self) -> Family:
        """The code base, for each number of writes."""
        from drainspecs.mirror.counted import Family

        return Family.of(self.turned)

    @property
    def title(self) -> str:
        """Its name in messages."""
        return f"{self.turned.name} with counted requests"

    def system(self) -> TransitionSystem:
        """The compiled model."""
        return self.family.any_writes() if self.writes is None else self.family.finite(self.writes)

    def source(self) -> Source:
        """What a file needs to say to build it again."""
        return {
            "parametric": ANY if self.writes is None else str(self.writes),
            "revision": self.revision.name,
            "settings": dict(self.settings),
        }


def writes_from(text: str) -> int | None:
    """The number of writes that a file says. Raises ValueError."""
    if text == ANY:
        return None
    if not text.isdecimal():
        raise ValueError(f"parametric is {text!r}, and should be {ANY!r} or a number in quotation marks")
    return int(text)

"""What a certificate claims, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from draincheck.certificate import InvariantClaim

__all__ = ["claimed"]


def claimed(claims: Sequence[InvariantClaim]) -> str:
    """`S1, S2 hold; R1 is not reachable`: which of the two, because a certificate can be about either."""
    held = [claim.property for claim in claims if claim.verdict == "holds"]
    others = [claim.property for claim in claims if claim.verdict != "holds"]
    parts = [(held, "holds", "hold"), (others, "is not reachable", "are not reachable")]
    return "; ".join(f"{', '.join(names)} {one if len(names) == 1 else more}" for names, one, more in parts if names)

"""Models with unbounded counters, for symbolic engines: natural numbers (`naturals`), and the QEMU model with counted requests (`qemu`)."""

from draincheck.naturals import (
    INFINITY,
    NATURAL,
    has_naturals,
    is_natural,
    over_naturals,
    parameter,
    refuse_naturals,
)

__all__ = ["INFINITY", "NATURAL", "has_naturals", "is_natural", "over_naturals", "parameter", "refuse_naturals"]

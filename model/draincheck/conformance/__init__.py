"""Model and core held against each other: exhaustively over all edges (`conform_all`), or along single paths (`follow`, `walk`)."""

from draincheck.conformance.execute import Mismatch
from draincheck.conformance.exhaustive import Conformance, Divergence, conform
from draincheck.conformance.lockstep import Parting, follow, steps_of_run, trace_of_steps, walk
from draincheck.conformance.matrix import config_of, conform_all, conform_one

__all__ = [
    "Conformance",
    "Divergence",
    "Mismatch",
    "Parting",
    "config_of",
    "conform",
    "conform_all",
    "conform_one",
    "follow",
    "steps_of_run",
    "trace_of_steps",
    "walk",
]  # fmt: skip

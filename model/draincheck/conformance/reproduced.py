"""What comes of a run of the model on the reference core, with real bytes, where the core follows it."""

from __future__ import annotations

from draincheck.conformance.lockstep import follow, steps_of_run
from draincheck.core.errors import CoreError
from draincheck.core.machine import Machine
from draincheck.core.run import Replayed, replay
from draincheck.errors import ModelError
from draincheck.run import Run
from draincheck.subject import Subject

__all__ = ["reproduced"]


def reproduced(run: Run, subject: Subject) -> Replayed | None:
    """The run executed on the core and on to its end; None for what the core cannot execute, or does otherwise."""
    try:
        start = subject.on_core()
        return None if follow(run, Machine(*start)) else replay(*start, steps_of_run(run), to_the_end=True)
    except (ModelError, CoreError):
        return None

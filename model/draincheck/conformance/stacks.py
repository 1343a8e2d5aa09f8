"""Where the core's code stands: if this depends on nothing but the model's state, no two situations hide behind one state."""

from __future__ import annotations

from collections.abc import Iterator
from types import CodeType, FrameType

from greenlet import greenlet

from draincheck.core.machine import Machine
from draincheck.core.mirror import MirrorBlockJob

__all__ = ["Position", "position_of"]

#: for each stack, outermost last: (code's first line and file, line) of every frame of the core
Position = tuple[object, ...]

_CORE = Machine.__module__.rpartition(".")[0] + "."


def position_of(machine: Machine) -> Position:
    """The lines at which all threads of a machine and its job's coroutine stand. A job that has not begun stands where it sleeps."""
    threads = [tuple(_stack(thread.greenlet)) for thread in machine.threads]
    return (*threads, *map(_job, machine.jobs))


def _job(job: MirrorBlockJob) -> object:
    coroutine = job.co
    if coroutine.dead:
        return "ended"
    frames = tuple(_frames(coroutine.gr_frame))
    begun = frames and not any(code.co_name == "block_job_sleep_ns" for code, _ in frames)
    return frames if begun else "asleep"


def _stack(here: greenlet | None) -> Iterator[object]:
    """The frames of a thread: of the coroutine that it runs, and of those that entered it."""
    while here is not None:
        yield from _frames(here.gr_frame)
        here = here.parent


def _frames(frame: FrameType | None) -> Iterator[tuple[CodeType, int]]:
    while frame is not None:
        if frame.f_globals["__name__"].startswith(_CORE):
            yield frame.f_code, frame.f_lineno
        frame = frame.f_back

"""Jobs of a log, as long as they live, and the switches of disks that have taken place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from draincheck.qemulog.lately import Past
from draincheck.qemulog.pivot import Moment
from draincheck.qemulog.window import LoggedWindow

__all__ = ["LoggedJob", "Open", "Switch", "switching", "written_by"]


class Switch(Struct, frozen=True):
    """(c): when, the how-manieth record that was, and from which node to which (None: the log does not say)."""

    moment: Moment
    at: int
    old: str | None = None
    new: str | None = None


class LoggedJob(Struct, eq=False):
    """A mirror or active-commit job, as long as it lives."""

    pointer: str
    source: str | None = None
    started_at: int = 0
    target: str | None = None
    zero: Moment | None = None
    zero_at: int = 0
    past: Past | None = None
    complete: Moment | None = None
    cancelled: Moment | None = None
    deferred: Moment | None = None
    exited: Moment | None = None
    finished: Moment | None = None
    ret: int = 0
    replaced: Moment | None = None
    replaced_at: int = 0
    new: str | None = None
    pivots: int = 0
    backends: list[str] = []
    olds: frozenset[str] = frozenset()


class Open(Struct, eq=False):
    """A switch that has taken place, whose requests are not all answered.

    Attributes:
        since: the how-manieth record it was.
        pending: requests that reached a device before it and are not answered.
    """

    window: LoggedWindow
    job: LoggedJob
    since: int
    pending: set[str]


def written_by(jobs: Iterable[LoggedJob]) -> frozenset[str]:
    """The nodes that jobs copy to."""
    return frozenset(job.target for job in jobs if job.target)


def switching(jobs: Sequence[LoggedJob], new: str, left: str | None) -> LoggedJob | None:
    """The job that gives a backend this node: the one that has it for its target, or else the last that is finishing.

    Just before a job switches its own backend has `left` its target: a job that another node was left by only takes its filter away.
    """
    targets = [job for job in jobs if job.target == new and (job.finished or job.zero)]
    finishing = [
        job
        for job in jobs
        if job.finished and not job.ret and not job.target and job.source != new and (job.complete or not job.cancelled)
    ]
    unknown = [job for job in finishing if job.source or left in (None, "", new)]
    return next(reversed(targets or unknown), None)

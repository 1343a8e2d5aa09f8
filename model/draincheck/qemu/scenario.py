"""A scenario: the topology and the workload that a code base is put through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from draincheck.words import counted

__all__ = ["SIZES", "Scenario", "not_modelled"]

#: the sizes of a scenario, each with the smallest and the largest that is modelled. The reference core has a guest of so many requests
SIZES: Final[Mapping[str, tuple[int, int]]] = {
    "writes": (0, 32), "reads": (0, 32), "flushes": (0, 1), "jobs": (1, 2), "disks": (1, 8),
}  # fmt: skip

#: why no more than the largest
_NO_MORE: Final[Mapping[str, str]] = {
    "flushes": "one may wait for another, or find nothing to flush (bdrv_co_flush), which is left out",
    "jobs": "another job drains, and raises the context's counter; a third one would do nothing else",
}


class Scenario(Struct, frozen=True):
    """What runs beside the mirror job of disk 0.

    Attributes:
        name: its name on the command line.
        meaning: one line for people.
        job: `mirror`, or `commit` (active commit: the same job, with a qcow2 overlay as its source).
        target_format: the target's format, `raw` or `qcow2` (which writes metadata of its own, whoever uses it).
        iothread: the disks are served by an IOThread (dataplane) instead of the main loop.
        source: where guest requests come from: `ioeventfd` (a host notifier), `timer` (a device model's main-loop timer, as USB
            controllers have), `mmio` (no ioeventfd: a vCPU thread under the BQL, or a chardev source of the main loop, runs the queue
            handler itself), `vcpu` (of these only the vCPU thread).
        writes: guest writes to disk 0, each to a sector of its own.
        reads: guest reads of disk 0.
        flushes: guest flushes of disk 0; there is something to flush, so each of them needs the host.
        jobs: 1, or 2: a second disk with the same workload and a job of its own.
        disks: all disks: those beyond the jobs have none, and one guest write each.
        command: what the management sends: `complete` (block-job-complete) or `cancel` (block-job-cancel).
        starts_ready: the job is READY at the start; if not, the sectors of the guest's writes are dirty and still have to be copied.
        job_errors: which of the job's own I/O may fail: `source` (a copy's read), `target` (a copy's write, a flush), or "" for none.
        reopen: the target has other open flags than the source, so mirror_exit reopens it, which drains everything.
        zero_length: the disk has no sectors (and the guest makes no requests).
        device_reset: with an IOThread: the guest, when it has made its requests, resets the device while the exit callback is scheduled,
            which stops dataplane and moves the disk back to the main loop's context (`stop` does the same from v2.8.0 on).
    """

    name: str
    meaning: str
    job: str = "mirror"
    target_format: str = "raw"
    iothread: bool = False
    source: str = "ioeventfd"
    writes: int = 1
    reads: int = 0
    flushes: int = 0
    jobs: int = 1
    disks: int = 1
    command: str = "complete"
    starts_ready: bool = True
    job_errors: str = ""
    reopen: bool = False
    zero_length: bool = False
    device_reset: bool = False

    @property
    def always_switches(self) -> bool:
        """The job can only end with the switch."""
        return self.command == "complete" and not self.job_errors


def not_modelled(scenario: Scenario) -> str:
    """Why a scenario of these sizes is not modelled, with what is possible; "" if it is."""
    return next(_objections(scenario), "")


def _objections(s: Scenario) -> Iterator[str]:
    for size, (least, most) in SIZES.items():
        if not least <= getattr(s, size) <= most:
            why = f": {_NO_MORE[size]}" if size in _NO_MORE else ""
            yield f"{size} is {getattr(s, size)}, and it is modelled from {least} to {most}{why}"
    if s.zero_length and (s.writes or s.reads or s.flushes):
        yield "a disk without sectors takes no requests: writes, reads and flushes are 0"
    if s.job_errors and not s.writes:
        yield "copies may fail, and without a guest's write there is nothing to copy: writes is 1 at least here"
    if s.disks < s.jobs:
        yield f"each job has a disk of its own: {counted(s.jobs, 'job')} need {s.jobs} disks at least"
    if s.disks > 1 and (s.source != "ioeventfd" or s.device_reset):
        yield "several disks are modelled with host notifiers that stay where they are: jobs and disks are 1 here"
    if s.jobs > 1 and (s.iothread or s.job_errors):
        yield "two jobs are modelled in the main loop, where no I/O of theirs fails: jobs is 1 here"

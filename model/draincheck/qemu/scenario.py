"""A scenario: the topology and the workload that a code base is put through."""

from __future__ import annotations

from msgspec import Struct

__all__ = ["Scenario"]


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
        other_writes: guest writes to a second disk that has no job.
        jobs: 1, or 2: a second disk with the same workload and a job of its own (main loop and host notifiers only).
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
    other_writes: int = 0
    jobs: int = 1
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

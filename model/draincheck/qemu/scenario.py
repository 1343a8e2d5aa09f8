"""A scenario: the topology and the workload that a code base is put through."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Scenario"]


@dataclass(frozen=True, slots=True)
class Scenario:
    """What runs beside the mirror job of disk 0.

    Attributes:
        name: its name on the command line.
        meaning: one line for people.
        job: `mirror`, or `commit` (active commit: the same job, with a qcow2 overlay as its source).
        iothread: the disks are served by an IOThread (dataplane) instead of the main loop.
        source: where guest requests come from: `ioeventfd` (a host notifier), `timer` (a device model's main-loop timer, as USB
            controllers have), `mmio` (no ioeventfd: a vCPU thread under the BQL, or a chardev source of the main loop, runs the queue
            handler itself), `vcpu` (of these only the vCPU thread).
        writes: guest writes to disk 0, each to a sector of its own.
        reads: guest reads of disk 0.
        other_writes: guest writes to a second disk that has no job.
    """

    name: str
    meaning: str
    job: str = "mirror"
    iothread: bool = False
    source: str = "ioeventfd"
    writes: int = 1
    reads: int = 0
    other_writes: int = 0

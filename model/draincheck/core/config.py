"""What a machine is made of, what its guest does, and what is done with its job."""

from __future__ import annotations

from dataclasses import dataclass

from draincheck.core.errors import ConfigError
from draincheck.knobs import Knobs

__all__ = ["Config", "check_config"]

_VALUES = {
    "job": ("mirror", "commit"),
    "target_format": ("raw", "qcow2"),
    "source": ("ioeventfd", "timer", "mmio", "vcpu"),
    "command": ("complete", "cancel"),
    "job_errors": ("", "source", "target"),
}
_RANGES = {"writes": (0, 32), "reads": (0, 32), "flushes": (0, 1), "jobs": (1, 2), "disks": (1, 8)}


@dataclass(frozen=True, slots=True)
class Config:
    """A machine's topology and workload.

    Attributes:
        job: `mirror`, or `commit` (active commit: source is a qcow2 overlay, target its base).
        target_format: the target's format, `raw` or `qcow2`.
        iothread: the disks are served by an IOThread instead of the main loop.
        source: what makes QEMU look at the ring: `ioeventfd` (a host notifier), `timer` (a device model's main-loop timer), `mmio` (no
            ioeventfd: a vCPU thread under the BQL or a chardev of the main loop), `vcpu` (of these only the vCPU thread).
        writes: guest writes to each disk with a job, each to a sector of its own.
        reads: guest reads of it.
        flushes: 1 if the guest flushes it; there is something to flush.
        jobs: 1, or 2: disk 1 is a second disk with the same workload and a job of its own.
        disks: how many there are in all; the guest writes once to each that has no job.
        command: what the management sends: `complete` or `cancel`.
        starts_ready: nothing has to be copied at the start; if not, the sectors of the guest's writes have to.
        job_errors: which of the job's I/O may fail: a copy's read of the `source`, a copy's write of or a flush on the `target`, or none.
        reopen: the target has other open flags than the source, so mirror_exit reopens it, which drains everything.
        zero_length: the disk has no sectors.
        device_reset: the guest, its requests made, resets a dataplane disk between (a) and (c), which moves it back to the main loop's
            context.
    """

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


def check_config(config: Config, knobs: Knobs) -> None:
    """Raise ConfigError for a configuration that cannot be built, or that the code base does not support."""
    for name, values in _VALUES.items():
        if getattr(config, name) not in values:
            raise ConfigError(
                f"{name} is {getattr(config, name)!r}; it must be one of {', '.join(filter(None, values))}"
            )
    for name, (low, high) in _RANGES.items():
        if not low <= getattr(config, name) <= high:
            raise ConfigError(f"{name} is {getattr(config, name)}; it must be from {low} to {high}")
    for wrong, why in _contradictions(config, knobs):
        if wrong:
            raise ConfigError(why)


def _contradictions(config: Config, knobs: Knobs) -> tuple[tuple[bool, str], ...]:
    requests = config.writes + config.reads + config.flushes
    return (
        (
            config.iothread and config.source != "ioeventfd",
            f"an IOThread serves ioeventfds only, not source={config.source!r}: leave out one of the two",
        ),
        (
            config.iothread and knobs.exit == "inline",
            "mirror with dataplane is not allowed before b112a65c52: choose a later revision",
        ),
        (
            config.jobs == 2 and (config.iothread or config.source != "ioeventfd"),
            "two jobs run in the main loop, with host notifiers: leave out iothread and source",
        ),
        (config.disks < config.jobs, f"each job has a disk: set disks to {config.jobs} or more"),
        (
            config.disks > 1 and config.source == "mmio",
            "there is one chardev, and it kicks for one disk: set disks to 1, or another source",
        ),
        (
            config.zero_length and requests > 0,
            "a disk of length 0 takes no requests: set writes, reads and flushes to 0",
        ),
        (
            config.device_reset and (not config.iothread or config.disks > 1),
            "a device reset stops dataplane of one disk: set iothread, and disks to 1",
        ),
    )

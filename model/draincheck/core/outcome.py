"""How a run has ended, and what is on the disks then."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from draincheck.core.disk import Disk
from draincheck.core.guest import GuestRequest
from draincheck.core.image import read_chain
from draincheck.core.machine import Machine
from draincheck.core.scheduler import Fair
from draincheck.core.virtio_blk import VIRTIO_BLK_S_OK

__all__ = ["Ending", "LostWrite", "lost_writes", "outcome_of", "read_back", "short_hex"]

#: steps that a read-back may take; a machine at rest needs about thirty
READ_BACK_STEPS = 1000


class Ending(Enum):
    """How a run has ended."""

    FINE = "fine"
    LOSS = "silent loss"
    ABORT = "abort"
    CORRUPTION = "corruption"
    HANG = "hang"
    UNFINISHED = "unfinished"


@dataclass(frozen=True, slots=True)
class LostWrite:
    """A write that the guest was told is on the disk, and is not.

    Attributes:
        name: the request.
        sector: where it went.
        status: the status byte that the guest read from its memory when the used ring had the request.
        written: what the guest wrote.
        source: what the source image holds there.
        target: what the target image holds there.
        read: what a read by the guest finds there; None if the machine answers no more.
    """

    name: str
    sector: int
    status: int
    written: bytes
    source: bytes
    target: bytes
    read: bytes | None


def outcome_of(machine: Machine) -> Ending:
    """How the run of a machine has ended, as far as it has come.

    Hang: nothing can happen any more, and the job is not over or an answer is missing. Corruption: QEMU dies of, or goes on with, a
    request that works on another node's state.
    """
    if machine.aborted is not None:
        return Ending.CORRUPTION if machine.aborted.crash else Ending.ABORT
    if not machine.finished:
        return Ending.UNFINISHED if machine.choices() else Ending.HANG
    if any(job.swapped_under_request for job in machine.jobs):
        return Ending.CORRUPTION
    return Ending.LOSS if any(is_lost(disk, r) for disk in machine.disks for r in acknowledged(disk)) else Ending.FINE


def lost_writes(machine: Machine) -> tuple[LostWrite, ...]:
    """The acknowledged writes whose data the disk does not have, each read back through the machine."""
    lost = [(disk, r) for disk in machine.disks for r in acknowledged(disk) if is_lost(disk, r)]
    return tuple(_report(machine, disk, request) for disk, request in lost)


def acknowledged(disk: Disk) -> list[GuestRequest]:
    """The writes that the guest was told are on the disk."""
    return [r for r in disk.driver.requests if r.is_write and r.status == VIRTIO_BLK_S_OK]


def is_lost(disk: Disk, request: GuestRequest) -> bool:
    """A reader of the disk's root does not find what the write wrote."""
    root = disk.backend.root.bdrv_skip_filters()
    return read_chain(root.image, root.backing, request.sector) != request.data


def _report(machine: Machine, disk: Disk, request: GuestRequest) -> LostWrite:
    assert request.status is not None and disk.mirrored is not None
    source, target = disk.mirrored.source_image, disk.mirrored.target_image
    return LostWrite(
        request.name,
        request.sector,
        request.status,
        request.data,
        read_chain(source, target if source.driver == "qcow2" else None, request.sector),
        read_chain(target, None, request.sector),
        read_back(machine, disk, request.sector),
    )


def read_back(machine: Machine, disk: Disk, sector: int) -> bytes | None:
    """Have the guest read a sector of a disk; None if the machine does not answer."""
    request = disk.driver.append_read(sector)
    scheduler = Fair()
    machine.decide = scheduler.outcome
    for _ in range(READ_BACK_STEPS):
        if request.answered:
            return request.data
        choices = machine.choices()
        if not choices:
            return None
        machine.take(choices[scheduler.step(choices)])
    return None


def short_hex(data: bytes, most: int = 8) -> str:
    """The first bytes in hex, and how many more there are."""
    more = len(data) - most
    return data[:most].hex(" ") + (f" … {more} more" if more > 0 else "")

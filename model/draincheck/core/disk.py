"""A disk of the machine, from the guest's driver down to the images; and its job, if it has one."""

from __future__ import annotations

from dataclasses import dataclass

from draincheck.core.block import BlockBackend, BlockDriverState
from draincheck.core.chardev import Chardev
from draincheck.core.guest import GuestDriver
from draincheck.core.image import Image
from draincheck.core.mirror import MirrorBlockJob
from draincheck.core.virtio_blk import VirtIOBlock

__all__ = ["Disk", "Mirrored"]


@dataclass(slots=True, eq=False)
class Mirrored:
    """What a disk with a job has beside a disk: the two nodes and their images, the job, and the monitor that the job is told through."""

    source: BlockDriverState
    target: BlockDriverState
    source_image: Image
    target_image: Image
    job: MirrorBlockJob
    monitor: Chardev
    backend: BlockBackend

    @property
    def is_switched(self) -> bool:
        """The disk is the target now: by another node's pointer, or by other contents of the same node."""
        return self.backend.root.bdrv_skip_filters().image is self.target_image


@dataclass(slots=True, eq=False)
class Disk:
    """A disk."""

    index: int
    driver: GuestDriver
    device: VirtIOBlock
    backend: BlockBackend
    mirrored: Mirrored | None

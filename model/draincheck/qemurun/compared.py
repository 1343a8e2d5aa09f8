"""A log and what the guest read back, each against the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from draincheck.qemulog.pivot import Judgement, Pivot
from draincheck.qemurun.session import Round
from draincheck.qemurun.virtio import SECTORS

__all__ = ["ReadBack", "compared"]


class ReadBack(Struct, frozen=True):
    """One switch of one disk.

    Attributes:
        round: which, from 0; disk: which, from 0.
        predicted: blocks that the log says are lost.
        lost: blocks that were not read back.
        pivot: what the log says; None if the log has no such switch.
    """

    round: int
    disk: int
    predicted: tuple[int, ...]
    lost: tuple[int, ...]
    pivot: Pivot | None

    @property
    def agrees(self) -> bool:
        """Whether both say the same: a log that cannot tell contradicts nobody."""
        unsure = self.pivot is not None and self.pivot.judgement is Judgement.CANNOT_TELL
        return self.pivot is not None and (unsure or self.predicted == self.lost)


def compared(rounds: Sequence[Round], pivots: Sequence[Pivot], disks: int) -> tuple[ReadBack, ...]:
    """Every switch of every round that was played to its end; disks are told by the order in which the log meets them."""
    names = sorted({pivot.disk for pivot in pivots})
    return tuple(_compared(rounds, pivots, names, disks))


def _compared(rounds: Sequence[Round], pivots: Sequence[Pivot], names: Sequence[str], disks: int) -> Iterator[ReadBack]:
    for played in rounds:
        for disk in range(disks):
            own = [pivot for pivot in pivots if disk < len(names) and pivot.disk == names[disk]]
            pivot = own[played.number] if played.number < len(own) else None
            lost = sorted({each.block for each in played.lost if each.disk == disk})
            predicted = sorted({request.sector // SECTORS for request in (pivot.lost if pivot else ())})
            yield ReadBack(played.number, disk, tuple(predicted), tuple(lost), pivot)

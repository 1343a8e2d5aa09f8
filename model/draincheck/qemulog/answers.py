"""What the guest was told of a request: by the first answer to its pointer behind it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import islice

from draincheck.qemulog.seen import Answered, Reached, Seen

__all__ = ["answer_of"]


def answer_of(seen: Sequence[tuple[int, Seen]], at: int, one: Reached) -> Answered | None:
    """What the guest was told of a request that reached its device then; None if nothing.

    Nothing, too, if it failed and is submitted again (werror=stop, enospc: virtio_blk_handle_rw_error keeps it, virtio_blk_dma_restart_bh hands it
    in anew): the answer is that to the last attempt.

    Args:
        seen: events, each with the how-manieth record it is, in order.
        at: the place of the request among these.
        one: the request.
    """
    for _, each in islice(seen, bisect_right(seen, at, key=lambda item: item[0]), None):
        if isinstance(each, Answered) and each.pointer == one.pointer:
            return each
        if isinstance(each, Reached) and _is_again(each, one):
            return None
    return None


def _is_again(later: Reached, one: Reached) -> bool:
    same = (one.pointer, one.device, one.sector, one.sectors)
    return (later.pointer, later.device, later.sector, later.sectors) == same

"""What the guest was told of a request: by the first answer to its pointer behind it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import islice

from draincheck.qemulog.seen import Answered, Reached, Seen

__all__ = ["answer_of", "is_submitted_again", "still_unanswered"]


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


def is_submitted_again(seen: Iterable[tuple[int, Seen]], one: Reached) -> bool:
    """Whether a request reaches its device once more, as one does that has failed."""
    return any(isinstance(each, Reached) and _is_again(each, one) for _, each in seen)


def still_unanswered(
    waiting: Iterable[tuple[int, Reached]], seen: Iterable[tuple[int, Seen]]
) -> list[tuple[int, Reached]]:
    """Those that wait for an answer behind some events, in the order in which they came, if these waited before."""
    found = {one.pointer: (at, one) for at, one in waiting}
    for at, each in seen:
        if isinstance(each, Reached | Answered):
            found.pop(each.pointer, None)
        if isinstance(each, Reached):
            found[each.pointer] = at, each
    return list(found.values())


def _is_again(later: Reached, one: Reached) -> bool:
    same = (one.pointer, one.device, one.sector, one.sectors)
    return (later.pointer, later.device, later.sector, later.sectors) == same

"""What the guest was told of requests: of each by the first answer to its pointer behind it."""

from __future__ import annotations

from collections.abc import Iterable

from draincheck.qemulog.seen import Answered, Reached, Seen

__all__ = ["answers", "is_submitted_again", "still_unanswered"]


def answers(events: Iterable[tuple[int, Seen]]) -> dict[int, tuple[int, Answered]]:
    """By the place of each request that was answered its answer, with the place of that.

    One that failed and is submitted again has none (werror=stop, enospc: virtio_blk_handle_rw_error keeps it, virtio_blk_dma_restart_bh hands it
    in anew): the answer is that to the last attempt. Nor has one whose pointer another gets: its answer is not in the log.

    Args:
        events: each with the how-manieth record it is, in order.
    """
    found: dict[int, tuple[int, Answered]] = {}
    waiting: dict[str, int] = {}
    for at, each in events:
        if isinstance(each, Reached):
            waiting[each.pointer] = at
        elif isinstance(each, Answered) and (request := waiting.pop(each.pointer, None)) is not None:
            found[request] = at, each
    return found


def is_submitted_again(seen: Iterable[tuple[int, Seen]], one: Reached) -> bool:
    """Whether a request reaches its device once more, as one does that has failed."""
    same = (one.pointer, one.device, one.sector, one.sectors)
    reached = (each for _, each in seen if isinstance(each, Reached))
    return any((each.pointer, each.device, each.sector, each.sectors) == same for each in reached)


def still_unanswered(seen: Iterable[tuple[int, Seen]]) -> list[tuple[int, Reached]]:
    """Requests that wait for an answer behind some events, in the order in which they came."""
    found: dict[str, tuple[int, Reached]] = {}
    for at, each in seen:
        if isinstance(each, Reached | Answered):
            found.pop(each.pointer, None)
        if isinstance(each, Reached):
            found[each.pointer] = at, each
    return list(found.values())

"""One window, judged: what was seen from (w) on, held against the drain rule.

The rule: from (w) to (c) no write of the guest enters the block layer on the old disk. Since v2.12 (d03654eacd) a log says which backend each
write enters by and which one is switched: a write that reached the device in the window may wait in the backend and enter after (c), on
the new node (*held*). Before that, a request enters when the device has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from draincheck.qemulog.answers import answers
from draincheck.qemulog.entries import copied_at_once, divided, doubtful, is_certain, overdue
from draincheck.qemulog.pivot import Fate, Intruder, Judgement, LoggedRequest, Pivot
from draincheck.qemulog.seen import Entered, Reached, Seen
from draincheck.qemulog.window import LoggedWindow
from draincheck.words import counted

__all__ = ["judged"]

#: microseconds, and requests, behind which no window is open any more: a drain that waits for a disk takes seconds at the most
LONG, MANY = 10_000_000, 24


def judged(window: LoggedWindow) -> Pivot:
    """What a switch came to."""
    window.answers = answers([*window.before, *window.seen])
    missing = tuple(_missing(window))
    decided = missing or window.endless or (_goes_on(window) and not window.assertion)
    found, held, unmatched = ([], [], []) if decided else divided(window)
    missing = missing or tuple(_missing_for(window, found))
    judgement, why = _judgement(window, found, held, unmatched, missing)
    return Pivot(
        window.number,
        window.disk,
        window.job,
        judgement,
        why,
        window.opened,
        window.deferred,
        window.exited,
        window.switched,
        window.old,
        window.new,
        tuple(found),
        tuple(held),
        missing if judgement is Judgement.CANNOT_TELL else (),
        tuple(sorted(window.olds)),
    )


def _missing(window: LoggedWindow) -> Iterator[str]:
    """Events without which this window cannot be judged."""
    if window.opened is None:
        yield "mirror_before_drain"
    if window.switched is None:
        yield from _missing_switch(window)
    if window.backend is None:
        yield from {"virtio_blk_handle_write"} & window.absent
    else:
        yield from sorted({"blk_co_pwritev", "job_state_transition"} & window.absent)


def _missing_switch(window: LoggedWindow) -> Iterator[str]:
    """Events without which a switch is not seen: since v2.12 the backend's, until v2.7 the job's end with the command to end it."""
    backends = {"blk_root_attach", "blk_root_detach"}
    if not backends | {"job_state_transition"} <= window.absent:
        yield from sorted(backends & window.absent) or (() if window.ended else ["blk_root_attach"])
    elif not window.ended:
        seen = window.conclusion is not None and window.conclusion.event == "block_job_cb"
        yield "qmp_block_job_complete" if seen else "block_job_cb"


def _missing_for(window: LoggedWindow, found: Sequence[Intruder]) -> Iterator[str]:
    """Events without which nobody knows to which disk the writes of the window went."""
    if window.backend is not None:
        if not found and doubtful(window):
            yield "bdrv_co_pwritev_part"
    elif found and window.unknown_source:
        yield "mirror_start"
    elif found and "virtio_queue_notify" in window.absent and not any(map(partial(is_certain, window), found)):
        yield "virtio_queue_notify"


def _judgement(
    window: LoggedWindow,
    intruders: Sequence[Intruder],
    held: Sequence[LoggedRequest],
    unmatched: Sequence[LoggedRequest],
    missing: Sequence[str],
) -> tuple[Judgement, str]:
    """The verdict, and why, in one sentence."""
    if missing:
        return Judgement.CANNOT_TELL, _lacking(window, missing)
    if _goes_on(window) and not (window.assertion and not window.endless):
        return Judgement.CANNOT_TELL, "the log goes on for long without an end of the job (block_job_cb, job_completed)"
    if intruders:
        return _broken(window, intruders)
    if unmatched:
        return (
            Judgement.CANNOT_TELL,
            f"{counted(len(unmatched), 'request')} reached the device in the window and the log lacks where it entered (blk_co_pwritev)",
        )
    return _unbroken(window, held)


def _lacking(window: LoggedWindow, missing: Sequence[str]) -> str:
    if missing == ("mirror_start",):
        return (
            "writes came in the window, and the log does not say whether to the disk that the job copies (mirror_start)"
        )
    if missing == ("bdrv_co_pwritev_part",):
        return (
            f"{counted(doubtful(window), 'write')} entered in the window on nodes that the log has not seen opened, and none by the disk's own backend: "
            "whether they stand above the old disk, as a throttle does, the log does not say (bdrv_co_pwritev_part)"
        )
    return f"the log lacks {', '.join(missing)}"


def _broken(window: LoggedWindow, intruders: Sequence[Intruder]) -> tuple[Judgement, str]:
    number = counted(len(intruders), "write")
    if "mirror_one_iteration" in window.absent:
        return (
            Judgement.CANNOT_TELL,
            f"{number} came after the last count that is known, and without mirror_one_iteration nobody knows whether that was the last",
        )
    if window.copying or all(copied_at_once(window, each) for each in intruders):
        return (
            Judgement.CANNOT_TELL,
            f"{number} came in the window, and the job copies writes itself (copy-mode=write-blocking)",
        )
    if all(each.in_doubt for each in intruders):
        return Judgement.CANNOT_TELL, f"{number} came at the very time of an end of the window, in another thread"
    if window.others:
        return Judgement.CANNOT_TELL, f"{number} came in the window, and the log does not say whether to this disk"
    if window.switched is None:
        ends = _printed(window) or _or_lacks_ends(window)
        return Judgement.ASSERT, f"{number} entered on the old disk in the window, and the log ends in it{ends}"
    return _told_of(intruders, number)


def _told_of(intruders: Sequence[Intruder], number: str) -> tuple[Judgement, str]:
    """What became of writes that entered on the old disk in a window that ended."""
    if not any(each.request.sectors for each in intruders):
        return Judgement.BROKEN, f"{number} of no bytes entered on the old disk in the window"
    acked = [each for each in intruders if each.request.fate is Fate.ACKED and each.request.sectors]
    if acked:
        return (
            Judgement.LOSS,
            f"{counted(len(acked), 'write')} of which the guest was told that they are done {'is' if len(acked) == 1 else 'are'} on the old disk alone",
        )
    if any(each.request.fate is Fate.UNCLEAR for each in intruders):
        return (
            Judgement.BROKEN,
            f"{number} entered on the old disk in the window; another device wrote the same sectors, and what the guest was told of which is not known",
        )
    if any(each.request.fate is Fate.UNSEEN for each in intruders):
        return Judgement.LOSS, f"{number} went to the old disk alone; what the guest was told the log does not say"
    return (
        Judgement.BROKEN,
        f"{number} entered on the old disk in the window; of none was the guest told that it is done",
    )


def _goes_on(window: LoggedWindow) -> bool:
    """Whether a window without an end is rather one whose end the log lacks: no end of any job is in it, and much happens behind (w)."""
    if window.switched is not None or window.endless:
        return window.endless
    reached = [one.moment for _, one in window.seen if isinstance(one, Reached)]
    first, last = window.opened, reached[-1] if reached else None
    lasting = first and last and first.time is not None and last.time is not None and last.time - first.time > LONG
    return {"block_job_cb", "job_completed"} <= window.absent and bool(lasting or len(reached) > MANY)


def _unbroken(window: LoggedWindow, held: Sequence[LoggedRequest]) -> tuple[Judgement, str]:
    if window.switched is None:
        if window.assertion:
            return Judgement.ABORT, f"nothing entered in the window, and QEMU aborted in it: {window.assertion}"
        return (
            Judgement.CANNOT_TELL,
            f"the log ends before the disk is switched{_or_lacks_ends(window)}, and nothing has entered so far",
        )
    if window.ended:
        return _cut_in_pivot(window, held)
    if late := overdue(window):
        return (
            Judgement.CANNOT_TELL,
            f"{counted(len(late), 'write')} had entered before the last count and {'was' if len(late) == 1 else 'were'} not answered when the disk was "
            "switched, though a drain waits for them: whether what they wrote was copied the log does not say",
        )
    if held:
        return (
            Judgement.HELD,
            f"{counted(len(held), 'write')} reached the device in the window, waited, and went to the new node",
        )
    return Judgement.CLEAN, "nothing reached the disk in the window"


def _cut_in_pivot(window: LoggedWindow, held: Sequence[LoggedRequest]) -> tuple[Judgement, str]:
    """The log ends behind (c) and before the job is over."""
    since = [one for at, one in window.seen if at > (window.switched_at or 0)]
    resumed = [one for one in since if isinstance(one, Entered) and one.backend == window.backend]
    if window.assertion:
        return Judgement.ABORT, f"QEMU aborted while it switched the disk: {window.assertion}"
    if resumed and not _goes_on_behind(since, resumed[0]):
        return (
            Judgement.ABORT,
            "the log ends while the disk is being switched, just after a write that had waited went on inside the replacement: "
            "there the new node may not have the permission to write yet (3bb0e2980a, mended by 2398747128)",
        )
    return Judgement.CANNOT_TELL, "the log ends while the disk is being switched"


def _goes_on_behind(since: Sequence[Seen], resumed: Entered) -> bool:
    """Whether a guest's write shows that QEMU has survived one; the nodes that this one passes show nothing."""
    behind = since[since.index(resumed) + 1 :]
    return any(not isinstance(one, Entered) or one.backend for one in behind)


def _or_lacks_ends(window: LoggedWindow) -> str:
    """A short log without any end of a job may be one that was not asked for them."""
    return " (or lacks block_job_cb)" if {"block_job_cb", "job_state_transition"} <= window.absent else ""


def _printed(window: LoggedWindow) -> str:
    return f": {window.assertion}" if window.assertion else ""

"""One window, judged: what was seen from (w) on, held against the drain rule.

The rule: from (w) to (c) no write of the guest enters the block layer on the old disk. Since v2.12 (d03654eacd) a log says which backend each
write enters by and which one is switched: a write that reached the device in the window may wait in the backend and enter after (c), on
the new node (*held*). Before that, a request enters when the device has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from draincheck.qemulog.answers import answer_of
from draincheck.qemulog.matching import Matches, covers
from draincheck.qemulog.pivot import Fate, Intruder, Judgement, LoggedRequest, Moment, Pivot
from draincheck.qemulog.seen import Entered, Reached, Seen
from draincheck.words import counted

__all__ = ["LoggedWindow", "judged"]

#: microseconds, and requests, behind which no window is open any more: a drain that waits for a disk takes seconds at the most
LONG, MANY = 10_000_000, 24


class LoggedWindow(Struct):
    """What is known of a switch; events stand in the order in which they happened.

    Attributes:
        disk, job, number: as in `Pivot`.
        opened, deferred, exited, switched: (w), (a), mirror_exit, (c).
        old, new: nodes; `olds`: all nodes that the disk had before (c), filters included.
        backend: the guest's backend, None in a log without them.
        devices: the devices that may be the disk's; None: all.
        foreign: devices that are known to be other disks'; likely: by its device the backend that it has been seen to write by.
        file: on which the old node stands. targets: nodes that jobs copy to. wrote: the backend has been seen to write lately.
        siblings: backends that are switched by themselves.
        before: requests that reached a device before (w) and were not answered then.
        copying: the job may copy the guest's writes itself, at once (copy-mode=write-blocking): then a late one is no loss.
        others: whether there are devices of which it is not known whose disk they are.
        seen: events from (w) on, each with the how-manieth record it is.
        opened_at, switched_at: (w) and (c) in the same count.
        ended: whether the log ended before the job did.
        endless: whether more has happened behind (w) than can in a window: its end is not in the log.
        conclusion, concluded_at: when the job was over: from then on pointers may be others'.
        absent: events that the whole log lacks.
        assertion: what QEMU printed when it aborted.
    """

    disk: str
    job: str
    opened: Moment | None = None
    deferred: Moment | None = None
    exited: Moment | None = None
    switched: Moment | None = None
    old: str | None = None
    new: str | None = None
    olds: frozenset[str] = frozenset()
    backend: str | None = None
    devices: frozenset[str | None] | None = None
    others: bool = False
    foreign: frozenset[str | None] = frozenset()
    likely: Mapping[str | None, str] = field(default_factory=dict[str | None, str])
    file: str | None = None
    targets: frozenset[str] = frozenset()
    wrote: bool = False
    siblings: frozenset[str] = frozenset()
    before: list[tuple[int, Reached]] = field(default_factory=list[tuple[int, Reached]])
    copying: bool = False
    seen: list[tuple[int, Seen]] = field(default_factory=list[tuple[int, Seen]])
    opened_at: int = 0
    switched_at: int | None = None
    number: int = 0
    ended: bool = False
    endless: bool = False
    conclusion: Moment | None = None
    concluded_at: int | None = None
    absent: frozenset[str] = frozenset()
    assertion: str | None = None


def judged(window: LoggedWindow) -> Pivot:
    """What a switch came to."""
    missing = tuple(_missing(window))
    found, held, unmatched = _divided(window)
    if not missing and not found and window.backend is not None and _doubtful(window):
        missing = ("bdrv_co_pwritev_part",)
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


# -- what entered where


def _divided(window: LoggedWindow) -> tuple[list[Intruder], list[LoggedRequest], list[LoggedRequest]]:
    """(b) in order; requests of the window that were held; those of which nobody knows whether they entered."""
    reached = [(at, one) for at, one in window.seen if isinstance(one, Reached) and _is_ours(window, one)]
    if window.backend is None:
        found = [(at, _by_device(window, at, one)) for at, one in reached if _in_window(window, at)]
        found += [(at, _by_node(window, one)) for at, one in _unrequested(window, reached)]
        return [intruder for _, intruder in sorted(found, key=_at)], [], []
    return _by_backend(window, [*((at, one) for at, one in window.before if _is_ours(window, one)), *reached])


def _is_ours(window: LoggedWindow, one: Reached) -> bool:
    return one.device not in window.foreign and (window.devices is None or one.device in window.devices)


def _in_window(window: LoggedWindow, at: int) -> bool:
    return at >= window.opened_at and (window.switched_at is None or at <= window.switched_at)


def _by_device(window: LoggedWindow, at: int, one: Reached) -> Intruder:
    request = _answered(window, at, one)
    return Intruder(request, one.moment, None, in_doubt=_in_doubt(window, one.moment))


def _by_node(window: LoggedWindow, one: Entered) -> Intruder:
    return Intruder(
        LoggedRequest(one.sector, one.sectors), one.moment, one.node, in_doubt=_in_doubt(window, one.moment)
    )


def _unrequested(window: LoggedWindow, reached: Sequence[tuple[int, Reached]]) -> Iterator[tuple[int, Entered]]:
    """Writes to the old node in the window that no virtio request explains: those of another kind of device."""
    earlier = [*window.before, *reached]
    for at, one in window.seen:
        if not isinstance(one, Entered) or one.node not in window.olds or not _in_window(window, at):
            continue
        if not any(when < at and covers(one, request) for when, request in earlier):
            yield at, one


def _by_backend(
    window: LoggedWindow, reached: Sequence[tuple[int, Reached]]
) -> tuple[list[Intruder], list[LoggedRequest], list[LoggedRequest]]:
    entries = _entries(window)
    matches = _matches(window, entries, reached)
    intruding = [(at, entry) for at, entry in entries if _enters_old(window, at, entry)]
    intruders = [each for at, entry in intruding for each in _intruders(window, at, entry, matches)]
    on_old = {at for at, _ in intruding}
    inside = [(at, one) for at, one in reached if _in_window(window, at) and matches.entry.get(at) not in on_old]
    foreign = _of_others(window, inside, matches)
    waiting = [(at, one) for at, one in inside if at not in foreign]
    moments = {at: entry.moment for at, entry in entries}
    held = [
        replace(_answered(window, at, one), entered=moments.get(matches.entry.get(at, -1)))
        for at, one in waiting
        if at in matches.entry or not _is_answered(window, at, one)
    ]
    lost_track = [
        _answered(window, at, one) for at, one in waiting if at not in matches.entry and _is_answered(window, at, one)
    ]
    return intruders, held, lost_track


def _intruders(window: LoggedWindow, at: int, entry: Entered, matches: Matches) -> Iterator[Intruder]:
    """The requests of an entry on the old disk; one of which nothing is known, where no request explains it."""
    requests = [_told(window, when, matches) for when, _ in _requests(window) if matches.entry.get(when) == at] or [
        LoggedRequest(entry.sector, entry.sectors)
    ]
    after = window.switched_at is not None and at > window.switched_at
    for each in requests:
        yield Intruder(each, entry.moment, entry.node, after, _in_doubt(window, entry.moment))


def _told(window: LoggedWindow, when: int, matches: Matches) -> LoggedRequest:
    """A request with what the guest was told, if that is the same of all that it could have been."""
    those = {at: _answered(window, at, one) for at, one in _requests(window) if at in (when, *matches.others[when])}
    same = len({each.fate for each in those.values()}) == 1
    return those[when] if same else replace(those[when], fate=Fate.UNCLEAR, answered=None)


def _requests(window: LoggedWindow) -> list[tuple[int, Reached]]:
    return [*window.before, *((at, one) for at, one in window.seen if isinstance(one, Reached))]


def _entries(window: LoggedWindow) -> list[tuple[int, Entered]]:
    """Entries by the guest's backend; in the window, also others on the old disk, or above it."""
    entered = [(at, one) for at, one in window.seen if isinstance(one, Entered)]
    own = [(at, one) for at, one in entered if one.backend and _is_guests(window, at, one)]
    passing = [
        (at, one)
        for at, one in entered
        if not one.backend and one.node == window.old and _in_window(window, at) and not _explained(at, one, own)
    ]
    return sorted([*own, *passing], key=_at)


def _explained(at: int, passing: Entered, entries: Iterable[tuple[int, Entered]]) -> bool:
    """Whether a write that passes a node is one that has entered just before."""
    return any(
        when < at and one.sector <= passing.sector and passing.sector + passing.sectors <= one.sector + one.sectors
        for when, one in entries
    )


def _matches(
    window: LoggedWindow, entries: Sequence[tuple[int, Entered]], reached: Sequence[tuple[int, Reached]]
) -> Matches:
    """The disk's own requests for its backend's entries; for others on the old disk any request."""
    matches = Matches()
    matches.add([(at, one) for at, one in entries if one.backend == window.backend], reached, window.likely)
    others = [(at, one) for at, one in entries if one.backend != window.backend]
    matches.add(others, _requests(window), window.likely)
    return matches


def _is_guests(window: LoggedWindow, at: int, one: Entered) -> bool:
    """Whether an entry is by the guest's backend; or, in the window, on the old node or above it by one of which nothing is known."""
    if one.backend == window.backend:
        return True
    if one.backend in window.siblings or not _in_window(window, at):
        return False
    return one.node in window.olds or (one.filters and _elsewhere(window, one) and _same_file(window, one))


def _same_file(window: LoggedWindow, one: Entered) -> bool:
    """Whether it enters on a node on the old disk's file, where the disk's own backend writes nothing: two writers take share-rw."""
    return one.file is not None and one.file == window.file and not _writes_itself(window)


def _writes_itself(window: LoggedWindow) -> bool:
    return window.wrote or any(isinstance(one, Entered) and one.backend == window.backend for _, one in window.seen)


def _elsewhere(window: LoggedWindow, one: Entered) -> bool:
    """Whether an entry is on a node that no job copies to and that no disk that is switched has, or gets."""
    apart = one.backend not in window.siblings and one.node not in window.olds
    return apart and one.node != window.new and one.node not in window.targets


def _doubtful(window: LoggedWindow) -> int:
    """Writes in the window by other backends, on nodes that may stand above the old disk: its own backend writes not, and nobody says where they pass."""
    entered = [(at, one) for at, one in window.seen if isinstance(one, Entered)]
    if (
        window.wrote
        or "bdrv_co_pwritev_part" not in window.absent
        or any(one.backend == window.backend for _, one in entered)
    ):
        return 0
    return sum(
        _in_window(window, at)
        and one.file in (None, window.file)
        and one.backend not in window.siblings
        and _elsewhere(window, one)
        for at, one in entered
    )


def _of_others(window: LoggedWindow, inside: Iterable[tuple[int, Reached]], ours: Matches) -> set[int]:
    """Requests that another backend's entry explains, and that no other device's request explains better: those of another disk."""
    others = [
        (at, one) for at, one in window.seen if isinstance(one, Entered) and one.backend not in ("", window.backend)
    ]
    theirs = Matches()
    theirs.add(others, [(at, one) for at, one in window.seen if isinstance(one, Reached)], window.likely)
    return {at for at, _ in inside if at not in ours.entry and at in theirs.entry}


def _enters_old(window: LoggedWindow, at: int, entry: Entered) -> bool:
    """Whether it enters on the old disk: in the window, or behind it on a node that the disk has no more."""
    if _in_window(window, at):
        return True
    over = window.concluded_at is not None and at > window.concluded_at
    return at > window.opened_at and entry.node in window.olds and entry.node != window.new and not over


def _answered(window: LoggedWindow, at: int, one: Reached) -> LoggedRequest:
    """A request, with what the guest was told: by the first answer to this pointer behind it."""
    request = LoggedRequest(one.sector, one.sectors, one.moment, one.pointer)
    answer = answer_of(window.seen, at, one)
    if answer is None:
        no_answers = "virtio_blk_req_complete" in window.absent and "virtio_blk_rw_complete" in window.absent
        return replace(request, fate=Fate.UNSEEN if no_answers else Fate.PENDING)
    return replace(request, fate=Fate.FAILED if answer.status else Fate.ACKED, answered=answer.moment)


def _is_answered(window: LoggedWindow, at: int, one: Reached) -> bool:
    return answer_of(window.seen, at, one) is not None


def _at(each: tuple[int, object]) -> int:
    return each[0]


def _in_doubt(window: LoggedWindow, moment: Moment) -> bool:
    """Whether another thread's line with the very same time is an end of the window."""
    ends = [end for end in (window.opened, window.switched) if end is not None]
    return any(end.time is not None and end.time == moment.time and end.thread != moment.thread for end in ends)


# -- the verdict


def _missing(window: LoggedWindow) -> Iterator[str]:
    """Events without which this window cannot be judged."""
    if window.opened is None:
        yield "mirror_before_drain"
    if window.switched is None and not window.ended:
        yield "block_job_cb" if window.backend is None and "blk_root_detach" in window.absent else "blk_root_attach"
    if window.backend is None:
        yield from {"virtio_blk_handle_write"} & window.absent
    else:
        yield from {"blk_co_pwritev"} & window.absent


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
    if intruders:
        return _broken(window, intruders)
    if unmatched:
        return (
            Judgement.CANNOT_TELL,
            f"{counted(len(unmatched), 'request')} reached the device in the window and the log lacks where it entered (blk_co_pwritev)",
        )
    return _unbroken(window, held)


def _lacking(window: LoggedWindow, missing: Sequence[str]) -> str:
    if missing == ("bdrv_co_pwritev_part",):
        return (
            f"{counted(_doubtful(window), 'write')} entered in the window on nodes that the log has not seen opened, and none by the disk's own backend: "
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
    if window.copying:
        return (
            Judgement.CANNOT_TELL,
            f"{number} came in the window, and the job copies writes itself (copy-mode=write-blocking)",
        )
    if all(each.in_doubt for each in intruders):
        return Judgement.CANNOT_TELL, f"{number} came at the very time of an end of the window, in another thread"
    if window.others:
        return Judgement.CANNOT_TELL, f"{number} came in the window, and the log does not say whether to this disk"
    if window.switched is None and _goes_on(window):
        return Judgement.CANNOT_TELL, "the log goes on for long without an end of the job (block_job_cb, job_completed)"
    if window.switched is None:
        return Judgement.ASSERT, f"{number} entered on the old disk in the window, and the log ends in it" + _printed(
            window
        )
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
    if window.endless:
        return True
    reached = [one.moment for _, one in window.seen if isinstance(one, Reached)]
    first, last = window.opened, reached[-1] if reached else None
    lasting = first and last and first.time is not None and last.time is not None and last.time - first.time > LONG
    return {"block_job_cb", "job_completed"} <= window.absent and bool(lasting or len(reached) > MANY)


def _unbroken(window: LoggedWindow, held: Sequence[LoggedRequest]) -> tuple[Judgement, str]:
    if window.switched is None:
        if window.assertion:
            return Judgement.ABORT, f"nothing entered in the window, and QEMU aborted in it: {window.assertion}"
        return Judgement.CANNOT_TELL, "the log ends before the disk is switched, and nothing has entered so far"
    if window.ended:
        return _cut_in_pivot(window, held)
    if held:
        return (
            Judgement.HELD,
            f"{counted(len(held), 'write')} reached the device in the window, waited, and went to the new node",
        )
    return Judgement.CLEAN, "nothing reached the disk in the window"


def _cut_in_pivot(window: LoggedWindow, held: Sequence[LoggedRequest]) -> tuple[Judgement, str]:
    """The log ends behind (c) and before the job is over."""
    resumed = [
        one
        for at, one in window.seen
        if isinstance(one, Entered) and one.backend == window.backend and at > (window.switched_at or 0)
    ]
    if window.assertion:
        return Judgement.ABORT, f"QEMU aborted while it switched the disk: {window.assertion}"
    if resumed:
        return (
            Judgement.ABORT,
            "the log ends while the disk is being switched, just after a write that had waited went on inside the replacement: "
            "there the new node may not have the permission to write yet (3bb0e2980a, mended by 2398747128)",
        )
    return Judgement.CANNOT_TELL, "the log ends while the disk is being switched"


def _printed(window: LoggedWindow) -> str:
    return f": {window.assertion}" if window.assertion else ""

"""What entered the block layer where, in a window: on the old disk, on the new one, or who knows."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from msgspec.structs import replace

from draincheck.qemulog.answers import answers, is_submitted_again
from draincheck.qemulog.matching import Matches, covers
from draincheck.qemulog.pivot import Fate, Intruder, LoggedRequest, Moment
from draincheck.qemulog.seen import Entered, Reached
from draincheck.qemulog.window import LoggedWindow

__all__ = ["copied_at_once", "divided", "doubtful", "is_certain", "overdue"]

T = TypeVar("T")


def divided(window: LoggedWindow) -> tuple[list[Intruder], list[LoggedRequest], list[LoggedRequest]]:
    """(b) in order; requests of the window that were held; those of which nobody knows whether they entered."""
    reached = [(at, one) for at, one in window.seen if isinstance(one, Reached) and _is_ours(window, one)]
    if window.backend is None:
        found = [(at, _by_device(window, at, one)) for at, one in reached if _in_window(window, at)]
        found += [(at, _by_node(window, one)) for at, one in _unrequested(window, reached)]
        return [intruder for _, intruder in sorted(found, key=_at)], [], []
    waiting = [(at, one) for at, one in window.before if at not in window.entered and _is_ours(window, one)]
    return _by_backend(window, [*waiting, *reached])


def is_certain(window: LoggedWindow, intruder: Intruder) -> bool:
    """Whether a write is known to be this disk's: by its device, or by the old node that it was seen to pass."""
    requests = [one for _, one in window.seen if isinstance(one, Reached) and one.moment == intruder.entered]
    passing = [one for _, one in window.seen if isinstance(one, Entered) and one.node in window.olds]
    return intruder.node is not None or any(
        one.device is not None or any(covers(each, one) for each in passing) for one in requests
    )


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
        if not any(covers(one, request) for request in _latest(earlier, at)):
            yield at, one


def _by_backend(
    window: LoggedWindow, reached: Sequence[tuple[int, Reached]]
) -> tuple[list[Intruder], list[LoggedRequest], list[LoggedRequest]]:
    entries = _entries(window)
    matches = _matches(window, entries, reached)
    intruding = [(at, entry) for at, entry in entries if _enters_old(window, at, entry)]
    requests = dict(_requests(window))
    intruders = [each for at, entry in intruding for each in _intruders(window, at, entry, matches, requests)]
    on_old = {at for at, _ in intruding}
    inside = [(at, one) for at, one in reached if _in_window(window, at) and matches.entry.get(at) not in on_old]
    foreign = _of_others(window, inside, matches)
    waiting = [(at, one) for at, one in inside if at not in foreign]
    moments = {at: entry.moment for at, entry in entries}
    held = [
        replace(_answered(window, at, one), entered=moments.get(matches.entry.get(at, -1)))
        for at, one in waiting
        if at in matches.entry or not _is_answered(window, at)
    ]
    lost_track = [
        _answered(window, at, one) for at, one in waiting if at not in matches.entry and _is_answered(window, at)
    ]
    return intruders, held, lost_track


def _intruders(
    window: LoggedWindow, at: int, entry: Entered, matches: Matches, requests: Mapping[int, Reached]
) -> Iterator[Intruder]:
    """The requests of an entry on the old disk; one of which nothing is known, where no request explains it."""
    those = [_told(window, when, matches, requests) for when in matches.requests.get(at, ())]
    after = window.switched_at is not None and at > window.switched_at
    for each in those or [LoggedRequest(entry.sector, entry.sectors)]:
        yield Intruder(each, entry.moment, entry.node, after, _in_doubt(window, entry.moment))


def _told(window: LoggedWindow, when: int, matches: Matches, requests: Mapping[int, Reached]) -> LoggedRequest:
    """A request with what the guest was told, if that is the same of all that it could have been."""
    those = {at: _answered(window, at, requests[at]) for at in (when, *matches.others[when])}
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


def _explained(at: int, passing: Entered, entries: Sequence[tuple[int, Entered]]) -> bool:
    """Whether a write that passes a node is one that has entered just before."""
    return any(
        one.sector <= passing.sector and passing.sector + passing.sectors <= one.sector + one.sectors
        for one in _latest(entries, at)
    )


def _latest(events: Sequence[tuple[int, T]], at: int) -> Iterator[T]:
    """Those before a record, the last first: what explains it mostly stands just before."""
    return (events[i][1] for i in range(bisect_left(events, at, key=_at) - 1, -1, -1))


def _matches(
    window: LoggedWindow, entries: Sequence[tuple[int, Entered]], reached: Sequence[tuple[int, Reached]]
) -> Matches:
    """The disk's own requests for its backend's entries; for others on the old disk any request."""
    matches = Matches()
    over = {request: at for request, (at, _) in window.answers.items()}
    matches.add([(at, one) for at, one in entries if one.backend == window.backend], reached, window.likely, over)
    others = [(at, one) for at, one in entries if one.backend != window.backend]
    matches.add(others, _requests(window), window.likely, over)
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


def doubtful(window: LoggedWindow) -> int:
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


def overdue(window: LoggedWindow) -> list[LoggedRequest]:
    """Writes that were at work on the old disk at (w) and at (c) still, though a drain waits for all: nobody knows whether their bytes were copied.

    Of one from before the job the log rather lacks the answer: a job drains its disk where it begins, too.
    """
    if _has_no_answers(window) or window.switched_at is None:
        return []
    earlier = [(at, one) for at, one in window.before if at >= window.started_at and _is_at_work(window, at, one)]
    told = answers([*earlier, *(each for each in window.seen if each[0] <= window.switched_at)]) if earlier else {}
    late = [(at, one) for at, one in earlier if at not in told and not is_submitted_again(window.seen, one)]
    return [_answered(window, at, one) for at, one in late]


def copied_at_once(window: LoggedWindow, intruder: Intruder) -> bool:
    """Whether another backend writes the same sectors to the new node in the window, behind the entry, as a job with copy-mode=write-blocking does."""
    return any(
        isinstance(one, Entered)
        and one.node == window.new
        and one.backend not in ("", window.backend)
        and one.moment.line > intruder.entered.line
        and _in_window(window, at)
        and one.sector <= intruder.request.sector
        and intruder.request.sector + intruder.request.sectors <= one.sector + one.sectors
        for at, one in window.seen
    )


def _is_at_work(window: LoggedWindow, at: int, one: Reached) -> bool:
    """Whether a request from before (w) is known to have entered on this disk; where a log has no entries, all of its only device have."""
    where = window.entered.get(at)
    if window.backend is not None or where is not None:
        return where is not None and (where == window.backend or where in window.olds)
    return _is_ours(window, one) and not window.others


def _of_others(window: LoggedWindow, inside: Iterable[tuple[int, Reached]], ours: Matches) -> set[int]:
    """Requests that another backend's entry explains, and that no other device's request explains better: those of another disk."""
    others = [
        (at, one) for at, one in window.seen if isinstance(one, Entered) and one.backend not in ("", window.backend)
    ]
    theirs = Matches()
    requests = [(at, one) for at, one in window.seen if isinstance(one, Reached) and at not in ours.entry]
    theirs.add(others, requests, window.likely, {request: at for request, (at, _) in window.answers.items()})
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
    if _has_no_answers(window):
        return request
    if at not in window.answers:
        return replace(request, fate=Fate.PENDING)
    _, answer = window.answers[at]
    return replace(request, fate=Fate.FAILED if answer.status else Fate.ACKED, answered=answer.moment)


def _has_no_answers(window: LoggedWindow) -> bool:
    return {"virtio_blk_req_complete", "virtio_blk_rw_complete"} <= window.absent


def _is_answered(window: LoggedWindow, at: int) -> bool:
    return at in window.answers


def _at(each: tuple[int, object]) -> int:
    return each[0]


def _in_doubt(window: LoggedWindow, moment: Moment) -> bool:
    """Whether another thread's line with the very same time is an end of the window."""
    ends = [end for end in (window.opened, window.switched) if end is not None]
    return any(end.time is not None and end.time == moment.time and end.thread != moment.thread for end in ends)

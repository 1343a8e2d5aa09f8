"""What a switch shows, event by event: where each stands in the log, what it means, and how it stands with each write from then on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from draincheck.qemulog.pivot import Fate, Intruder, Judgement, LoggedRequest, Moment, Pivot

__all__ = ["LOST", "TOLD_ENTERED", "TOLD_HELD", "WAITS", "Happening", "Happenings", "happenings"]

#: requests of a switch that are told event by event: of those that entered the old disk, and of those that waited
TOLD_ENTERED, TOLD_HELD = 24, 12
#: how it stands with a write that the guest was told is done and that is on the old disk alone
LOST = "lost"
#: and with one that has reached the device and has not entered a disk yet
WAITS = "waits"
#: what was found wrong, and is known
_BROKEN = (Judgement.LOSS, Judgement.ASSERT, Judgement.BROKEN)
_HOW = {Fate.ACKED: "is done", Fate.FAILED: "failed"}
_ANSWERS = {Fate.ACKED: "done, as the guest was told", Fate.FAILED: "failed, as the guest was told"}


class Happening(Struct, frozen=True):
    """An event of a switch.

    Attributes:
        moment: where in the log.
        mark: its letter in the story, or "".
        text: what it means.
        write: the write that it is about, as a position in `Happenings.writes`; None: it is about the disk.
        standing: how it stands with that write from then on.
        breaks: it breaks the drain rule.
    """

    moment: Moment
    mark: str
    text: str
    write: int | None = None
    standing: str = ""
    breaks: bool = False


class Happenings(Struct, frozen=True):
    """All of them.

    Attributes:
        events: in the order in which they happened.
        writes: the requests that they are about.
        lost: which of these were lost.
        untold: how many requests are left out.
    """

    events: tuple[Happening, ...]
    writes: tuple[LoggedRequest, ...]
    lost: frozenset[int]
    untold: int


def happenings(pivot: Pivot, in_lines: bool = False) -> Happenings:
    """The events of a switch, in the order of their times, or of their lines: where there are no times, or the clock went back."""
    intruders = _chosen(pivot)
    held = pivot.held[:TOLD_HELD]
    found = [
        *_of_disk(pivot),
        *(each for number, one in enumerate(intruders) for each in _of_intruder(pivot, number, one)),
        *(each for number, one in enumerate(held, len(intruders)) for each in _of_held(number, one)),
    ]
    timeless = in_lines or any(each.moment.time is None for each in found)
    found.sort(key=lambda each: (0 if timeless else each.moment.time or 0, each.moment.line))
    lost = set(pivot.lost)
    return Happenings(
        tuple(found),
        (*(each.request for each in intruders), *held),
        frozenset(number for number, each in enumerate(intruders) if each.request in lost),
        len(pivot.intruders) + len(pivot.held) - len(intruders) - len(held),
    )


def _chosen(pivot: Pivot) -> list[Intruder]:
    """The (b) that are told: what was lost before anything else."""
    if len(pivot.intruders) <= TOLD_ENTERED:
        return list(pivot.intruders)
    lost = set(pivot.lost)
    worst = sorted(enumerate(pivot.intruders), key=lambda each: each[1].request not in lost)[:TOLD_ENTERED]
    return [each for _, each in sorted(worst, key=lambda each: each[0])]


def _of_disk(pivot: Pivot) -> Iterator[Happening]:
    target = pivot.new or "its target"
    told: Sequence[tuple[Moment | None, str, str]] = (
        (pivot.opened, "w", f"job {pivot.job} finds nothing dirty: the window opens"),
        (pivot.deferred, "a", "the job defers its exit"),
        (None if pivot.exited == pivot.switched else pivot.exited, "", "the exit runs"),
        (pivot.switched, "c", f"the disk is switched from {pivot.old} to {target}"),
    )
    return (Happening(moment, mark, text) for moment, mark, text in told if moment is not None)


def _of_intruder(pivot: Pivot, number: int, each: Intruder) -> Iterator[Happening]:
    reached = each.request.moment
    name = _name(number, each.request)
    if reached is not None and reached.line != each.entered.line:
        yield Happening(reached, "", f"{name} reaches the device", number, "at the device")
    doubt = " (another thread's event has the time of an end of the window: whether it is in it cannot be told)"
    where = f"{'after the switch, ' if each.after else ''}{name} enters the old disk{doubt if each.in_doubt else ''}"
    breaks = pivot.judgement in _BROKEN and not each.in_doubt
    yield Happening(each.entered, "b", f"{where}; {_told(each.request)}", number, "on the old disk", breaks)
    yield from _answer(number, each.request)


def _of_held(number: int, each: LoggedRequest) -> Iterator[Happening]:
    name = _name(number, each)
    if each.moment is not None:
        yield Happening(each.moment, "", f"{name} reaches the device and waits", number, WAITS)
    if each.entered is not None:
        yield Happening(each.entered, "", f"{name} enters the new disk", number, "on the new disk")
    yield from _answer(number, each)


def _answer(number: int, request: LoggedRequest) -> Iterable[Happening]:
    standing = _ANSWERS.get(request.fate)
    if standing is None or request.answered is None:
        return ()
    told = f"the guest is told that write {number + 1} {_HOW[request.fate]}"
    return (Happening(request.answered, "", told, number, standing),)


def _name(number: int, request: LoggedRequest) -> str:
    return f"write {number + 1}, sectors {request.sector}-{request.sector + request.sectors - 1},"


def _told(request: LoggedRequest) -> str:
    """What becomes of it."""
    if request.fate not in _HOW:
        return request.fate.value
    where = "" if request.answered is None else f", line {request.answered.line}"
    return f"the guest is told that it {_HOW[request.fate]}{where}"

"""What a log says of the switches of disks in it: values that the monitor makes and reports show.

The words are those of the drain invariant. At *(w)* a mirror or active-commit job reads for the last time that nothing is dirty: the window
opens, and what the guest writes to the old disk from now on no bitmap remembers. At *(a)* the job defers its exit to the main loop. At *(c)*
the guest's disk is switched to the target. *(b)* is a request that enters the block layer on the old disk in between.
"""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

__all__ = [
    "DrainCoverage",
    "DrainedSection",
    "Fate",
    "Intruder",
    "Judgement",
    "LogReport",
    "LoggedRequest",
    "Moment",
    "Other",
    "Pivot",
    "WindowSections",
]


class Moment(Struct, frozen=True):
    """Where in a log, and when.

    Attributes:
        line: the number of its line, from 1.
        event: the trace event.
        time: microseconds since 1970; None in a log without times.
        thread: the thread's id; None in a log without.
    """

    line: int
    event: str
    time: int | None = None
    thread: int | None = None


class Fate(Enum):
    """What became of what the guest was told of a request."""

    ACKED = "acked"
    FAILED = "failed"
    PENDING = "not answered before the log ends"
    UNSEEN = "the log does not say what the guest was told"
    UNCLEAR = "two devices wrote the same sectors: which request it was the log does not say"


class LoggedRequest(Struct, frozen=True):
    """A guest's write.

    Attributes:
        sector: the first sector (512 bytes).
        sectors: how many.
        moment: when it reached the device; None if the log does not say.
        pointer: QEMU's request, None if the log does not say.
        entered: of one that waited, when it entered the block layer.
        fate: what the guest was told.
        answered: when.
    """

    sector: int
    sectors: int
    moment: Moment | None = None
    pointer: str | None = None
    entered: Moment | None = None
    fate: Fate = Fate.UNSEEN
    answered: Moment | None = None


class Intruder(Struct, frozen=True):
    """(b): a request that entered the block layer on the old disk in the window, or after it.

    Attributes:
        request: what the guest wrote.
        entered: when it entered the block layer.
        node: the node that it went to, None if the log does not say.
        after: the disk had been switched already.
        in_doubt: another thread's event has the same time as an end of the window: whether it entered in it cannot be told.
    """

    request: LoggedRequest
    entered: Moment
    node: str | None = None
    after: bool = False
    in_doubt: bool = False


class DrainedSection(Struct, frozen=True):
    """A time in which a node was drained, by one section or several that overlap, as a sidecar of uprobes shows it.

    Attributes:
        node: QEMU's pointer.
        thread: who began it.
        opened: when the first section's begin was called.
        drained: when that call had returned; None if that was not recorded.
        ended: when the last one's end was called; None: not in the recording.
    """

    node: str
    thread: int
    opened: int
    drained: int | None = None
    ended: int | None = None


class DrainCoverage(Enum):
    """Whether a disk was drained in a window."""

    THROUGHOUT = "drained throughout"
    IN_PART = "drained in part"
    NEVER = "never drained"
    NOT_RECORDED = "not recorded"
    CANNOT_TELL = "cannot tell"


class WindowSections(Struct, frozen=True):
    """What a sidecar adds to a window.

    Attributes:
        coverage: what that comes to, for the nodes that the disk had.
        why: one sentence that says why.
        sections: those of the disk's nodes that were open in the window, or in a part of it.
    """

    coverage: DrainCoverage
    why: str
    sections: tuple[DrainedSection, ...] = ()

    def open_at(self, time: int) -> tuple[DrainedSection, ...]:
        """The sections that are open at a time, ends included."""
        return tuple(
            each for each in self.sections if each.opened <= time and (each.ended is None or time <= each.ended)
        )


class Judgement(Enum):
    """What a switch came to; the worst first."""

    LOSS = "loss"
    ASSERT = "assert"
    BROKEN = "broken"
    ABORT = "other abort"
    CANNOT_TELL = "cannot tell"
    HELD = "held"
    CLEAN = "clean"


class Pivot(Struct, frozen=True):
    """A switch of a guest's disk, or an attempt at one.

    Attributes:
        number: which of its disk, from 1.
        disk: what tells the disk from others: a file's name where the log has it, else QEMU's pointers.
        job: QEMU's job.
        judgement: what it came to.
        why: one sentence that says why.
        opened: (w); None if the log does not have it.
        deferred: (a); None if the log has no event for it.
        exited: mirror_exit, in which (c) takes place; None if the log has no event for it.
        switched: (c); None if the log ends before.
        old: the node that the disk had.
        new: the node that it got.
        intruders: all (b).
        held: requests that reached the device in the window and entered the block layer on the new node, or not at all yet.
        missing: events whose absence keeps this from being decided.
        nodes: all nodes that the disk had before (c), filters included.
        drained: what a sidecar of uprobes adds; None without one.
    """

    number: int
    disk: str
    job: str
    judgement: Judgement
    why: str
    opened: Moment | None = None
    deferred: Moment | None = None
    exited: Moment | None = None
    switched: Moment | None = None
    old: str | None = None
    new: str | None = None
    intruders: tuple[Intruder, ...] = ()
    held: tuple[LoggedRequest, ...] = ()
    missing: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    drained: WindowSections | None = None

    @property
    def lost(self) -> tuple[LoggedRequest, ...]:
        """What the guest was told is safe and is on the old disk alone; without answers in the log, what may have been."""
        told = (Fate.ACKED, Fate.UNSEEN)
        return (
            tuple(each.request for each in self.intruders if each.request.fate in told)
            if self.judgement is Judgement.LOSS
            else ()
        )


class Other(Struct, frozen=True):
    """A job that ended without a switch: cancelled, failed, or still at work where the log ends."""

    job: str
    disk: str
    how: str
    moment: Moment | None = None


class LogReport(Struct, frozen=True):
    """A log, read to its end.

    Attributes:
        pivots: all switches, in order.
        others: jobs without one.
        missing: events that the log does not have and that this needs; empty if it has what it takes.
        assertion: what QEMU printed when it aborted, if that stands in the log.
    """

    pivots: tuple[Pivot, ...]
    others: tuple[Other, ...]
    missing: tuple[str, ...] = ()
    assertion: str | None = None

"""One window, as a log shows it: from (w) to (c), with what was seen since."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from draincheck.qemulog.pivot import Moment
from draincheck.qemulog.seen import Answered, Reached, Seen

__all__ = ["LoggedWindow"]


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
        before: requests that reached a device before (w) and were not answered then; entered: by those of them that had entered the block
            layer the backend by which they had, or (until v2.6) the node.
        answers: by the place of each request that was answered its answer, with the place of that.
        copying: the job may copy the guest's writes itself, at once (copy-mode=write-blocking): then a late one is no loss.
        unknown_source: the log has not said which node the job copies, and requests may be another disk's.
        others: whether there are devices of which it is not known whose disk they are.
        seen: events from (w) on, each with the how-manieth record it is.
        opened_at, switched_at: (w) and (c) in the same count; started_at: when the job began, 0 if that is not known.
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
    unknown_source: bool = False
    foreign: frozenset[str | None] = frozenset()
    likely: Mapping[str | None, str] = field(default_factory=dict[str | None, str])
    file: str | None = None
    targets: frozenset[str] = frozenset()
    wrote: bool = False
    siblings: frozenset[str] = frozenset()
    before: list[tuple[int, Reached]] = field(default_factory=list[tuple[int, Reached]])
    entered: Mapping[int, str] = field(default_factory=dict[int, str])
    answers: Mapping[int, tuple[int, Answered]] = field(default_factory=dict[int, tuple[int, Answered]])
    copying: bool = False
    seen: list[tuple[int, Seen]] = field(default_factory=list[tuple[int, Seen]])
    opened_at: int = 0
    started_at: int = 0
    switched_at: int | None = None
    number: int = 0
    ended: bool = False
    endless: bool = False
    conclusion: Moment | None = None
    concluded_at: int | None = None
    absent: frozenset[str] = frozenset()
    assertion: str | None = None

    def last_line(self) -> int:
        """The line of the last that is known of it: in that order windows are told."""
        last = self.switched or self.conclusion or self.opened
        return last.line if last else 0

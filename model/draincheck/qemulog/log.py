"""A log, read to its end and held against the drain rule: what `check-invariants log` asks, and what a user's Python may."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from draincheck.qemulog.events import CONTROL, EVENTS, GUEST
from draincheck.qemulog.formats import TraceEvent
from draincheck.qemulog.monitor import Monitor
from draincheck.qemulog.pivot import Judgement, LogReport, Pivot
from draincheck.qemulog.reader import Reader, Tally

__all__ = ["NEEDED", "ReadLog", "read_log", "worst_of"]

#: events that every log has to have
_ALWAYS = (
    "bdrv_open_common", "mirror_before_drain", "mirror_before_sleep", "mirror_one_iteration", "mirror_restart_iter", "mirror_start",
    "qmp_block_job_cancel", "qmp_block_job_complete", "virtio_blk_handle_write", "virtio_blk_req_complete", "virtio_queue_notify",
)  # fmt: skip
_BACKENDS = ("blk_co_pwritev", "blk_root_attach", "blk_root_detach", "job_completed", "job_state_transition")
#: all that it has to have, by the versions of QEMU that write it: what `-trace` is to be given
NEEDED: Mapping[str, tuple[str, ...]] = {
    "v2.12 or later": tuple(sorted((*_ALWAYS, *_BACKENDS))),
    "v1.3 .. v2.7": tuple(sorted((*_ALWAYS, "block_job_cb"))),
}


class ReadLog(Struct, frozen=True):
    """What a log shows, and what stands in it, in numbers."""

    report: LogReport
    tally: Tally


def read_log(
    blocks: Iterable[bytes],
    events: Mapping[str, TraceEvent] = EVENTS,
    closed: Callable[[Pivot], None] = lambda _: None,
    look: Callable[[Tally], None] = lambda _: None,
) -> ReadLog:
    """Judge all switches of disks in a log.

    Args:
        blocks: the log, whole lines in each block (`source.blocks`, `source.followed`).
        events: how events are printed; what is given for an event of `EVENTS` takes the place of what stands there.
        closed: told of each switch as soon as all is known about it.
        look: called after every block; an exception of it ends the reading.
    """
    reader = Reader(events, CONTROL + GUEST)
    monitor = Monitor(reader, closed)
    for records in reader.records(blocks):
        monitor.watch(records)
        look(reader.tally)
    return ReadLog(monitor.report(), reader.tally)


def worst_of(report: LogReport) -> Judgement | None:
    """What a log came to; None if there is no switch in it."""
    order = list(Judgement)
    return min((pivot.judgement for pivot in report.pivots), key=order.index, default=None)

"""The drain rule, watched along a log: which job switches which disk, and what happens from its last count on.

(w) is the last time that a job was seen to find nothing dirty (`mirror_before_drain`, or `mirror_before_sleep` behind it, with a count of 0)
with no copy behind it. While a job may be there, what the guest does is kept; else only events of jobs and nodes are looked at, so that a
log of any length goes by with little work.

Pointers live as long as what they point to: a job from its creation, a node from its opening, a request from when the device has it to its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from draincheck.qemulog.answers import still_unanswered
from draincheck.qemulog.entries import overdue
from draincheck.qemulog.events import CONTROL, GUEST
from draincheck.qemulog.files import Files
from draincheck.qemulog.job import LoggedJob, Open, Switch, switching, written_by
from draincheck.qemulog.lately import Lately, moment_of
from draincheck.qemulog.numbering import Numbering
from draincheck.qemulog.owners import Owners
from draincheck.qemulog.pivot import LogReport, Moment, Other, Pivot
from draincheck.qemulog.reader import Numbered, Reader
from draincheck.qemulog.seen import SECTOR, Answered, Entered, Reached, Seen
from draincheck.qemulog.verdict import judged
from draincheck.qemulog.window import LoggedWindow

__all__ = ["Monitor"]

#: events of the guest behind which a window without an end is none: its job's end is not in the log, or QEMU's is
KEPT = 20_000
#: what a job that was cancelled returns: -ECANCELED
CANCELLED = -125
#: events behind a switch after which nobody waits for answers, or for the job's end, any more
PATIENCE = 5_000


class Monitor:
    """Records in, windows out. Give it all records of a reader, in order, then ask for the `report`.

    Args:
        reader: who reads the log, for what its events say and what it has counted.
        closed: told of each switch as soon as everything about it is known.
    """

    def __init__(self, reader: Reader, closed: Callable[[Pivot], None] = lambda _: None) -> None:
        self._reader, self._told = reader, closed
        self._at = 0
        self._lately, self._owners, self._files, self._numbering = Lately(reader.values), Owners(), Files(), Numbering()
        self._copying = self._backends = False
        self._names: dict[str, str] = {}
        self._detached: dict[tuple[str, str], str] = {}
        self._disks: dict[str, str] = {}
        self._moved: list[tuple[str, str, str]] = []
        self._last_attached: str | None = None
        self._left: tuple[tuple[str, str], tuple[str, str]] = ("", ""), ("", "")
        self._jobs: dict[str, LoggedJob] = {}
        self._created: set[str] = set()
        self._exiting: LoggedJob | None = None
        self._targets: frozenset[str] | None = None
        self._kept: list[tuple[int, Seen]] = []
        self._open: list[Open] = []
        self._closed: list[LoggedWindow] = []
        self._others: list[Other] = []
        self._control = {name.encode(): getattr(self, f"_{name}") for name in CONTROL}
        self._guest = {name.encode(): getattr(self, f"_{name}") for name in GUEST}
        self._handlers: dict[bytes, Callable[[Moment, Any], None]] = dict(self._control)
        self._handlers[b"virtio_queue_notify"] = self._guest[b"virtio_queue_notify"]

    def watch(self, records: Iterable[Numbered]) -> None:
        """See what happened next."""
        handlers, values = self._handlers, self._reader.values
        for line, (thread, time, name, text) in self._lately.follow(records, self._at):
            self._at += 1
            handler = handlers.get(name)
            if handler is not None and (said := values(name, text)) is not None:
                moment = moment_of(line, thread, time, name)
                handler(moment, {key: value.decode(errors="replace") for key, value in said.items()})

    def report(self) -> LogReport:
        """What it all came to. The log has ended."""
        assertion = next((text for _, text in self._reader.tally.sample if "ssert" in text), None)
        self._targets = written_by(self._jobs.values())  # once, for all that are left
        unfinished = [window for job in self._jobs.values() for window in self._unfinished(job)]
        still_open = [self._ended(each.window) for each in self._open]
        absent = self._absent()
        windows = sorted([*self._closed, *still_open, *unfinished], key=LoggedWindow.last_line)
        siblings = frozenset(window.backend for window in windows if window.backend)
        for window in windows:
            self._name(window)
            window.siblings = siblings
            window.absent, window.assertion = absent, assertion if window.ended else None
            window.others = (
                window.backend is None
                and not window.unknown_source
                and window.devices is None
                and len(self._owners.devices) > 1
            )
        return LogReport(tuple(map(judged, windows)), tuple(self._others), assertion=assertion)

    def _absent(self) -> frozenset[str]:
        return frozenset({*CONTROL, *GUEST} - self._reader.tally.events.keys())

    def _name(self, window: LoggedWindow) -> None:
        self._numbering.name(window, len(self._owners.devices) <= 1 and not self._backends)

    # -- nodes and backends

    def _bdrv_open_common(self, _: Moment, said: Mapping[str, str]) -> None:
        self._files.opened(said["bs"], said["filename"], said["format_name"])
        if said["filename"]:
            self._names[said["bs"]] = said["filename"]

    def _blk_root_detach(self, _: Moment, said: Mapping[str, str]) -> None:
        self._backends = True
        self._detached[said["child"], said["blk"]] = said["bs"]
        self._left = (self._left[1], (said["blk"], said["bs"]))

    def _blk_root_attach(self, moment: Moment, said: Mapping[str, str]) -> None:
        self._backends = True
        blk, new = said["blk"], said["bs"]
        self._last_attached = new
        self._disks.setdefault(blk, self._names.get(new, f"blk {blk}"))
        if (old := self._detached.pop((said["child"], blk), None)) in (None, new):
            return
        self._files.moved(old, new)
        left = next((bs for other, bs in reversed(self._left) if other != blk), None)
        if job := switching(list(self._jobs.values()), new, left):
            self._switch(job, moment, blk, old, new)
        else:
            self._moved = [*self._moved[-7:], (blk, old, new)]

    # -- jobs

    def _job(self, pointer: str) -> LoggedJob:
        """A job that is at work, perhaps since before the log begins."""
        return self._jobs.setdefault(pointer, LoggedJob(pointer))

    def _mirror_start(self, moment: Moment, said: Mapping[str, str]) -> None:
        job = self._jobs.get(said["s"])
        if job is None or job.source or job.zero:
            self._gone(job, moment)
            job = self._jobs[said["s"]] = LoggedJob(said["s"])
        if not self._backends and len(self._owners.devices) <= 1:
            self._outlived(job, moment)
        job.source, job.started_at = said["bs"], self._at
        job.target = self._last_attached if self._backends else None
        job.backends = [blk for blk, old, _ in self._moved if old == job.source]
        job.olds = frozenset({job.source, *(new for _, old, new in self._moved if old == job.source)})

    def _outlived(self, job: LoggedJob, moment: Moment) -> None:
        """The one disk of a log has a new job: the others are over."""
        for other in [each for each in self._jobs.values() if each is not job]:
            self._gone(self._jobs.pop(other.pointer), moment)

    def _gone(self, job: LoggedJob | None, moment: Moment) -> None:
        """Another job has this one's place: how it ended the log does not say."""
        if job is not None and job.zero and not job.pivots and (job.complete or not job.cancelled):
            window = self._window(job, None)
            window.conclusion, window.concluded_at = moment, self._at
            self._close(window)

    def _mirror_before_drain(self, moment: Moment, said: Mapping[str, str]) -> None:
        job = self._job(said["s"])
        if said["cnt"] == "0":
            self._arm(job, moment)
        else:
            self._disarm(job)

    def _mirror_before_sleep(self, moment: Moment, said: Mapping[str, str]) -> None:
        job = self._job(said["s"])
        if said["cnt"] != "0":
            self._disarm(job)
        elif job.zero:
            self._arm(job, moment)

    def _mirror_restart_iter(self, _: Moment, said: Mapping[str, str]) -> None:
        self._disarm(self._job(said["s"]))

    _mirror_one_iteration = _mirror_restart_iter

    def _qmp_block_job_complete(self, moment: Moment, said: Mapping[str, str]) -> None:
        self._job(said["job"]).complete = moment

    _qmp_job_complete = _qmp_block_job_complete

    def _qmp_block_job_cancel(self, moment: Moment, said: Mapping[str, str]) -> None:
        self._job(said["job"]).cancelled = moment

    _qmp_job_cancel = _qmp_block_job_cancel

    def _x_defer_to_main_loop(self, moment: Moment, said: Mapping[str, str]) -> None:
        self._job(said["job"]).deferred = moment

    def _x_mirror_exit(self, moment: Moment, said: Mapping[str, str]) -> None:
        self._exiting = self._job(said["job"])
        self._exiting.exited = moment

    def _x_replace(self, moment: Moment, said: Mapping[str, str]) -> None:
        if job := self._exiting:
            job.replaced, job.replaced_at, job.new = moment, self._at, said["new"]

    def _job_completed(self, moment: Moment, said: Mapping[str, str]) -> None:
        job = self._jobs.get(said["job"])
        if job is None and said["job"] not in self._created and said["ret"] == "0":
            self._jobs[said["job"]] = LoggedJob(said["job"], finished=moment)  # the log begins behind its last count
        elif job is not None and (job.source or job.zero):
            job.finished, job.ret = moment, int(said["ret"])

    def _job_state_transition(self, moment: Moment, said: Mapping[str, str]) -> None:
        pointer = said["job"]
        if pointer in self._jobs and said["ret"] != "0":
            self._jobs[pointer].ret = int(said["ret"])  # also of a job that fails in its end (job_update_rc)
        if said["s1"] == "created":
            self._created.add(pointer)
            self._gone(self._jobs.pop(pointer, None), moment)
        elif said["s1"] == "null":
            self._created.discard(pointer)
        if said["s1"] in ("concluded", "null") and (job := self._jobs.pop(pointer, None)):
            self._conclude(job, moment)

    def _conclude(self, job: LoggedJob, moment: Moment) -> None:
        """A job is over; since v2.12 its switch, if there was one, has been seen."""
        job_windows = [each for each in self._open if each.job is job]
        for each in job_windows:
            each.window.conclusion, each.window.concluded_at = moment, self._at
        if not job_windows and job.source:
            self._without_switch(job, moment, job.ret)
        self._tidy()

    def _block_job_cb(self, moment: Moment, said: Mapping[str, str]) -> None:
        """Until v2.7: a job is over, its switch is just behind it."""
        job = self._jobs.pop(said["job"], None)
        if job is None or job.finished:
            return
        ret = int(said["ret"])
        job.source = job.source or said["bs"]  # the same node that mirror_start names
        if ret == 0 and job.complete:  # also if it was to be cancelled afterwards
            at = job.replaced_at if job.replaced else self._at
            window = self._window(job, None, Switch(job.replaced or moment, at, job.source, job.new))
            window.conclusion, window.concluded_at = moment, self._at
            self._opened(window, job)
        else:
            self._without_switch(job, moment, ret)
        self._tidy()

    def _without_switch(self, job: LoggedJob, moment: Moment, ret: int) -> None:
        """A job ended and no disk was seen to be switched: it was cancelled, it failed, or the log lacks something."""
        disk = self._disk_of(job)
        if ret not in (0, CANCELLED):
            self._others.append(Other(job.pointer, disk, f"failed ({ret})", moment))
        elif job.cancelled or ret:
            self._others.append(Other(job.pointer, disk, "cancelled", moment))
        elif job.zero:
            window = self._window(job, None)
            window.conclusion, window.concluded_at = moment, self._at
            self._close(window)

    # -- windows

    def _arm(self, job: LoggedJob, moment: Moment) -> None:
        """A job has found nothing dirty: if that was the last time, its window opens here."""
        job.past = self._lately.until(self._at)
        job.zero, job.zero_at, job.deferred, job.exited = moment, self._at, None, None
        self._tidy()

    def _disarm(self, job: LoggedJob) -> None:
        """It was not the last time."""
        if job.zero:
            job.zero = None
            self._tidy()

    def _switch(self, job: LoggedJob, moment: Moment, blk: str, old: str, new: str) -> None:
        """The disk of a backend is switched: (c)."""
        job.pivots += 1
        self._opened(self._window(job, blk, Switch(moment, self._at, old, new)), job)

    def _window(self, job: LoggedJob, blk: str | None, switch: Switch | None = None) -> LoggedWindow:
        """What is known of a job's window, with the switch that ends it."""
        device, past = self._owners.device_of.get(job.source or ""), job.past or self._lately.until(0)
        old = switch.old if switch else None
        return LoggedWindow(
            self._disk_of(job, blk),
            job.pointer,
            job.zero,
            job.deferred,
            job.exited,
            switch.moment if switch else None,
            old or job.source,
            switch.new if switch else None,
            job.olds | {each for each in (old, job.source) if each},
            blk,
            frozenset({device}) if device and blk is None else None,
            seen=[each for each in self._kept if each[0] >= job.zero_at] if job.zero else [],
            opened_at=job.zero_at,
            started_at=job.started_at,
            before=(before := past.unanswered(job.started_at)),
            entered=past.entered(before),
            foreign=self._owners.foreign(job.source, blk),
            likely=self._owners.likely(),
            unknown_source=blk is None and job.source is None and self._owners.several,
            file=self._files.of(job.source or old),
            targets=written_by(self._jobs.values()) if self._targets is None else self._targets,
            wrote=blk in past.writers(),
            copying=self._copying,
            switched_at=switch.at if switch else None,
        )

    def _disk_of(self, job: LoggedJob, blk: str | None = None) -> str:
        """What a job's disk is called."""
        blk = blk or next(iter(job.backends), None)
        if blk:
            return self._disks.get(blk, f"blk {blk}")
        return self._names.get(job.source or "", job.source or "a disk")

    def _opened(self, window: LoggedWindow, job: LoggedJob) -> None:
        waiting = still_unanswered(window.seen)
        pending = {one.pointer for at, one in waiting if at <= (window.switched_at or at)}
        pending |= {one.pointer for one in overdue(window) if one.pointer}
        self._name(window)
        self._open.append(Open(window, job, self._at, pending))
        self._tidy()

    def _close(self, window: LoggedWindow) -> None:
        self._name(window)
        self._closed.append(window)
        if window.backend:  # what waited has entered since
            window.foreign, window.likely = self._owners.foreign(None, window.backend), self._owners.likely()
        window.absent = self._absent()
        self._told(judged(window))

    def _unfinished(self, job: LoggedJob) -> Iterable[LoggedWindow]:
        """What is left of a job where the log ends."""
        if job.pivots or any(each.job is job for each in self._open):
            return
        if job.zero and (job.complete or not job.cancelled):
            yield self._ended(self._window(job, next(iter(job.backends), None)))
        elif job.source:
            how = "was being cancelled where the log ends" if job.cancelled else "was at work where the log ends"
            self._others.append(Other(job.pointer, self._disk_of(job), how))

    @staticmethod
    def _ended(window: LoggedWindow) -> LoggedWindow:
        window.ended = window.conclusion is None
        return window

    def _tidy(self) -> None:
        """Close what is known, and look at the guest only where that matters."""
        for each in [each for each in self._open if self._is_known(each)]:
            self._open.remove(each)
            self._close(each.window)
            self._over(each.job)
        if len(self._kept) > KEPT:
            self._give_up()
        zeros = [job.zero_at for job in self._jobs.values() if job.zero]
        if zeros or self._open:
            first = min(zeros, default=self._at)
            if self._kept and self._kept[0][0] < first:
                self._kept = [each for each in self._kept if each[0] >= first]
            self._handlers.update(self._guest)
        else:
            self._kept.clear()
            for name in self._guest.keys() - {b"virtio_queue_notify"}:
                self._handlers.pop(name, None)

    def _over(self, job: LoggedJob) -> None:
        """A job has no place any more when its last switch has none, be its end in the log or not."""
        if self._jobs.get(job.pointer) is job and not any(each.job is job for each in self._open):
            self._jobs.pop(job.pointer)

    def _is_known(self, each: Open) -> bool:
        """Whether nothing more can come that changes what a switch came to."""
        if len(each.window.seen) > PATIENCE and self._at - each.since > PATIENCE:
            return True
        return each.window.conclusion is not None and not each.pending

    def _give_up(self) -> None:
        """The job with the oldest window is gone: so much does not happen in one."""
        oldest = min((job for job in self._jobs.values() if job.zero), key=lambda job: job.zero_at)
        window = self._ended(self._window(oldest, next(iter(oldest.backends), None)))
        window.endless = True
        self._jobs.pop(oldest.pointer)
        self._kept.clear()
        self._close(window)

    # -- the guest

    def _handle_qmp_command(self, _: Moment, said: Mapping[str, str]) -> None:
        self._copying = self._copying or "write-blocking" in said.get("req", "")

    def _see(self, seen: Seen) -> None:
        if any(job.zero for job in self._jobs.values()):
            self._kept.append((self._at, seen))
        for each in self._open:
            each.window.seen.append((self._at, seen))
            if isinstance(seen, Answered):
                each.pending.discard(seen.pointer)
        if len(self._kept) > KEPT:
            self._tidy()

    def _virtio_queue_notify(self, moment: Moment, said: Mapping[str, str]) -> None:
        self._owners.notify(moment.thread, said["vdev"])

    def _virtio_blk_handle_write(self, moment: Moment, said: Mapping[str, str]) -> None:
        device = said.get("vdev") or self._owners.notified.get(moment.thread)
        reached = Reached(moment, device, said["req"], int(said["sector"]), int(said["nsectors"]))
        self._owners.reach(reached)
        self._see(reached)

    def _virtio_blk_req_complete(self, moment: Moment, said: Mapping[str, str]) -> None:
        self._see(Answered(moment, said["req"], int(said["status"])))
        if self._open:
            self._tidy()

    def _virtio_blk_rw_complete(self, moment: Moment, said: Mapping[str, str]) -> None:
        if "virtio_blk_req_complete" not in self._reader.tally.events:
            self._see(Answered(moment, said["req"], int(said["ret"])))
            if self._open:
                self._tidy()

    def _blk_co_pwritev(self, moment: Moment, said: Mapping[str, str]) -> None:
        first, length = int(said["offset"]), int(said["bytes"])
        sector = first // SECTOR
        node, sectors = said["bs"], -(-(first + length) // SECTOR) - sector
        entered = Entered(moment, said["blk"], node, sector, sectors, self._files.of(node), self._files.is_filter(node))
        self._owners.enter(entered)
        self._see(entered)

    def _bdrv_co_pwritev_part(self, moment: Moment, said: Mapping[str, str]) -> None:
        """A write passes a node: that says what a backend's node stands on."""
        if any(
            job.source is None or said["bs"] in job.olds
            for job in [*self._jobs.values(), *(each.job for each in self._open)]
        ):
            first, length = int(said["offset"]), int(said["bytes"])
            sector = first // SECTOR
            self._see(Entered(moment, "", said["bs"], sector, -(-(first + length) // SECTOR) - sector))

    def _bdrv_aio_writev(self, moment: Moment, said: Mapping[str, str]) -> None:
        """Until v2.6 this names a node and the device's request: whose disk the device has."""
        sector, sectors = int(said["sector_num"]), int(said["nb_sectors"])
        if any(job.source in (None, said["bs"]) for job in self._jobs.values()):
            self._see(Entered(moment, "", said["bs"], sector, sectors))
        recent = (seen for _, seen in reversed(self._kept[-64:]) if isinstance(seen, Reached))
        reached = next((one for one in recent if one.pointer == said["opaque"]), None)
        if reached and reached.device:
            self._owners.device_of[said["bs"]] = reached.device

"""The state of the modelled QEMU: disks, requests, contexts, the job. Only variables and conditions; behaviour is in the other files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from draincheck.knobs import Knobs
from draincheck.lang import (
    FALSE,
    TRUE,
    BoolExpr,
    BoolVar,
    EnumVar,
    IntVar,
    Model,
    Process,
    Update,
    all_,
    any_,
    count,
)
from draincheck.qemu.probes import Probes
from draincheck.qemu.scenario import Scenario

__all__ = ["AioContext", "Callbacks", "Disk", "Request", "World", "Write"]


@dataclass(frozen=True, slots=True)
class Request:
    """One guest request; `kind` is `write`, `read` or `flush`.

    `state`: `idle` (not made yet), `ring` (descriptor in the virtqueue, or timer armed), `parked` (queued by the BlockBackend),
    `in_flight` (tracked, with the host's I/O running), `io_done` (I/O finished, completion not run), `acked` (the guest was told).
    `to_target` is set if it was submitted after the switch (None for a disk that is never switched). `counted`: its node counts it
    from its submission to its completion (a flush only from cdb5e3155e on).
    """

    name: str
    kind: str
    state: EnumVar
    to_target: BoolVar | None
    counted: bool

    @property
    def tracked(self) -> BoolExpr:
        """It counts as a pending request of its node."""
        return self.state.is_("in_flight", "io_done") if self.counted else FALSE


@dataclass(frozen=True, slots=True)
class Write(Request):
    """A guest write to the disk with the job: on which nodes its data is, and whether its sector is dirty."""

    to_target: BoolVar
    on_source: BoolVar
    on_target: BoolVar
    dirty: BoolVar


@dataclass(frozen=True, slots=True)
class Disk:
    """A virtio disk: its host notifier's eventfd, the readiness that the last poll found for it, and its requests."""

    index: int
    has_job: bool
    eventfd: BoolVar
    revents: BoolVar
    requests: tuple[Request, ...]

    @property
    def ring_filled(self) -> BoolExpr:
        """The guest has made descriptors available that nobody has taken yet."""
        return any_(*(r.state.is_("ring") for r in self.requests))


@dataclass(frozen=True, slots=True)
class AioContext:
    """An event loop's context.

    Attributes:
        name: QEMU's name for it.
        disable_count: `external_disable_cnt`, or None in code bases that never count.
        external: its handlers are marked external; False without a handler or a counter, where nothing asks for it.
        disks: disks whose host notifier is registered here.
        notify: an `aio_notify` that enabling external events caused and nobody has noticed yet, or None where enabling never notifies.
        removed: its host notifier has been taken out, or None where nobody does that.
    """

    name: str
    disable_count: IntVar | None
    external: bool
    disks: tuple[Disk, ...]
    notify: BoolVar | None = None
    removed: BoolVar | None = None

    @property
    def registered(self) -> BoolExpr:
        """Nobody has taken the host notifier out."""
        return TRUE if self.removed is None else ~self.removed

    @property
    def enabled(self) -> BoolExpr:
        """Handlers here may be polled: the disable counter allows it, and they are (still) registered."""
        there = self.registered
        return there & self.disable_count.is_(0) if self.external and self.disable_count is not None else there


@dataclass(frozen=True, slots=True)
class Callbacks:
    """What the contexts call back: the handlers of a virtqueue's notifier and of the queue itself, and a job's own bottom half."""

    host_notifier_read: Callable[[Process, World, Disk], None]
    handle_output: Callable[[Process, World, Disk], None]
    bottom_half: Callable[[Process, World], None]


class World:
    """What the model's processes share, seen from one job. `k` are the code base's knobs, `s` is the scenario.

    With several jobs there is one World for each: disk, nodes and job are its own; contexts, handlers and locks are the same objects.
    """

    #: all jobs' worlds, this one included, and all disks
    worlds: tuple[World, ...]
    disks: tuple[Disk, ...]
    #: where the disks are served, and what only some scenarios have
    ctx: AioContext
    iohandler_ctx: AioContext
    legacy_iohandlers: tuple[Disk, ...]
    moved: BoolVar | None = None
    stop_bh: BoolVar | None = None
    main_count: IntVar | None = None
    main_notify: BoolVar | None = None
    bql_taken: BoolVar | None = None
    bql_free: BoolVar | None = None
    lock: EnumVar | None = None

    def __init__(  # noqa: PLR0917
        self, model: Model, knobs: Knobs, scenario: Scenario, probes: Probes, callbacks: Callbacks, index: int = 0
    ) -> None:
        self.m, self.k, self.s, self.probes = model, knobs, scenario, probes
        self.callbacks = callbacks
        #: while recording: the jobs whose drain is polling, outermost first; a nested poll runs only the other jobs' callbacks
        self.polling: list[World] = []
        self.index = index
        self.root = model.enum(self._own("root"), "source", "target")
        self.disk = self._disk(index, scenario.writes, scenario.reads, scenario.flushes, has_job=True)
        other = [self._disk(1, scenario.other_writes, 0, 0, has_job=False)] if scenario.other_writes else []
        self._job()
        self.worlds = (self,)
        self.disks = (self.disk, *other)
        if index == 0:
            self._add_second_job()
            self._contexts()
            for world in self.worlds:
                if world is not self:
                    world._share(self)

    def _own(self, name: str) -> str:
        """A variable's name, told apart for the second job."""
        return f"{name} [{self.index}]" if self.index else name

    def _add_second_job(self) -> None:
        """Make the second job's world, if the scenario has one. `newest` is the job whose bottom half was made last."""
        self.newest = self.m.int("newest bottom half", 0, 1) if self.s.jobs == 2 else None
        if self.s.jobs == 2:
            second = World(self.m, self.k, self.s, self.probes, self.callbacks, index=1)
            self.worlds = (self, second)
            self.disks = (self.disk, second.disk)

    def _share(self, first: World) -> None:
        """Take over what is not this job's own."""
        self.worlds, self.disks, self.newest, self.polling = first.worlds, first.disks, first.newest, first.polling
        self.ctx, self.iohandler_ctx, self.legacy_iohandlers = first.ctx, first.iohandler_ctx, first.legacy_iohandlers
        self._sections()

    def of(self, disk: Disk) -> World:
        """The world of the disk's job; this one for a disk without a job."""
        return next((world for world in self.worlds if world.disk is disk), self)

    def _disk(self, index: int, writes: int, reads: int, flushes: int, has_job: bool) -> Disk:
        kinds = {"write": writes, "read": reads, "flush": flushes}
        requests = [self._request(has_job, kind, f"[{index}.{i}]") for kind, n in kinds.items() for i in range(n)]
        eventfd, revents = self.m.bool(f"eventfd[{index}]"), self.m.bool(f"revents[{index}]")
        return Disk(index, has_job, eventfd, revents, tuple(requests))

    def _request(self, has_job: bool, kind: str, place: str) -> Request:
        name, counted = kind + place, kind != "flush" or self.k.flush_tracked
        states = ("idle", "ring", *(("parked",) if self.k.park_requests else ()), "in_flight", "io_done", "acked")
        state = self.m.enum(name, *states)
        if not has_job:
            return Request(name, kind, state, None, counted)
        to_target = self.m.bool(f"{name} to target")
        if kind != "write":
            return Request(name, kind, state, to_target, counted)
        source, target = self.m.bool("source" + place), self.m.bool("target" + place)
        dirty = self.m.bool("dirty" + place, initial=not self.s.starts_ready)
        return Write(name, kind, state, to_target, counted, source, target, dirty)

    def _job(self) -> None:
        m, own = self.m, self._own
        self.should_complete = m.bool(own("should_complete"))
        self.cancelled = m.bool(own("cancelled")) if self.s.command == "cancel" else FALSE
        self.buffer = None if self.s.starts_ready else m.bool(own("copy buffer"))
        self.ready = None if self.s.starts_ready else m.bool(own("READY"))
        self.job_failed = m.bool(own("job failed")) if self.s.job_errors else None
        self.job_io = m.enum(own("job I/O"), "none", "in_flight", "io_done")
        self.sleep_over = m.bool(own("sleep timer due"))
        self.window = m.bool(own("window"))
        self.bitmap = m.bool(own("dirty bitmap"), initial=True)
        self.drain_bh = m.bool(own("drain BH"))
        self.exit_bh = m.bool(own("exit BH"))
        #: its bottom half was in the list when the walk that is going on began
        self.listed = m.bool(own("in this walk")) if self.s.jobs == 2 else None
        self.completed = m.bool(own("job completed"))
        self.qmp = m.bool(own("monitor command"))
        self.mirror = m.coroutine(own("mirror_run"), waits_at="sleep")

    def _contexts(self) -> None:
        """Which context serves the disks, and where their host notifiers are registered, if there are any."""
        k, s, m = self.k, self.s, self.m
        sections = self._sections()
        home = _notifier_home(k, s)
        counter = m.int("external_disable_cnt", 0, 2 * s.jobs) if sections else None
        served = self.disks if home in ("iothread", "main") else ()
        notify = m.bool("notified") if sections and k.enable_notifies else None
        # Knobs are read only where they matter: code bases that differ in nothing else share a build.
        external = counter is not None and bool(served) and (k.dataplane_is_external if s.iothread else k.is_external)
        removed = m.bool("host notifier removed") if s.device_reset else None
        name = "iothread" if s.iothread else "qemu_aio_context"
        self.ctx = AioContext(name, counter, external, served, notify, removed)
        bandage = m.int("external_disable_cnt (iohandler_ctx)", 0, s.jobs) if k.bandage and not s.iothread else None
        handled = self.disks if home == "ioh" else ()
        marked = bandage is not None and bool(handled) and k.is_external
        self.iohandler_ctx = AioContext("iohandler_ctx", bandage, marked, handled)
        self.legacy_iohandlers = self.disks if home == "legacy" else ()
        self.moved = m.bool("disk moved to the main loop") if s.device_reset else None
        self.stop_bh = m.bool("stop BH") if s.device_reset and k.stop_runs_queue == "iothread" else None
        self.main_count = (
            m.int("external_disable_cnt (qemu_aio_context)", 0, 2) if s.device_reset and sections else None
        )
        if self.main_count is not None and k.enable_notifies:
            self.main_notify = m.bool("notified (qemu_aio_context)")
        self.bql_taken = m.bool("vCPU has the BQL") if s.device_reset else None
        self.bql_free = m.bool("BQL free") if s.source in ("mmio", "vcpu") or s.device_reset else None
        self.lock = m.enum("AioContext lock", "free", "iothread", "main") if s.iothread else None

    def _sections(self) -> bool:
        """Make the counters of drained sections of this job's nodes; False for code bases that have none."""
        k = self.k
        sections = k.begin != "none" or k.drain_is_section or k.target_drained or k.pre_switch == "drain"
        self.quiesce = self.m.int(self._own("quiesce_counter"), 0, 2) if sections else None
        self.quiesce_target = self.m.bool(self._own("target drained")) if k.target_drained else None
        return sections

    # -- conditions -----------------------------------------------------------------------------------------------------------

    @property
    def requests(self) -> tuple[Request, ...]:
        """The guest's requests on all disks."""
        return tuple(request for disk in self.disks for request in disk.requests)

    @property
    def writes(self) -> tuple[Write, ...]:
        """The guest's writes to the disk with the job."""
        return tuple(request for request in self.disk.requests if isinstance(request, Write))

    @property
    def on_old_node(self) -> BoolExpr:
        """The disk's root is still the source."""
        return self.root.is_("source")

    @property
    def pending(self) -> BoolExpr:
        """bdrv_requests_pending(source): a guest request on the old node is tracked."""
        return any_(*(all_(r.tracked, ~r.to_target) for r in self.disk.requests if r.to_target is not None))

    @property
    def backend_waits(self) -> BoolExpr:
        """BlockBackend.in_flight, which drains poll (fe5258a503: blk_root_drained_poll), where the node does not count the same.

        From cf3129323f to 7f16476fab~1 that is a parked flush: blk_aio_prwv counts it, blk_co_flush parks it. A read or write is taken
        off the count first (blk_aio_read_entry, blk_aio_write_entry).
        """
        flushes = [request for request in self.disk.requests if request.kind == "flush"]
        if not (flushes and self.k.park_requests):
            return FALSE
        states = [] if self.k.flush_tracked else ["in_flight", "io_done"]
        if self.k.parked_counts:
            states.append("parked")
        return any_(*(request.state.is_(*states) for request in flushes)) if states else FALSE

    @property
    def drain_waits(self) -> BoolExpr:
        """What a drain of the source waits for: the node's requests, and what its BlockBackend counts."""
        return any_(self.pending, self.backend_waits)

    @property
    def pending_on_target(self) -> BoolExpr:
        """bdrv_requests_pending(target): a guest request that was submitted after the switch is tracked."""
        return any_(*(r.tracked & r.to_target for r in self.disk.requests if r.to_target is not None))

    @property
    def any_dirty(self) -> BoolExpr:
        """The dirty count is not 0."""
        return any_(*(write.dirty for write in self.writes))

    @property
    def guest_io_done(self) -> BoolExpr:
        """The thread pool has a finished guest request for its completion bottom half."""
        return any_(*(r.state.is_("io_done") for r in self.requests))

    @property
    def io_done(self) -> BoolExpr:
        """The thread pool's completion bottom half is scheduled: something of the guest's or the job's has finished."""
        return any_(self.guest_io_done, *(world.job_io.is_("io_done") for world in self.worlds))

    @property
    def bh_scheduled(self) -> BoolExpr:
        """A bottom half of the disks' context is scheduled (the exit callback's is always the main loop's)."""
        return any_(*(world.fresh_bh for world in self.worlds), self.io_done, self.stop_scheduled)

    @property
    def stop_scheduled(self) -> BoolExpr:
        """The bottom half of virtio_blk_data_plane_stop is scheduled (1010cadf62)."""
        return FALSE if self.stop_bh is None else self.stop_bh

    @property
    def lock_free(self) -> BoolExpr:
        """Nobody holds the IOThread's AioContext."""
        assert self.lock is not None
        return self.lock.is_("free")

    def lock_taken(self) -> Update:
        """The thread with the BQL takes it."""
        assert self.lock is not None
        return self.lock.set("main")

    def lock_released(self) -> Update:
        """It is free again."""
        assert self.lock is not None
        return self.lock.set("free")

    def schedule(self, bottom_half: BoolVar) -> list[Update]:
        """Make and schedule a bottom half of this job: it is the newest of its context now."""
        return [bottom_half.set(), *([self.newest.set(self.index)] if self.newest is not None else [])]

    def take(self, bottom_half: BoolVar) -> list[Update]:
        """A bottom half of this job is about to run: it is not scheduled any more."""
        return [bottom_half.clear(), *([self.listed.clear()] if self.listed is not None else [])]

    @property
    def any_sleep_over(self) -> BoolExpr:
        """Some job's sleep timer is due."""
        return any_(*(world.sleep_over for world in self.worlds))

    @property
    def fresh_bh(self) -> BoolExpr:
        """This job's own bottom half (its drain's or its exit's) is scheduled in the disks' context; never both."""
        exits = FALSE if self.s.iothread else self.exit_bh
        return any_(self.drain_bh if self.k.drain != "nested" else FALSE, exits)

    @property
    def drained(self) -> BoolExpr:
        """A drained section of the source is open."""
        return self.quiesce > 0 if self.quiesce is not None else FALSE

    @property
    def target_drained(self) -> BoolExpr:
        """A drained section of the target is open."""
        return self.quiesce_target if self.quiesce_target is not None else FALSE

    @property
    def all_acked(self) -> BoolExpr:
        """Every request of the guest has been answered; a device that was stopped owes nothing for what it left in the ring."""
        void = FALSE if self.moved is None else self.moved
        return all_(*(r.state.is_("acked") | (void & r.state.is_("ring")) for r in self.requests))

    @property
    def will_switch(self) -> BoolExpr:
        """The job is going to switch the disk: it was told to complete, and nothing has failed."""
        return self.should_complete & ~(self.job_failed if self.job_failed is not None else FALSE)

    def target_counts(self, begins: bool) -> list[Update]:
        """Open or close the target's section: count it with the context that the target is in now."""
        assert self.quiesce_target is not None and self.ctx.disable_count is not None
        own = self.ctx.disable_count
        moved = self.target_moved
        change = [self.quiesce_target.set(begins)]
        if not begins and self.ctx.notify is not None:
            here = TRUE if moved is None else ~moved
            change.append(self.ctx.notify.set(self.ctx.notify | (own.is_(1) & here)))
        if not begins and self.main_notify is not None and moved is not None and self.main_count is not None:
            change.append(self.main_notify.set(self.main_notify | (self.main_count.is_(1) & moved)))
        if moved is None or self.main_count is None:
            return [*change, own.inc() if begins else own.dec()]
        other = self.main_count
        if begins:
            return [*change, own.inc(when=~moved), other.inc(when=moved)]
        return [*change, own.dec(when=~moved), other.dec(when=moved)]

    @property
    def target_moved(self) -> BoolVar | None:
        """The target is in the main loop's context because its job's disk has moved there; None if it never is."""
        return self.moved if self.moved is not None and self.k.job_at_switch != "ignored" else None

    def expected_disable_counts(self) -> BoolExpr:
        """Each context's counter is what the drained nodes that are in it now add up to: one each."""
        if self.ctx.disable_count is None:
            return TRUE
        if self.moved is None or self.main_count is None:
            nodes = (n for w in self.worlds for n in (w.drained, w.target_drained))
            return self.ctx.disable_count.is_(count(*nodes))
        moved, target_moved = self.moved, FALSE if self.target_moved is None else self.target_moved
        here = count(self.drained & ~moved, self.target_drained & ~target_moved)
        there = count(self.drained & moved, self.target_drained & target_moved)
        return self.ctx.disable_count.is_(here) & self.main_count.is_(there)


def _notifier_home(k: Knobs, s: Scenario) -> str:
    """Where host notifiers are registered: with the IOThread's, the main or the iohandlers' context, as legacy iohandlers, nowhere."""
    if s.source != "ioeventfd":
        return "none"
    if s.iothread:
        return "iothread"
    return k.notifier_home if k.iohandler == "gsource" else "legacy"

"""A virtio disk: the guest's requests and how far they have come, the host notifier, and what a drain of its nodes waits for."""

from __future__ import annotations

from functools import cached_property

from msgspec import Struct

from draincheck.eventloop import FdHandler
from draincheck.knobs import Knobs
from draincheck.lang import FALSE, BoolExpr, BoolVar, EnumVar, Model, all_, any_
from draincheck.qemu.scenario import Scenario

__all__ = ["Disk", "Request", "Write", "disk"]


class Request(Struct, frozen=True, dict=True):
    """One guest request; `kind` is `write`, `read` or `flush`.

    `state`: `idle` (not made yet), `ring` (descriptor in the virtqueue, or timer armed), `parked` (queued by the BlockBackend),
    `in_flight` (tracked, with the host's I/O running), `io_done` (I/O finished, completion not run), `acked` (the guest was told).
    `to_target` is set if it was submitted after the switch; absent for a disk that is never switched. `counted`: its node counts it
    from its submission to its completion (a flush only from cdb5e3155e on).
    """

    name: str
    kind: str
    state: EnumVar
    to_target: BoolVar
    counted: bool

    @cached_property
    def tracked(self) -> BoolExpr:
        """It counts as a pending request of its node."""
        return self.state.is_("in_flight", "io_done") if self.counted else FALSE


class Write(Request, frozen=True):
    """A guest write to the disk with the job: on which nodes its data is, and whether its sector is dirty."""

    on_source: BoolVar
    on_target: BoolVar
    dirty: BoolVar


class Disk(FdHandler, frozen=True, dict=True):
    """A virtio disk, and the handler of its host notifier."""

    index: int
    has_job: bool
    requests: tuple[Request, ...]
    knobs: Knobs

    @property
    def io_poll(self) -> BoolExpr:
        """The guest has made descriptors available that nobody has taken yet: virtio_queue_host_notifier_aio_poll looks at the ring."""
        return any_(*(r.state.is_("ring") for r in self.requests))

    @cached_property
    def writes(self) -> tuple[Write, ...]:
        """The guest's writes to the disk with the job."""
        return tuple(request for request in self.requests if isinstance(request, Write))

    @cached_property
    def pending(self) -> BoolExpr:
        """bdrv_requests_pending(source): a guest request on the old node is tracked."""
        return any_(*(all_(r.tracked, ~r.to_target) for r in self.requests))

    @cached_property
    def pending_on_target(self) -> BoolExpr:
        """bdrv_requests_pending(target): a guest request that was submitted after the switch is tracked."""
        return any_(*(r.tracked & r.to_target for r in self.requests))

    @property
    def backend_waits(self) -> BoolExpr:
        """BlockBackend.in_flight, which drains poll (fe5258a503: blk_root_drained_poll), where the node does not count the same.

        From cf3129323f to 7f16476fab~1 that is a parked flush: blk_aio_prwv counts it, blk_co_flush parks it. A read or write is taken
        off the count first (blk_aio_read_entry, blk_aio_write_entry).
        """
        flushes = [request for request in self.requests if request.kind == "flush"]
        if not (flushes and self.knobs.park_requests):
            return FALSE
        states = [] if self.knobs.flush_tracked else ["in_flight", "io_done"]
        if self.knobs.parked_counts:
            states.append("parked")
        return any_(*(request.state.is_(*states) for request in flushes)) if states else FALSE

    @cached_property
    def any_dirty(self) -> BoolExpr:
        """The dirty count is not 0."""
        return any_(*(write.dirty for write in self.writes))


def disk(m: Model, k: Knobs, s: Scenario, index: int, has_job: bool) -> Disk:
    """Make a disk's variables."""
    kinds = {"write": s.writes, "read": s.reads, "flush": s.flushes} if has_job else {"write": 1}
    requests = [
        _write(m, request, not s.starts_ready) if has_job and kind == "write" else request
        for kind, number in kinds.items()
        for request in (_request(m, k, kind, f"[{index}.{i}]", has_job) for i in range(number))
    ]
    return Disk(m.bool(f"eventfd[{index}]"), m.bool(f"revents[{index}]"), index, has_job, tuple(requests), k)


def _request(m: Model, k: Knobs, kind: str, place: str, switches: bool) -> Request:
    states = ("idle", "ring", *(("parked",) if k.park_requests else ()), "in_flight", "io_done", "acked")
    state = m.enum(kind + place, *states)
    to_target = m.bool(f"{kind}{place} to target", exists=switches)
    return Request(kind + place, kind, state, to_target, kind != "flush" or k.flush_tracked)


def _write(m: Model, r: Request, dirty: bool) -> Write:
    place = r.name.removeprefix(r.kind)
    data = m.bool("source" + place), m.bool("target" + place), m.bool("dirty" + place, initial=dirty)
    return Write(r.name, r.kind, r.state, r.to_target, r.counted, *data)

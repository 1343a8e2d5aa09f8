"""What a machine of the core looks like in the model's words: the value of each of the model's variables."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial

from draincheck.core.aio import QEMUBH
from draincheck.core.block import BlockDriverState
from draincheck.core.disk import Disk, Mirrored
from draincheck.core.glib import PollFD
from draincheck.core.guest import GuestRequest
from draincheck.core.image import Image
from draincheck.core.machine import Machine
from draincheck.core.mirror_top import MirrorTop
from draincheck.errors import ModelError
from draincheck.sorts import Value
from draincheck.system import TransitionSystem

__all__ = ["Abstraction", "Observed"]

#: the values of a system's variables that are not internal, in order
Observed = tuple[Value, ...]

_Getter = Callable[[Machine], Value]


class Abstraction:
    """Reads machines in the words of one system. Raises ModelError for a variable that means nothing in the core."""

    def __init__(self, system: TransitionSystem) -> None:
        visible = [(index, v) for index, v in enumerate(system.variables) if not v.internal]
        self.names = tuple(variable.name for _, variable in visible)
        self._positions = [(index, variable.sort) for index, variable in visible]
        self._getters = [_getter(name) for name in self.names]

    def of_machine(self, machine: Machine) -> Observed:
        """What the core's machine shows."""
        return tuple([getter(machine) for getter in self._getters])

    def of_state(self, state: Sequence[int]) -> Observed:
        """What the model's state shows."""
        return tuple([sort.decode(state[index]) for index, sort in self._positions])


def _getter(name: str) -> _Getter:
    if name in _PLAIN:
        return _PLAIN[name]
    for pattern, make in _INDEXED:
        if match := re.fullmatch(pattern, name):
            return make(*match.groups())
    job = re.fullmatch(r"(.*?)(?: \[(\d+)\])?", name)
    if job is not None and job[1] in _OF_JOB:
        read, disk = _OF_JOB[job[1]], int(job[2] or 0)
        return lambda machine: read(machine, _mirrored(machine, disk))
    raise ModelError(
        f"the core knows nothing that the variable {name!r} stands for: add it to conformance/abstraction.py"
    )


# -- requests -----------------------------------------------------------------------------------------------------------------


def _mirrored(machine: Machine, disk: int) -> Mirrored:
    mirrored = machine.disks[disk].mirrored
    assert mirrored is not None
    return mirrored


def _nodes(mirrored: Mirrored) -> tuple[BlockDriverState, BlockDriverState]:
    return mirrored.source, mirrored.target


def _request(machine: Machine, disk: int, kind: str, number: int) -> GuestRequest:
    driver = machine.disks[disk].driver
    return driver.requests[driver.first[kind] + number]


def _state_of(kind: str, disk: str, number: str) -> _Getter:
    """How far a request is, seen from outside: ring, BlockBackend's queue, thread pool, used ring."""
    d, n, name = int(disk), int(number), f"{kind}[{disk}.{number}]"

    def state(machine: Machine) -> str:
        request = _request(machine, d, kind, n)
        if request.status is not None:
            return "acked"
        if request.head is None:
            return "idle"
        for element in machine.pool.elements:
            if element.name == name:
                return "io_done" if element.done else "in_flight"
        if name in machine.disks[d].backend.parked:
            return "parked"
        return "in_flight" if _tracked(machine.disks[d], name) else "ring"

    return state


def _tracked(disk: Disk, name: str) -> bool:
    """The disk's root has the request, and the thread pool has not: QEMU has ended in its midst."""
    return any(request.name == name for request in disk.backend.root.tracked_requests)


def _to_target(name: str, disk: str) -> _Getter:
    d = int(disk)
    return lambda m: m.disks[d].backend.entered.get(name) is _mirrored(m, d).target_image


def _written(image_of: Callable[[Mirrored], Image], disk: str, number: str) -> _Getter:
    """An image has a write's data: the block layer has been told so, and the bytes are there."""
    d, n, name = int(disk), int(number), f"write[{disk}.{number}]"

    def written(machine: Machine) -> bool:
        request, image = _request(machine, d, "write", n), image_of(_mirrored(machine, d))
        return image.writer.get(request.sector) == name and image.sectors.get(request.sector) == request.data

    return written


def _dirty(disk: str, number: str) -> _Getter:
    d, n = int(disk), int(number)
    return lambda m: _request(m, d, "write", n).sector in _mirrored(m, d).job.dirty_bitmap.bits


# -- event loops --------------------------------------------------------------------------------------------------------------


def _eventfd(disk: str) -> _Getter:
    """The host notifier's eventfd, or what a kick through a chardev makes readable."""
    d = int(disk)

    def eventfd(machine: Machine) -> bool:
        fd = machine.kick_chardev or machine.disks[d].device.host_notifier
        return fd.readable

    return eventfd


def _revents(disk: str) -> _Getter:
    """The readiness that the last poll has found, as long as a dispatch may still consume it."""
    d = int(disk)

    def revents(machine: Machine) -> bool:
        if machine.kick_chardev is not None:
            return _found(machine, machine.kick_chardev.pollfd)
        main, fd = machine.main_loop, machine.disks[d].device.host_notifier
        for handler in main.iohandler_ctx.handlers:
            if handler.fd is fd:
                return _found(machine, handler) and (main.polled is not None or main.iohandler_source.ready)
        served: list[PollFD] = [*main.io_handlers, *machine.ctx.handlers]
        return any(_found(machine, handler) for handler in served if handler.fd is fd)

    return revents


def _found(machine: Machine, pollfd: PollFD) -> bool:
    """What the main loop's poll has found for a descriptor: in the poll array until check has handed it over."""
    loop = machine.main_loop
    if loop.polled is not None and pollfd in loop.gpollfds:
        return loop.polled[loop.gpollfds.index(pollfd)]
    return pollfd.revents


def _holder(machine: Machine) -> str:
    """A vCPU thread that has the BQL counts as the main thread."""
    return {"": "free", "iothread": "iothread", "main thread": "main", "guest": "main"}[machine.ctx.acquired.holder]


# -- jobs ---------------------------------------------------------------------------------------------------------------------


def _job_io(machine: Machine, mirrored: Mirrored) -> str:
    for element in machine.pool.elements:
        if element.owner == mirrored.job.owner:
            return "io_done" if element.done else "in_flight"
    return "none"


def _top(mirrored: Mirrored) -> MirrorTop:
    assert mirrored.job.top is not None
    return mirrored.job.top


def _name_of(mirrored: Mirrored, node: BlockDriverState) -> str:
    """Source or target: whose contents the node has."""
    return "target" if node.image is mirrored.target_image else "source"


def _monitor_ready(machine: Machine, mirrored: Mirrored) -> bool:
    if machine.main_loop.polled is not None:
        return _found(machine, mirrored.monitor.pollfd)
    return mirrored.monitor.source.ready


def _scheduled(bh: QEMUBH | None) -> bool:
    return bh is not None and bh.scheduled


def _in_walk(machine: Machine, mirrored: Mirrored) -> bool:
    """A bottom half of the job's is in the outermost walk under way, which has not come to it, and has not been run otherwise."""
    return any(bh.owner == mirrored.job.name and bh.scheduled for bh in machine.ctx.walk)


def _newest(machine: Machine) -> int:
    """The job whose bottom half was made last."""
    owners = [job.name for job in machine.jobs]
    return owners.index(machine.ctx.last_owner) if machine.ctx.last_owner else 0


_PLAIN: dict[str, _Getter] = {
    "external_disable_cnt": lambda m: m.ctx.external_disable_cnt,
    "external_disable_cnt (iohandler_ctx)": lambda m: m.main_loop.iohandler_ctx.external_disable_cnt,
    "external_disable_cnt (qemu_aio_context)": lambda m: m.main_loop.qemu_aio_context.external_disable_cnt,
    "notified": lambda m: m.ctx.notified,
    "notified (qemu_aio_context)": lambda m: m.main_loop.qemu_aio_context.notified,
    "notified (iohandler_ctx)": lambda m: m.main_loop.iohandler_ctx.notified,
    "BQL free": lambda m: not m.bql.held,
    "vCPU has the BQL": lambda m: m.bql.vcpu,
    "host notifier removed": lambda m: not m.ctx.handlers,
    "stop BH": lambda m: m.iothread is not None and _scheduled(m.iothread.stop_bh),
    "disk moved to the main loop": lambda m: any(n.aio_context is not m.ctx for n in _nodes(_mirrored(m, 0))),
    "AioContext lock": _holder,
    "qemu_aio_context ready": lambda m: m.main_loop.context.sources[0].ready,
    "poll set has the notifier": lambda m: bool(m.ctx.poll_set),
    "newest bottom half": _newest,
    "halted": lambda m: m.aborted is not None,
}

#: variables of a job; the second job's have " [1]" appended
_OF_JOB: dict[str, Callable[[Machine, Mirrored], Value]] = {
    "root": lambda m, d: "filter" if d.backend.root is d.job.top else _name_of(d, d.backend.root),
    "filter's backing": lambda m, d: _name_of(d, _top(d).bdrv_skip_filters()),
    "sections of the filter": lambda m, d: _top(d).quiesce_counter - _top(d).backing_child.parent_quiesce_counter,
    "sections of the target": lambda m, d: d.target.quiesce_counter,
    "target.file may write": lambda m, d: d.target.file.writes,
    "should_complete": lambda m, d: d.job.should_complete,
    "cancelled": lambda m, d: d.job.cancelled,
    "copy buffer": lambda m, d: d.job.buffer_of is not None,
    "READY": lambda m, d: d.job.synced,
    "job failed": lambda m, d: d.job.owner in m.storage.failed,
    "job I/O": _job_io,
    "sleep timer due": lambda m, d: d.job.sleep_timer.due,
    "window": lambda m, d: d.job.trusted_count,
    "dirty bitmap": lambda m, d: d.job.dirty_bitmap in d.source.dirty_bitmaps,
    "drain BH": lambda m, d: _scheduled(d.job.drainer.co_drain_bh),
    "exit BH": lambda m, d: _scheduled(d.job.exit_bh),
    "in this walk": _in_walk,
    "job completed": lambda m, d: d.job.completed,
    "monitor command": lambda m, d: d.monitor.readable,
    "monitor ready": _monitor_ready,
    "quiesce_counter": lambda m, d: d.source.quiesce_counter,
    "target drained": lambda m, d: d.target.quiesce_counter > 0,
}

_INDEXED: tuple[tuple[str, Callable[..., _Getter]], ...] = (
    (r"(write|read|flush)\[(\d+)\.(\d+)\]", _state_of),
    (r"((?:write|read|flush)\[(\d+)\.\d+\]) to target", _to_target),
    (r"source\[(\d+)\.(\d+)\]", partial(_written, lambda d: d.source_image)),
    (r"target\[(\d+)\.(\d+)\]", partial(_written, lambda d: d.target_image)),
    (r"dirty\[(\d+)\.(\d+)\]", _dirty),
    (r"eventfd\[(\d+)\]", _eventfd),
    (r"revents\[(\d+)\]", _revents),
)

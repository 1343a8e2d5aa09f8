"""What acts on QEMU from outside: the guest, the host's storage, the clock, the management."""

from __future__ import annotations

from draincheck.lang import TRUE, BoolExpr, Process, Update
from draincheck.lang.process import Chooser
from draincheck.qemu import dataplane_stop, virtio
from draincheck.qemu.disk import Disk, Request
from draincheck.qemu.world import World

__all__ = ["clock", "guests", "management", "storage"]


def guests(w: World) -> None:
    """The guest driver of each disk makes its requests one after the other, at any time, waiting for no answer.

    With one request the descriptor and the kick are one step: nobody looks at the ring before the first kick. With several they are
    two, so that a handler that is already running may take a descriptor whose kick then finds nothing.
    """
    for disk in w.disks:
        if not disk.requests and not w.s.device_reset:
            continue
        with w.m.thread("guest" if disk.index == 0 else f"guest of disk {disk.index}") as p:
            for request in disk.requests:
                _request(p, w, disk, request)
            if w.s.device_reset:
                dataplane_stop.data_plane_stop(p, w)


def _request(p: Process, w: World, disk: Disk, request: Request) -> None:
    match w.s.source:
        case "timer":
            p.do(f"the device's timer for {request.name} is due", request.state.set("ring"))
        case "vcpu":
            _vcpu_kick(p, w, disk, request)
        case "mmio":
            arrives = request.state.set("ring"), disk.eventfd.set()
            with p.either() as choice:
                with choice():
                    p.do(f"a kick for {request.name} arrives at the chardev", *arrives, choice="chardev")
                with choice():
                    _vcpu_kick(p, w, disk, request)
        case _ if len(disk.requests) > 1:
            p.do(f"adds {request.name} to the ring", request.state.set("ring"))
            p.do(f"kicks for {request.name}", disk.eventfd.set())
        case _:
            p.do(f"kicks for {request.name}", request.state.set("ring"), disk.eventfd.set())


def _vcpu_kick(p: Process, w: World, disk: Disk, request: Request) -> None:
    """A vCPU thread takes the BQL and runs the queue handler itself."""
    with p.call("kvm_cpu_exec"), p.call("virtio_queue_notify"), p.atomic():
        label = f"writes the doorbell for {request.name}"
        p.do(label, request.state.set("ring"), when=w.loops.bql.free, choice="doorbell")
        virtio.handle_output(p, w, disk)


def storage(w: World) -> None:
    """The host finishes I/O in any order, at any time."""
    with w.m.thread("storage") as p, p.loop(), p.either() as choice:
        for request in w.requests:
            with choice():
                _chosen(p, f"finishes {request.name}", request.state.is_("in_flight"), request.state.set("io_done"))
        for world in w.worlds:
            with choice():
                io = world.job.io
                _chosen(p, f"finishes {world.job.called}'s I/O", io.is_("in_flight"), io.set("io_done"))
        if w.job.failed.exists:
            _failure(p, w, choice)


def _failure(p: Process, w: World, choice: Chooser) -> None:
    """A copy may fail on either side, a flush only on the target."""
    fragile = w.job.mirror.at("copy")
    if w.s.job_errors == "target":
        fragile |= w.job.mirror.at("flush")
    with choice(when=fragile):
        fails = f"fails mirror's I/O on the {w.s.job_errors}"
        _chosen(p, fails, w.job.io.is_("in_flight"), w.job.io.set("io_done"), w.job.failed.set())


def clock(w: World) -> None:
    """The job's sleep may end at any time."""
    with w.m.thread("clock") as p, p.loop(), p.either() as choice:
        for world in w.worlds:
            with choice():
                sleep = world.job.sleep
                _chosen(p, f"{world.job.called}'s sleep timer expires", sleep.may_end, sleep.timer.due.set())


def _chosen(p: Process, label: str, when: BoolExpr, *updates: Update) -> None:
    """A step that a scheduler picks by its label."""
    p.do(label, *updates, when=when, choice=label)


def management(w: World) -> None:
    """The job's command is sent once, at any time; block-job-complete only after READY."""
    for world in w.worlds:
        with w.m.thread("management" if world is w else f"management of job {world.job.index}") as p:
            may = world.job.ready if w.s.command == "complete" else TRUE
            p.do(f"sends block-job-{w.s.command}", world.job.qmp.set(), when=may)

"""What acts on QEMU from outside: the guest, the host's storage, the clock, the management."""

from __future__ import annotations

from draincheck.lang import Process
from draincheck.qemu import virtio
from draincheck.qemu.world import Disk, Request, World

__all__ = ["clock", "guests", "management", "storage"]


def guests(w: World) -> None:
    """The guest driver of each disk makes its requests one after the other, at any time, waiting for no answer.

    With one request the descriptor and the kick are one step: nobody looks at the ring before the first kick. With several they are
    two, so that a handler that is already running may take a descriptor whose kick then finds nothing.
    """
    for disk in w.disks:
        with w.m.thread("guest" if disk.has_job else f"guest of disk {disk.index}") as p:
            for request in disk.requests:
                _request(p, w, disk, request)


def _request(p: Process, w: World, disk: Disk, request: Request) -> None:
    match w.s.source:
        case "timer":
            p.do(f"the device's timer for {request.name} is due", request.state.set("ring"))
        case "vcpu":
            _vcpu_kick(p, w, disk, request)
        case "mmio":
            with p.either() as choice:
                with choice():
                    p.do(
                        f"a kick for {request.name} arrives at the chardev",
                        request.state.set("ring"),
                        disk.eventfd.set(),
                    )
                with choice():
                    _vcpu_kick(p, w, disk, request)
        case _ if len(disk.requests) > 1:
            p.do(f"adds {request.name} to the ring", request.state.set("ring"))
            p.do(f"kicks for {request.name}", disk.eventfd.set())
        case _:
            p.do(f"kicks for {request.name}", request.state.set("ring"), disk.eventfd.set())


def _vcpu_kick(p: Process, w: World, disk: Disk, request: Request) -> None:
    """A vCPU thread takes the BQL and runs the queue handler itself."""
    assert w.bql_free is not None
    with p.call("kvm_cpu_exec"), p.call("virtio_queue_notify"), p.atomic():
        p.do(f"writes the doorbell for {request.name}", request.state.set("ring"), when=w.bql_free)
        virtio.handle_output(p, w, disk)


def storage(w: World) -> None:
    """The host finishes I/O in any order, at any time."""
    with w.m.thread("storage") as p, p.loop(), p.either() as choice:
        for request in w.requests:
            with choice():
                p.do(f"finishes {request.name}", request.state.set("io_done"), when=request.state.is_("in_flight"))
        with choice():
            p.do("finishes mirror's I/O", w.job_io.set("io_done"), when=w.job_io.is_("in_flight"))


def clock(w: World) -> None:
    """The job's sleep may end at any time."""
    with w.m.thread("clock") as p, p.loop():
        p.do("mirror's sleep timer expires", w.sleep_over.set(), when=w.mirror.at("sleep") & ~w.sleep_over)


def management(w: World) -> None:
    """block-job-complete is sent once, at any time."""
    with w.m.thread("management") as p:
        p.do("sends block-job-complete", w.qmp.set())

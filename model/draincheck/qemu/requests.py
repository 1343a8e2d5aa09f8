"""The request path of the block layer: a guest request enters a node, completes, is queued while its backend is drained."""

from __future__ import annotations

from functools import partial

from draincheck.lang import BoolVar, Process
from draincheck.qemu.disk import Request, Write
from draincheck.qemu.world import World

__all__ = ["complete_all", "resume_parked", "submit"]


def submit(p: Process, w: World, request: Request) -> None:
    """(b): the request becomes tracked on the disk's root, in the same atomic step as its handler; a drained BlockBackend queues it."""
    enter = partial(_enter_node, p, w, request)
    if request.to_target.exists:
        words = f"blk_wait_while_drained queues {request.name}"
        w.graph.backend.submit(p, enter, lambda: p.do(words, request.state.set("parked")))
    else:
        enter()


def _enter_node(p: Process, w: World, request: Request) -> None:
    if request.to_target.exists:
        w.probes.request_submitted(p, w, request)
    enters = request.state.set("in_flight"), request.to_target.set(~w.graph.on_source)
    function = "blk_aio_flush" if request.kind == "flush" else w.k.submit.replace("write", request.kind)
    p.do(f"{function} ({request.name})", *enters, mark="b")


def resume_parked(p: Process, w: World, in_replacement: bool = False) -> None:
    """Let queued requests go on once no section is open, to the root of now (part of an atomic step).

    `in_replacement`: inside the replacement of a node, so that permissions may be missing.
    """
    for request in w.disk.requests:
        with w.graph.backend.resumed(p, request.state.is_("parked")):
            _enter_node(p, w, request)
            if in_replacement and isinstance(request, Write):
                _write_file(p, request, w.graph.target_writes)


def _write_file(p: Process, request: Write, may_write: BoolVar) -> None:
    """The write goes down to the protocol node. Over an edge without permission it must not."""
    if may_write.exists:
        with p.call("bdrv_co_pwritev_part (target)"), p.call("bdrv_co_pwritev_part (target.file)"):
            with p.when(request.to_target & ~may_write):
                p.abort("assert(child->perm & BLK_PERM_WRITE) fails")


def complete_all(p: Process, w: World) -> None:
    """Run the completion of every guest request whose I/O has finished (part of an atomic step)."""
    for disk in w.disks:
        for request in disk.requests:
            with p.when(request.state.is_("io_done")):
                _complete(p, request, w.of(disk))


def _complete(p: Process, request: Request, w: World) -> None:
    """The data is on the request's node, its sector is dirty if a bitmap still listens, and the guest is told."""
    updates = [request.state.set("acked")]
    if isinstance(request, Write):
        updates += [
            request.on_source.set(request.on_source | ~request.to_target),
            request.on_target.set(request.on_target | request.to_target),
            request.dirty.set(request.dirty | (w.job.bitmap & ~request.to_target)),
        ]
    p.do(f"{request.name} completes, the guest is told", *updates, choice="guest requests")

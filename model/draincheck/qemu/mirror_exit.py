"""(c): mirror_exit, in the main thread. It switches the disk to the target, and ends what mirror_run began."""

from __future__ import annotations

from draincheck.lang import FALSE, TRUE, Process, count
from draincheck.qemu import drain, mirror_top
from draincheck.qemu.world import World

__all__ = ["bottom_half", "finish"]


def bottom_half(p: Process, w: World) -> None:
    """Run the exit's bottom half, if it is scheduled: a code base that leaves inline has none."""
    if w.k.exit == "bh":
        with p.when(w.job.exit_bh.pending):
            p.do("the exit bottom half runs", *w.job.exit_bh.taken())
            _mirror_exit(p, w)


def _mirror_exit(p: Process, w: World) -> None:
    """(c): the exit callback, in the main thread. Dataplane: it first gets hold of the disk's context."""
    callback, function, end = "block_job_defer_to_main_loop_bh", "mirror_exit", finish
    if w.graph.has_filter:
        callback, function, end = "job_exit", "mirror_exit_common", mirror_top.finish
    with p.call(callback):
        if w.s.iothread:
            p.here("aio_context_acquire")
            w.loops.lock.acquire(p, "main")
        with p.call(function), p.atomic():
            w.probes.exit_runs(p, w)
            updates = [w.job.bitmap.clear()] if w.k.release_bitmap == "exit" else []
            p.do(function, *updates, mark="c")
            end(p, w)
            w.loops.lock.release(p)


def finish(p: Process, w: World) -> None:
    """Switch the disk if the job was told to complete and nothing failed; then end the job and its sections (part of an atomic step)."""
    if w.s.always_switches:
        _switch(p, w)
    else:
        with p.when(w.job.will_switch):
            _switch(p, w)
        with p.otherwise():
            p.do("the disk stays with the source", w.job.window.clear(), w.job.completed.set())
    _end_sections(p, w)


def _switch(p: Process, w: World) -> None:
    if w.k.reopen_drains or w.s.reopen:
        with p.call("bdrv_reopen"), p.call("bdrv_drain_all"):
            drain.poll_until_quiet(p, w, w.graph.source.waits)
    target = w.graph.lone_target
    if target.drained.exists:
        with p.call("bdrv_drained_begin"):
            target.begin(p)
            drain.poll_until_quiet(p, w, target.in_flight)
    _before_the_switch(p, w)
    w.probes.node_switches(p, w)
    mark = "c" if w.k.exit == "inline" else ""
    p.do("the disk is the target now", w.root.set("target"), w.job.window.clear(), w.job.completed.set(), mark=mark)
    if w.k.pre_switch == "drain":
        drain.bdrv_drained_end(p, w, w.graph.source)
    if target.drained.exists:
        target.end(p)


def _before_the_switch(p: Process, w: World) -> None:
    match w.k.pre_switch:
        case "swap_raw":
            if w.s.job == "commit" and w.k.exit == "bh":
                _swap_under_a_request(p, w)
        case "swap_drain":
            with p.call("bdrv_swap"), p.call("bdrv_drain"):
                drain.poll_until_quiet(p, w, w.graph.source.waits)
        case "assert":
            with p.call("bdrv_replace_in_backing_chain"), p.when(w.disk.pending):
                p.abort("assert(!bdrv_requests_pending(old)) fails")
        case _:
            with p.call("bdrv_replace_node"), p.call("bdrv_drained_begin"):
                w.graph.source.begin(p)
                drain.poll_until_quiet(p, w, w.graph.source.waits)


def _swap_under_a_request(p: Process, w: World) -> None:
    """bdrv_swap exchanges the contents of two nodes; a qcow2 request in flight then goes on with the other driver's state.

    It may crash (observed at 5a7e7a0bad), or its data stays behind on the old node.
    """
    with p.call("bdrv_swap"), p.when(w.disk.pending), p.either() as choice:
        with choice():
            p.abort("SIGSEGV: a qcow2 request goes on with the other node's state", choice="it crashes")
        with choice():
            p.do("a request is in flight across the swap", choice="it goes on")


def _end_sections(p: Process, w: World) -> None:
    """What mirror_run opened before (a): the source's section, the bandage."""
    if w.k.begin != "none":
        drain.bdrv_drained_end(p, w, w.graph.source)
    bandage = w.loops.iohandler_ctx
    if bandage.disable_count.exists:
        p.do("aio_enable_external (iohandler_ctx)", *bandage.enable())
        w.probes.external_enabled(p, w, bandage.disable_count, TRUE if w.k.enable_notifies else FALSE)
    elif w.k.bandage and w.loops.moved.exists:
        with p.when(w.loops.moved):  # the condition is looked at anew: the disk is in the main loop's context by now
            w.probes.enabled_elsewhere(p, w, count())
            p.abort("assert(ctx->external_disable_cnt > 0) fails for iohandler_ctx")

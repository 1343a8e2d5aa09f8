"""The mirror job (active commit is the same code): mirror_run, its epilogue, and mirror_exit."""

from __future__ import annotations

from draincheck.lang import FALSE, BoolExpr, Process, any_
from draincheck.qemu import drain
from draincheck.qemu.world import World, Write

__all__ = ["mirror_exit", "mirror_run"]


def mirror_run(w: World) -> None:
    """The job's coroutine, from READY on: copy what is dirty; when told to complete and nothing is dirty, drain and leave.

    Copies run one at a time (QEMU: up to 16 in flight; they only delay convergence). Between two yields everything is one step.
    """
    with w.mirror as p, p.call("mirror_run"), p.loop(), p.atomic():
        if w.writes:
            with p.when(w.any_dirty):
                _copy_first_dirty(p, w)
                p.continue_()
        if w.k.flush == "before_check":
            _flush(p, w)
        with p.when(w.any_dirty):
            p.continue_()
        with p.when(w.should_complete):
            _converge(p, w)
        with p.otherwise():
            w.mirror.yield_("sleep", "block_job_sleep_ns")


def _copy_first_dirty(p: Process, w: World) -> None:
    """Copy the first dirty sector; the caller knows that there is one."""
    *others, last = w.writes
    for write in others:
        with p.when(write.dirty):
            _copy(p, w, write)
            p.continue_()
    _copy(p, w, last)


def _copy(p: Process, w: World, write: Write) -> None:
    """Clear the dirty bit, then read the source and write the target."""
    with p.call("mirror_iteration"):
        p.do(f"copies the sector of {write.name}", write.dirty.clear(), w.job_io.set("in_flight"))
        w.mirror.yield_("copy")
        p.do(f"the target has the sector of {write.name}", write.on_target.set())


def _flush(p: Process, w: World) -> None:
    with p.call("bdrv_flush"):
        p.do("flushes the target", w.job_io.set("in_flight"))
        w.probes.job_yields(p, w)
        w.mirror.yield_("flush")


def _converge(p: Process, w: World) -> None:
    """The epilogue, in the order of the code base; falls back to the loop if a write came in between."""
    if w.k.begin == "before_check":
        drain.bdrv_drained_begin(p, w)
    else:
        drain.bdrv_drain(p, w)
    with p.when(w.any_dirty):
        if w.k.begin == "before_check":
            drain.bdrv_drained_end(p, w)
    with p.otherwise():
        _leave(p, w)
        p.break_()


def _leave(p: Process, w: World) -> None:
    """(w) to (a)."""
    w.probes.dirty_count_is_zero(p, w)
    p.do("bdrv_get_dirty_count is 0", w.window.set(), mark="w")
    if w.k.flush == "after_check":
        _flush(p, w)
    if w.k.release_bitmap == "run":
        p.do("bdrv_release_dirty_bitmap", w.bitmap.clear())
    if w.k.exit == "inline":
        w.probes.exit_runs(p, w)
        _switch_and_finish(p, w)
        return
    if w.k.begin == "after_release":
        drain.bdrv_drained_begin(p, w)
    if w.iohandler_ctx.disable_count is not None:
        p.do("aio_disable_external (iohandler_ctx)", w.iohandler_ctx.disable_count.inc())
    w.probes.job_defers(p, w)
    p.do("block_job_defer_to_main_loop", w.exit_bh.set(), mark="a")


def mirror_exit(p: Process, w: World) -> None:
    """(c): the exit callback, in the main thread. Dataplane: it first gets hold of the disk's context."""
    with p.call("block_job_defer_to_main_loop_bh"):
        if w.lock is not None:
            p.here("aio_context_acquire")
            p.do("aio_context_acquire", w.lock.set("main"), when=w.lock.is_("free"))
        with p.call("mirror_exit"), p.atomic():
            w.probes.exit_runs(p, w)
            updates = [w.bitmap.clear()] if w.k.release_bitmap == "exit" else []
            p.do("mirror_exit", *updates, mark="c")
            _switch_and_finish(p, w)
            if w.lock is not None:
                p.do("aio_context_release", w.lock.set("free"))


def _switch_and_finish(p: Process, w: World) -> None:
    if w.k.reopen_drains:
        with p.call("bdrv_reopen"), p.call("bdrv_drain_all"):
            drain.poll_until_quiet(p, w, w.pending)
    if w.quiesce_target is not None:
        assert w.ctx.disable_count is not None
        with p.call("bdrv_drained_begin"):
            p.do("drains the target", w.quiesce_target.set(), w.ctx.disable_count.inc())
            drain.poll_until_quiet(p, w, _pending_on_target(w))
    _before_the_switch(p, w)
    w.probes.node_switches(p, w)
    p.do(
        "the disk is the target now",
        w.root.set("target"),
        w.window.clear(),
        w.completed.set(),
        mark="c" if w.k.exit == "inline" else "",
    )
    _end_sections(p, w)


def _pending_on_target(w: World) -> BoolExpr:
    return any_(*(r.tracked & r.to_target for r in w.disk.requests if r.to_target is not None))


def _before_the_switch(p: Process, w: World) -> None:
    match w.k.pre_switch:
        case "swap_raw":
            if w.s.job == "commit" and w.k.exit == "bh":
                _swap_under_a_request(p, w)
        case "swap_drain":
            with p.call("bdrv_swap"), p.call("bdrv_drain"):
                drain.poll_until_quiet(p, w, w.pending)
        case "assert":
            with p.call("bdrv_replace_in_backing_chain"), p.when(w.pending):
                p.abort("assert(!bdrv_requests_pending(old)) fails")
        case _:
            with p.call("bdrv_replace_node"), p.call("bdrv_drained_begin"):
                drain.poll_until_quiet(p, w, w.pending)


def _swap_under_a_request(p: Process, w: World) -> None:
    """bdrv_swap exchanges the contents of two nodes; a qcow2 request in flight then goes on with the other driver's state.

    It may crash (observed at 5a7e7a0bad), or its data stays behind on the old node.
    """
    with p.call("bdrv_swap"), p.when(w.pending), p.either() as choice:
        with choice():
            p.abort("SIGSEGV: a qcow2 request goes on with the other node's state")
        with choice():
            p.do("a request is in flight across the swap")


def _end_sections(p: Process, w: World) -> None:
    """What mirror_exit undoes: the target's section, the source's, the bandage."""
    if w.quiesce_target is not None:
        assert w.ctx.disable_count is not None
        p.do("the target's section ends", w.quiesce_target.clear(), w.ctx.disable_count.dec())
    if w.k.begin != "none":
        drain.bdrv_drained_end(p, w)
    if w.iohandler_ctx.disable_count is not None:
        p.do("aio_enable_external (iohandler_ctx)", w.iohandler_ctx.disable_count.dec())
        w.probes.external_enabled(p, w, w.iohandler_ctx.disable_count, FALSE)

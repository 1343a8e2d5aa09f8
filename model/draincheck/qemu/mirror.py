"""The mirror job (active commit is the same code): mirror_run and its epilogue. What follows (a) is in mirror_exit.py."""

from __future__ import annotations

from draincheck.lang import BoolExpr, Process
from draincheck.qemu import drain, mirror_exit
from draincheck.qemu.disk import Write
from draincheck.qemu.world import World

__all__ = ["mirror_run"]


def mirror_run(w: World) -> None:
    """The job's coroutine: copy what is dirty; when told to complete and nothing is dirty, drain and leave.

    Copies run one at a time (QEMU: up to 16 in flight; they only delay convergence). Between two yields everything is one step.
    """
    with w.job.mirror as p, p.call("mirror_run"), p.loop(), p.atomic():
        if (
            w.s.zero_length
        ):  # nothing is to be copied: the job is READY at once and leaves without any convergence check
            _leave_when(p, w, w.job.told_to_leave)
            w.job.sleep.begin("block_job_yield")
        else:
            _main_loop(p, w)


def _main_loop(p: Process, w: World) -> None:
    """One round of the job's loop."""
    if w.job.failed.exists:
        _leave_when(p, w, w.job.failed)
    if w.job.ready.exists:
        _leave_when(p, w, ~w.job.ready & w.job.cancelled)
    if w.disk.writes:
        with p.when(w.disk.any_dirty):
            _copy_first_dirty(p, w)
            p.continue_()
    if w.k.flush == "before_check":
        _flush(p, w)
        if w.job.failed.exists:
            with p.when(w.job.failed):
                p.continue_()
    with p.when(w.disk.any_dirty):
        p.continue_()
    if w.job.ready.exists:
        p.do("BLOCK_JOB_READY", w.job.ready.set())
    with p.when(w.job.told_to_leave):
        _converge(p, w)
    with p.otherwise():
        w.job.sleep.begin("block_job_sleep_ns")


def _leave_when(p: Process, w: World, condition: BoolExpr) -> None:
    """The job leaves without looking at the dirty count. immediate_exit: after an I/O error, or a cancel before READY."""
    with p.when(condition):
        _leave(p, w)
        p.break_()


def _copy_first_dirty(p: Process, w: World) -> None:
    """Copy the first dirty sector; the caller knows that there is one."""
    *others, last = w.disk.writes
    for write in others:
        with p.when(write.dirty):
            _copy(p, w, write)
            p.continue_()
    _copy(p, w, last)


def _copy(p: Process, w: World, write: Write) -> None:
    """Clear the dirty bit, then read the source and write the target; on an error the sector is dirty again."""
    with p.call("mirror_iteration"):
        updates = write.dirty.clear(), w.job.io.set("in_flight"), w.job.buffer.set(write.on_source)
        p.do(f"copies the sector of {write.name}", *updates)
        w.job.mirror.yield_("copy", "qemu_coroutine_yield")
        if w.job.failed.exists:
            with p.when(w.job.failed):
                p.do(f"the sector of {write.name} is dirty again", write.dirty.set())
            with p.otherwise():
                _copied(p, w, write)
        else:
            _copied(p, w, write)


def _copied(p: Process, w: World, write: Write) -> None:
    """The target has what the copy read."""
    copied = write.on_target.set(write.on_target | w.job.buffer)
    p.do(f"the target has the sector of {write.name}", copied, w.job.buffer.clear())


def _flush(p: Process, w: World) -> None:
    with p.call("bdrv_flush"):
        p.do("flushes the target", w.job.io.set("in_flight"))
        w.probes.job_yields(p, w)
        w.job.mirror.yield_("flush", "qemu_coroutine_yield")


def _converge(p: Process, w: World) -> None:
    """The epilogue, in the order of the code base; falls back to the loop, out of any section, if a write came in between."""
    if w.k.begin == "before_check":
        drain.bdrv_drained_begin(p, w)
    else:
        drain.bdrv_drain(p, w)
    begun = w.k.begin == "before_check"
    with p.when(w.disk.any_dirty):
        if begun:
            drain.bdrv_drained_end(p, w, w.graph.source)
    with p.otherwise():
        w.probes.dirty_count_is_zero(p, w)
        p.do("bdrv_get_dirty_count is 0", w.job.window.set(w.job.will_switch), mark="w")
        if w.k.flush == "after_check":
            _flush_before_leaving(p, w, begun)
        _leave(p, w, begun)
        p.break_()


def _flush_before_leaving(p: Process, w: World, begun: bool) -> None:
    """From bdffb31d8e on: the count is not read again after it; a failed flush sends the job round its loop."""
    _flush(p, w)
    if w.job.failed.exists:
        with p.when(w.job.failed):
            p.do("the last dirty count no longer counts", w.job.window.clear())
            if begun:
                drain.bdrv_drained_end(p, w, w.graph.source)
            p.continue_()


def _leave(p: Process, w: World, begun: bool = False) -> None:
    """From the decision to leave to (a). `begun`: the drained section is open already."""
    if w.k.release_bitmap == "run":
        p.do("bdrv_release_dirty_bitmap", w.job.bitmap.clear())
    if w.k.exit == "inline":
        w.probes.exit_runs(p, w)
        mirror_exit.finish(p, w)
        return
    if w.k.begin != "none" and not begun:
        drain.bdrv_drained_begin(p, w)
    if w.loops.iohandler_ctx.disable_count.exists:
        p.do("aio_disable_external (iohandler_ctx)", w.loops.iohandler_ctx.disable())
    w.probes.job_defers(p, w)
    p.do("block_job_defer_to_main_loop", *w.job.exit_bh.schedule(), w.newest.set(w.job.index), mark="a")

"""The mirror job (active commit is the same code): mirror_run and its epilogue. What follows (a) is in mirror_exit.py."""

from __future__ import annotations

from draincheck.lang import BoolExpr, Process
from draincheck.qemu import drain, mirror_exit
from draincheck.qemu.world import World, Write

__all__ = ["mirror_run"]


def mirror_run(w: World) -> None:
    """The job's coroutine: copy what is dirty; when told to complete and nothing is dirty, drain and leave.

    Copies run one at a time (QEMU: up to 16 in flight; they only delay convergence). Between two yields everything is one step.
    """
    with w.mirror as p, p.call("mirror_run"), p.loop(), p.atomic():
        if w.s.zero_length:
            _wait_for_the_command(p, w)
        else:
            _main_loop(p, w)


def _wait_for_the_command(p: Process, w: World) -> None:
    """A disk of length 0 has nothing to copy: the job is READY at once and leaves without any convergence check."""
    with p.when(w.should_complete | w.cancelled):
        _leave(p, w)
        p.break_()
    w.mirror.yield_("sleep", "block_job_yield")


def _main_loop(p: Process, w: World) -> None:
    """One round of the job's loop."""
    if w.job_failed is not None:
        _leave_when(p, w, w.job_failed)
    if w.ready is not None:
        _leave_when(p, w, ~w.ready & w.cancelled)
    if w.writes:
        with p.when(w.any_dirty):
            _copy_first_dirty(p, w)
            p.continue_()
    if w.k.flush == "before_check":
        _flush(p, w)
        _continue_when_failed(p, w)
    with p.when(w.any_dirty):
        p.continue_()
    if w.ready is not None:
        p.do("BLOCK_JOB_READY", w.ready.set())
    with p.when(w.should_complete | w.cancelled):
        _converge(p, w)
    with p.otherwise():
        w.mirror.yield_("sleep", "block_job_sleep_ns")


def _leave_when(p: Process, w: World, condition: BoolExpr) -> None:
    """immediate_exit: an I/O error, or a cancel before READY. The job leaves without looking at the dirty count."""
    with p.when(condition):
        _leave(p, w)
        p.break_()


def _copy_first_dirty(p: Process, w: World) -> None:
    """Copy the first dirty sector; the caller knows that there is one."""
    *others, last = w.writes
    for write in others:
        with p.when(write.dirty):
            _copy(p, w, write)
            p.continue_()
    _copy(p, w, last)


def _copy(p: Process, w: World, write: Write) -> None:
    """Clear the dirty bit, then read the source and write the target; on an error the sector is dirty again."""
    with p.call("mirror_iteration"):
        updates = [write.dirty.clear(), w.job_io.set("in_flight")]
        if w.buffer is not None:
            updates.append(w.buffer.set(write.on_source))
        p.do(f"copies the sector of {write.name}", *updates)
        w.mirror.yield_("copy", "qemu_coroutine_yield")
        if w.job_failed is not None:
            with p.when(w.job_failed):
                p.do(f"the sector of {write.name} is dirty again", write.dirty.set())
            with p.otherwise():
                _copied(p, w, write)
        else:
            _copied(p, w, write)


def _copied(p: Process, w: World, write: Write) -> None:
    """The target has what the copy read. From READY on a sector is only dirty because the guest's write is on the source."""
    if w.buffer is None:
        p.do(f"the target has the sector of {write.name}", write.on_target.set())
    else:
        p.do(
            f"the target has the sector of {write.name}",
            write.on_target.set(write.on_target | w.buffer),
            w.buffer.clear(),
        )


def _flush(p: Process, w: World) -> None:
    with p.call("bdrv_flush"):
        p.do("flushes the target", w.job_io.set("in_flight"))
        w.probes.job_yields(p, w)
        w.mirror.yield_("flush", "qemu_coroutine_yield")


def _continue_when_failed(p: Process, w: World) -> None:
    if w.job_failed is not None:
        with p.when(w.job_failed):
            p.continue_()


def _converge(p: Process, w: World) -> None:
    """The epilogue, in the order of the code base; falls back to the loop if a write came in between."""
    if w.k.begin == "before_check":
        drain.bdrv_drained_begin(p, w)
    else:
        drain.bdrv_drain(p, w)
    with p.when(w.any_dirty):
        _try_again(p, w)
    with p.otherwise():
        w.probes.dirty_count_is_zero(p, w)
        p.do("bdrv_get_dirty_count is 0", w.window.set(w.will_switch), mark="w")
        if w.k.flush == "after_check":
            _flush_before_leaving(p, w)
        _leave(p, w, begun=w.k.begin == "before_check")
        p.break_()


def _flush_before_leaving(p: Process, w: World) -> None:
    """From bdffb31d8e on: the count is not read again after it; a failed flush sends the job round its loop."""
    _flush(p, w)
    if w.job_failed is not None:
        with p.when(w.job_failed):
            p.do("the last dirty count no longer counts", w.window.clear())
            _try_again(p, w)
            p.continue_()


def _try_again(p: Process, w: World) -> None:
    """Back to the loop, with the section closed that the attempt opened."""
    if w.k.begin == "before_check":
        drain.bdrv_drained_end(p, w)


def _leave(p: Process, w: World, begun: bool = False) -> None:
    """From the decision to leave to (a). `begun`: the drained section is open already."""
    if w.k.release_bitmap == "run":
        p.do("bdrv_release_dirty_bitmap", w.bitmap.clear())
    if w.k.exit == "inline":
        w.probes.exit_runs(p, w)
        mirror_exit.finish(p, w)
        return
    if w.k.begin != "none" and not begun:
        drain.bdrv_drained_begin(p, w)
    if w.iohandler_ctx.disable_count is not None:
        p.do("aio_disable_external (iohandler_ctx)", w.iohandler_ctx.disable_count.inc())
    w.probes.job_defers(p, w)
    p.do("block_job_defer_to_main_loop", *w.schedule(w.exit_bh), mark="a")

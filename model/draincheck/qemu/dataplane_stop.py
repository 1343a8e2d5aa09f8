"""virtio_blk_data_plane_stop: a device reset (from v2.8.0 on `stop`, too) takes the disk back from its IOThread while the job is at its end.

It happens here between (a) and (c), in a vCPU thread; in the main thread it would do the same, for whoever has the BQL counts as the main
loop's thread. In this order: the host notifier is removed, the disk is drained, its job is waited for, its context is switched. The
section that the drain opens for itself is left out: the job's is open already, or no code base of that time has any.
"""

from __future__ import annotations

from draincheck.lang import TRUE, BoolExpr, Process, Update
from draincheck.qemu import drain, mirror_exit, virtio
from draincheck.qemu.world import World

__all__ = ["data_plane_stop"]


def data_plane_stop(p: Process, w: World) -> None:
    """Stop dataplane once, under the BQL. It holds the disk's AioContext, but where it polls its own."""
    with p.call("kvm_cpu_exec"), p.call("virtio_blk_data_plane_stop"):
        p.do("takes the BQL to stop the device", w.loops.bql.taken.set(), when=w.job.exit_bh.pending & w.loops.bql.free)
        p.here("aio_context_acquire")
        with p.atomic():
            w.loops.lock.acquire(p, "main")
            _remove_host_notifier(p, w)
        if w.loops.stop_bh.scheduled.exists:
            with p.call("aio_wait_bh_oneshot"):
                _poll_own_context_while(p, w, w.loops.stop_bh.pending)
        with p.call("bdrv_set_aio_context"):
            _drain(p, w)
            _switch(p, w)


def _remove_host_notifier(p: Process, w: World) -> None:
    """Nobody polls it any more; who removes it also runs the queue handler for a kick that is still there (03de2f5274).

    From 1010cadf62 on a bottom half of the IOThread does both.
    """
    if w.loops.stop_bh.scheduled.exists:
        p.do("schedules virtio_blk_data_plane_stop_bh", *w.loops.stop_bh.schedule())
        return
    virtio.remove_host_notifier(p, w, runs_queue=w.k.stop_runs_queue == "main")


def _drain(p: Process, w: World) -> None:
    """bdrv_drain: poll the disk's context under its lock, or (c9d1a56174) the own one while something is pending.

    It drains the node that is the disk's root when it begins: the target, if (c) ran while the IOThread removed the host notifier. If (c)
    runs in this drain nothing is pending on the target, since nobody can kick any more.
    """
    with p.call("bdrv_drain"):
        if w.k.drain_polls_ctx == "own":
            _poll_own_context_while(p, w, w.graph.source.waits | w.disk.pending_on_target)
        else:
            with p.atomic():
                drain.poll_until_quiet(p, w, w.graph.source.waits)
                p.do("nothing is pending")


def _poll_own_context_while(p: Process, w: World, condition: BoolExpr) -> None:
    """BDRV_POLL_WHILE or AIO_WAIT_WHILE: let go of the disk's lock, poll qemu_aio_context, take the lock again.

    The deferred exit callback is a bottom half of that context: it runs right here.
    """
    with p.loop():
        with p.atomic():
            with p.when(~condition):
                p.break_()
            w.loops.lock.release(p)
        with p.call("aio_poll"), p.atomic():
            p.do("qemu_poll_ns", when=w.job.exit_bh.pending | ~condition)
            with p.call("aio_bh_poll"):
                mirror_exit.bottom_half(p, w)
        w.loops.lock.acquire(p, "main")


def _switch(p: Process, w: World) -> None:
    """Detach, attach. 463e0be101 waits for the job first, and a deferred job is neither paused nor, before (c), completed.

    A kick that nobody has run the queue for is eaten when the ioeventfd itself is taken away, with its descriptor left in the ring.
    """
    updates = [w.loops.moved.set(), w.loops.bql.taken.clear(), w.loops.lock.released(), *_carried(w)]
    if w.k.stop_runs_queue == "none":
        updates.append(w.disk.eventfd.clear())
    waits = w.k.job_at_switch == "waits"
    p.here("block_job_detach_aio_context")
    p.do("the disk is in the main loop's context", *updates, when=w.job.completed if waits else TRUE)


def _carried(w: World) -> list[Update]:
    """From e64f25f30b on a node takes the disable count of its open section along."""
    ctx, main = w.loops.ctx, w.loops.main_ctx
    if not (main.disable_count.exists and w.k.switch_carries_count):
        return []
    return [
        main.disable_count.set(main.disable_count + ctx.disable_count),
        ctx.disable_count.set(0),
        ctx.notified.set(ctx.notified | (ctx.disable_count > 0)),
    ]

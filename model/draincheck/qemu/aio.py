"""AioContext: bottom halves, fd handlers, the disable counter, nested aio_poll."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from draincheck.lang import TRUE, BoolExpr, Process, any_, ite
from draincheck.qemu import requests
from draincheck.qemu.world import AioContext, World

__all__ = ["aio_dispatch", "aio_poll_nested", "allowed", "run_fd_handlers", "runnable", "thread_pool_completion_bh"]


def allowed(w: World, ctx: AioContext) -> BoolExpr:
    """Whether the fd walk may run the handlers of a context: from 37989ced44 on it looks at the disable counter."""
    enabled = ctx.enabled
    return enabled if enabled is TRUE or w.k.walk_checks_external else TRUE


def runnable(w: World, ctx: AioContext) -> list[BoolExpr]:
    """For each handler of a context: whether a nested aio_poll of now would run it.

    Its poll set leaves out disabled handlers, so their readiness is what an outer poll has stored.
    """
    return [ite(ctx.enabled, disk.eventfd, disk.revents) & allowed(w, ctx) for disk in ctx.disks]


def aio_poll_nested(p: Process, w: World, ctx: AioContext) -> None:
    """One round of aio_poll inside a drain: sample the poll set, run bottom halves, walk the fd handlers and clear all readiness.

    With one job it is one atomic step: no callback in it gives up control, and what arrives meanwhile is seen by the next round.
    Another job's callbacks may give up control, or poll themselves.
    """
    others = [world for world in w.worlds if world not in w.polling]
    with p.call("aio_poll"), p.atomic():
        samples = [disk.revents.set(ite(ctx.enabled, disk.eventfd, disk.revents)) for disk in ctx.disks]
        p.do("qemu_poll_ns", *samples)
        with p.call("aio_bh_poll"):
            for other in others:
                with p.when(other.fresh_bh):
                    w.callbacks.bottom_half(p, other)
            if others:
                thread_pool_completion_bh(p, w, others)
            else:
                with p.call("thread_pool_completion_bh"):
                    requests.complete_all(p, w)
        if ctx.disks:
            run_fd_handlers(p, w, ctx)
        for other in others:
            _run_sleep_timer(p, other)


def run_fd_handlers(p: Process, w: World, ctx: AioContext) -> None:
    """The fd walk of aio_dispatch, last registered first: consume every handler's readiness, run those that are ready and allowed."""
    for disk in reversed(ctx.disks):
        with p.when(disk.revents & allowed(w, ctx)):
            w.callbacks.host_notifier_read(p, w, disk)
    p.do("revents consumed", *(disk.revents.clear() for disk in ctx.disks))


def thread_pool_completion_bh(p: Process, w: World, jobs: Sequence[World]) -> None:
    """The thread pool's bottom half: the oldest of its context, so it runs after fresher ones.

    Which finished element comes first is open. A job's coroutine is entered from here; it may poll again before it yields. `jobs` are
    those that can have I/O in flight now.
    """
    with p.call("thread_pool_completion_bh"), p.loop(), p.either() as choice:
        with choice(when=~any_(w.guest_io_done, *(job.job_io.is_("io_done") for job in jobs))):
            p.break_()
        with choice(when=w.guest_io_done), p.atomic():
            requests.complete_all(p, w)
        for job in jobs:
            with choice(when=job.job_io.is_("io_done")), p.atomic():
                p.do(f"{job.mirror.name.replace('_run', '')}'s I/O completes", job.job_io.set("none"))
                p.enter(job.mirror)


def aio_dispatch(p: Process, w: World, fresh_bottom_half: Callable[[], None]) -> None:
    """aio_dispatch of the disks' context: bottom halves newest first, then the fd walk, then timers (here: the job's sleep)."""
    with p.call("aio_bh_poll"):
        fresh_bottom_half()
        thread_pool_completion_bh(p, w, w.worlds)
    if w.ctx.disks:
        with p.atomic():
            run_fd_handlers(p, w, w.ctx)
    for job in w.worlds:
        with p.atomic():
            _run_sleep_timer(p, job)


def _run_sleep_timer(p: Process, job: World) -> None:
    """The context's timers: here, a job's sleep."""
    with p.call("timerlistgroup_run_timers"), p.when(job.sleep_over):
        p.do("the job's sleep is over", job.sleep_over.clear())
        p.enter(job.mirror)

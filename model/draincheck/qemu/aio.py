"""AioContext: bottom halves, fd handlers, the disable counter, nested aio_poll."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from draincheck.eventloop import AioContext, NestedPoll
from draincheck.lang import FALSE, TRUE, BoolExpr, Process, any_, ite
from draincheck.qemu import requests, virtio
from draincheck.qemu.disk import Disk
from draincheck.qemu.world import World

__all__ = [
    "aio_dispatch", "aio_poll_nested", "run_fd_handlers", "run_poll_handlers_once", "runnable", "thread_pool_completion_bh",
]  # fmt: skip


def run_poll_handlers_once(p: Process, w: World, ctx: AioContext[Disk]) -> None:
    """Run the queue handlers of virtqueues with entries, last registered first; the kick will be a spurious wakeup."""
    with p.call("run_poll_handlers_once"):
        for disk in reversed(ctx.handlers):
            with p.call("virtio_queue_host_notifier_aio_poll"), p.when(ctx.finds_work(disk)):
                w.probes.handler_runs(p, w.of(disk), disk)
                virtio.handle_output(p, w, disk)


# -- nested polls ---------------------------------------------------------------------------------------------------------------------


def runnable(w: World, ctx: AioContext[Disk]) -> list[BoolExpr]:
    """For each handler of a context: whether a nested aio_poll of now would run it.

    A handler outside its poll set has the readiness that an outer poll has stored, as far as a walk comes for that.
    """
    if not ctx.handlers:
        return []
    if w.k.poll_walks == "if_ready":
        found = _found_in_drain(w, ctx)
        return [disk.eventfd & found & ctx.allowed for disk in ctx.handlers] + [_busy_in_drain(w, ctx)]
    stored = [ite(ctx.polled, disk.eventfd, disk.revents) & ctx.allowed for disk in ctx.handlers]
    return [*stored, _busy_in_drain(w, ctx)]


def _disabled_in_drain(w: World, ctx: AioContext[Disk]) -> bool:
    """Whenever a drain polls a section is open, so the handlers of its context are disabled, if there is anything that disables them."""
    return ctx.enabled is not TRUE and w.k.drain_is_section and w.k.begin != "none"


def _found_in_drain(w: World, ctx: AioContext[Disk]) -> BoolExpr:
    """A nested poll of now finds a handler's descriptor ready."""
    if _disabled_in_drain(w, ctx) and w.k.poll_set_checks_external:
        return FALSE
    return ctx.polled & ctx.readable


def _busy_in_drain(w: World, ctx: AioContext[Disk]) -> BoolExpr:
    """A nested poll of now finds a virtqueue with entries."""
    if not ctx.handlers or _polls_only_for_the_one_request(w):
        return FALSE
    return FALSE if w.k.busy_poll != "ignores" and _disabled_in_drain(w, ctx) else ctx.busy_polled


def _polls_only_for_the_one_request(w: World) -> bool:
    """A drain polls only while a request is in flight, and there is no other that could be in the ring."""
    return w.k.drain_polls == "in_flight" and len(w.requests) <= 1


def aio_poll_nested(p: Process, w: World, ctx: AioContext[Disk]) -> None:
    """One round of aio_poll inside a drain: poll, run bottom halves, walk the fd handlers.

    With one job it is one atomic step: no callback in it gives up control, and what arrives meanwhile is seen by the next round.
    Another job's callbacks may give up control, or poll themselves.
    """
    poll = NestedPoll(
        ctx,
        _busy_in_drain(w, ctx),
        _found_in_drain(w, ctx),
        run_queues=lambda p: run_poll_handlers_once(p, w, ctx),
        bottom_halves=lambda p: _bottom_halves_in_drain(p, w),
        handler=lambda disk: virtio.host_notifier_read(p, w, disk),
        stored=ctx.sampled,
        nothing="qemu_poll_ns finds nothing",
    )
    with p.call("aio_poll"), p.atomic():
        poll.run(p)
        for other in w.others:
            _run_sleep_timer(p, other)


def _bottom_halves_in_drain(p: Process, w: World) -> None:
    """The other jobs' fresh bottom halves, and the thread pool's."""
    with p.call("aio_bh_poll"):
        virtio.stop_bottom_half(p, w)
        for other in w.others:
            with p.when(other.fresh_bh):
                w.bottom_half(p, other)
        if w.others:
            thread_pool_completion_bh(p, w, w.others)
        else:
            with p.call("thread_pool_completion_bh"):
                requests.complete_all(p, w)


def run_fd_handlers(p: Process, w: World, ctx: AioContext[Disk]) -> None:
    """The fd walk of aio_dispatch."""
    ctx.run_fd_handlers(p, lambda disk: virtio.host_notifier_read(p, w, disk))


def thread_pool_completion_bh(p: Process, w: World, jobs: Sequence[World]) -> None:
    """The thread pool's bottom half: the oldest of its context, so it runs after fresher ones.

    Which finished element comes first is open. A job's coroutine is entered from here; it may poll again before it yields. `jobs` are
    those that can have I/O in flight now.
    """
    with p.call("thread_pool_completion_bh"), p.loop(), p.either() as choice:
        with choice(when=~any_(w.guest_io_done, *(world.job.io.is_("io_done") for world in jobs))):
            p.break_()
        with choice(when=w.guest_io_done), p.atomic():
            requests.complete_all(p, w)
        for world in jobs:
            with choice(when=world.job.io.is_("io_done")), p.atomic():
                io = f"{world.job.called}'s I/O"
                p.do(f"{io} completes", world.job.io.set("none"), choice=io)
                world.job.coroutine.enter(p)


def aio_dispatch(p: Process, w: World, fresh_bottom_half: Callable[[], None]) -> None:
    """aio_dispatch of the disks' context: bottom halves newest first, then the fd walk, then timers (here: the job's sleep)."""
    with p.call("aio_bh_poll"):
        fresh_bottom_half()
        thread_pool_completion_bh(p, w, w.worlds)
    if w.loops.ctx.handlers:
        with p.atomic():
            run_fd_handlers(p, w, w.loops.ctx)
    for world in w.worlds:
        with p.atomic():
            _run_sleep_timer(p, world)


def _run_sleep_timer(p: Process, world: World) -> None:
    """The context's timers: here, the job's sleep."""
    with p.call("timerlistgroup_run_timers"):
        world.job.sleep.run_timer(p)

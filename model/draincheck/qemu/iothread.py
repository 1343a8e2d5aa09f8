"""The IOThread of a disk with dataplane: aio_poll for ever, under its AioContext's lock."""

from __future__ import annotations

from draincheck.lang import FALSE, BoolExpr, BoolVar, Process, any_
from draincheck.qemu import aio, drain, virtio
from draincheck.qemu.world import World

__all__ = ["iothread"]


def iothread(w: World) -> None:
    """Acquire the context, poll, dispatch, release.

    Until 65c1b5b622 the lock is held even in the poll, and a waiting main thread interrupts it; from then on the poll itself runs
    without the lock.
    """
    polls_notifier = w.m.bool("poll set has the notifier")
    with w.m.thread("iothread") as p, p.call("iothread_run"), p.loop(), p.call("aio_poll", numbered=True):
        p.here("aio_context_acquire")
        _begin_poll(p, w, polls_notifier)
        if not w.k.ctx_held_in_poll:
            _acquire_for_dispatch(p, w)
        aio.aio_dispatch(p, w, lambda: _fresh_bottom_half(p, w))
        w.loops.lock.release(p)


def _acquire_for_dispatch(p: Process, w: World) -> None:
    """Dispatch holds the lock here. QEMU's bottom halves take it themselves from 1919631e6b on: the stop's only if there is a kick."""
    if not w.loops.stop_bh.scheduled.exists:
        w.loops.lock.acquire(p, "iothread")
        return
    without_kick = w.loops.stop_bh.pending & ~w.disk.eventfd
    with p.loop(), p.either() as choice:
        with choice(when=without_kick), p.atomic():
            virtio.stop_bottom_half(p, w)
        with choice(when=~without_kick):
            w.loops.lock.acquire(p, "iothread")
            p.break_()


def _begin_poll(p: Process, w: World, polls_notifier: BoolVar) -> None:
    """Acquire, and either run what busy polling finds or make the poll set and sleep in it."""
    free = w.loops.lock.free
    with p.either() as choice:
        busy = w.loops.ctx.busy_polled
        if busy is not FALSE:
            with choice(when=free & busy):
                _busy_poll(p, w)
        with choice(when=free & ~busy):
            _sleep_in_poll(p, w, polls_notifier)


def _busy_poll(p: Process, w: World) -> None:
    """A virtqueue has entries: its handler runs without any notification.

    (Some weeks after 59c9f437c5 the lock is let go of between handlers; before, it is held up to the dispatch.)
    """
    with p.atomic():
        p.do("aio_context_acquire", w.loops.lock.taken("iothread"))
        aio.run_poll_handlers_once(p, w, w.loops.ctx)
        if not w.k.ctx_held_in_poll:
            w.loops.lock.release(p)


def _sleep_in_poll(p: Process, w: World, polls_notifier: BoolVar) -> None:
    """The poll set is made once, before sleeping: a notifier that is disabled then is not in it, whatever happens meanwhile."""
    held = "iothread" if w.k.ctx_held_in_poll else "free"
    p.do("makes the poll set", w.loops.lock.taken(held), polls_notifier.set(w.loops.ctx.polled))
    ctx = w.loops.ctx
    found = [h.revents.set((h.eventfd & polls_notifier) | (h.revents & ~polls_notifier)) for h in ctx.handlers]
    p.here("qemu_poll_ns")
    p.do("qemu_poll_ns", *found, polls_notifier.clear(), ctx.notified.clear(), when=_wakes(w, polls_notifier))


def _wakes(w: World, polls_notifier: BoolVar) -> BoolExpr:
    """A bottom half, a timer, the notifier if it is polled, aio_notify, or (lock held) the main thread's contention callback."""
    ctx = w.loops.ctx
    kicks = (h.eventfd & polls_notifier for h in ctx.handlers)
    wake = any_(w.bh_scheduled, w.job.sleep.timer.due, *kicks, ctx.notified)
    if w.k.ctx_held_in_poll:
        wake |= w.m.at("main thread", "aio_context_acquire")
        if w.s.device_reset:
            wake |= w.m.at("guest", "aio_context_acquire")
    return wake


def _fresh_bottom_half(p: Process, w: World) -> None:
    with p.atomic():
        p.do("bottom halves, newest first")
        virtio.stop_bottom_half(p, w)
        if w.k.drain != "nested":
            with p.when(w.job.drain_bh.pending):
                drain.drain_bottom_half(p, w)

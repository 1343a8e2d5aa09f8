"""Drained sections and bdrv_drain."""

from __future__ import annotations

from draincheck.lang import FALSE, TRUE, BoolExpr, Process, any_
from draincheck.qemu import aio, requests
from draincheck.qemu.world import World

__all__ = [
    "bdrv_drain",
    "bdrv_drained_begin",
    "bdrv_drained_end",
    "count_section",
    "drain_bottom_half",
    "poll_until_quiet",
]


def count_section(p: Process, w: World) -> None:
    """What bdrv_drained_begin does before it polls: count, and disable external events on the first one."""
    assert w.quiesce is not None and w.ctx.disable_count is not None
    first = w.quiesce.is_(0)
    if w.moved is not None and w.main_count is not None:
        counted = [w.ctx.disable_count.inc(when=first & ~w.moved), w.main_count.inc(when=first & w.moved)]
    else:
        counted = [w.ctx.disable_count.inc(when=first)]
    p.do("aio_disable_external", w.quiesce.inc(), *counted)


def bdrv_drained_begin(p: Process, w: World) -> None:
    """Open a drained section from the job's coroutine."""
    with p.call("bdrv_drained_begin"):
        if w.k.drain != "yield_first":
            count_section(p, w)
        _drain_in_coroutine(p, w)


def bdrv_drained_end(p: Process, w: World) -> None:
    """Close a drained section; the last one enables external events and lets queued requests go on, to the root of now."""
    assert w.quiesce is not None
    with p.call("bdrv_drained_end"):
        p.do("quiesce_counter--", w.quiesce.dec())
        with p.when(w.quiesce.is_(0)):
            if w.moved is None:
                _aio_enable_external(p, w)
            else:
                with p.when(w.moved):
                    _aio_enable_external_elsewhere(p, w)
                with p.otherwise():
                    _aio_enable_external(p, w)
        if w.k.park_requests:
            requests.resume_parked(p, w)


def _aio_enable_external(p: Process, w: World) -> None:
    assert w.ctx.disable_count is not None
    updates = [w.ctx.disable_count.dec()]
    if w.ctx.notify is not None:
        updates.append(w.ctx.notify.set(w.ctx.notify | w.ctx.disable_count.is_(1)))
    p.do("aio_enable_external", *updates)
    w.probes.external_enabled(p, w, w.ctx.disable_count, w.ctx.notify if w.ctx.notify is not None else FALSE)


def _aio_enable_external_elsewhere(p: Process, w: World) -> None:
    """The node has changed its context since it was disabled: the counter of the new one may have nothing to give back."""
    assert w.main_count is not None
    w.probes.enabled_elsewhere(p, w, w.main_count)
    with p.when(w.main_count.is_(0)):
        p.abort("assert(ctx->external_disable_cnt > 0) fails")
    updates = [w.main_count.dec()]
    if w.main_notify is not None:
        updates.append(w.main_notify.set(w.main_notify | w.main_count.is_(1)))
    p.do("aio_enable_external (qemu_aio_context)", *updates)
    w.probes.external_enabled(p, w, w.main_count, TRUE if w.k.enable_notifies else FALSE)


def bdrv_drain(p: Process, w: World) -> None:
    """Wait, in the job's coroutine, until the source has no pending request."""
    if w.k.drain_is_section:
        with p.call("bdrv_drain"):
            bdrv_drained_begin(p, w)
            bdrv_drained_end(p, w)
    else:
        with p.call("bdrv_drain_all" if w.k.exit == "inline" else "bdrv_drain"):
            _drain_in_coroutine(p, w)


def _drain_in_coroutine(p: Process, w: World) -> None:
    """Poll inside the coroutine, or schedule a bottom half that polls and yield until it has."""
    if w.k.drain == "nested":
        poll_until_quiet(p, w, w.drain_waits)
    else:
        p.do("schedule bdrv_co_drain_bh_cb", *w.schedule(w.drain_bh))
        w.probes.job_yields(p, w)
        assert p is w.mirror
        w.mirror.yield_("drain", "qemu_coroutine_yield")


def poll_until_quiet(p: Process, w: World, pending: BoolExpr) -> None:
    """The polling of a drain: nested aio_poll of the disks' context until nothing is pending.

    Where the code base says so it goes on until a poll that does not wait makes no progress. Until 721671ade7 such a last poll still
    clears stale readiness: the wash.
    """
    w.polling.append(w)
    others = [world for world in w.worlds if world not in w.polling]
    callbacks = (other.fresh_bh | other.job_io.is_("io_done") | other.sleep_over for other in others)
    event = any_(w.guest_io_done, w.stop_scheduled, *aio.runnable(w, w.ctx), *callbacks)
    with p.loop(), p.either() as choice:
        with choice(when=~pending & ~event if w.k.drain_polls == "progress" else ~pending):
            if w.k.drain_polls == "progress" and w.ctx.disks and w.k.poll_walks == "always":
                p.do("aio_poll makes no progress", *(disk.revents.clear() for disk in w.ctx.disks))
            p.break_()
        with choice(when=event if w.k.drain_polls == "progress" else pending & event):
            aio.aio_poll_nested(p, w, w.ctx)
    w.polling.pop()


def drain_bottom_half(p: Process, w: World) -> None:
    """The bottom half through which a coroutine's drain polls: it drains, then enters the coroutine again."""
    with p.call("bdrv_co_drain_bh_cb"):
        p.do("the drain's bottom half runs", *w.take(w.drain_bh))
        if w.k.drain == "yield_first":
            count_section(p, w)
        poll_until_quiet(p, w, w.drain_waits)
        p.enter(w.mirror, "qemu_coroutine_enter")

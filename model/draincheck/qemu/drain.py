"""Drained sections and bdrv_drain."""

from __future__ import annotations

from functools import partial

from draincheck import eventloop
from draincheck.eventloop import Node
from draincheck.lang import FALSE, TRUE, BoolExpr, Process, any_
from draincheck.qemu import aio, requests
from draincheck.qemu.disk import Disk
from draincheck.qemu.world import World

__all__ = ["bdrv_drain", "bdrv_drained_begin", "bdrv_drained_end", "drain_bottom_half", "poll_until_quiet"]


def bdrv_drained_begin(p: Process, w: World) -> None:
    """Open a drained section from the job's coroutine."""
    with p.call("bdrv_drained_begin"):
        if w.k.drain != "yield_first":
            w.graph.source.begin(p)
        _drain_in_coroutine(p, w)


def bdrv_drained_end(p: Process, w: World, node: Node[Disk], resumes: bool = True) -> None:
    """Close a drained section; the last one enables external events and lets queued requests go on, to the root of now."""
    with p.call("bdrv_drained_end"):
        node.end(p, partial(_enable_external, p, w))
        if resumes and w.k.park_requests:
            requests.resume_parked(p, w)


def _enable_external(p: Process, w: World, where: BoolExpr) -> None:
    """aio_enable_external of the context that the job's nodes are in now, where a condition holds.

    What aborts is tested first, outside of any other test: there it has one way out, and in a test one for each answer to that.
    """
    moved = w.loops.moved
    if moved.exists:
        _assert_disabled_elsewhere(p, w, where & moved)
        with p.when(where):
            with p.when(moved):
                _aio_enable_external_elsewhere(p, w)
            with p.otherwise():
                _aio_enable_external(p, w)
    else:
        with p.when(where):
            _aio_enable_external(p, w)


def _aio_enable_external(p: Process, w: World) -> None:
    ctx = w.loops.ctx
    p.do("aio_enable_external", *ctx.enable())
    w.probes.external_enabled(p, w, ctx.disable_count, ctx.notified)


def _assert_disabled_elsewhere(p: Process, w: World, where: BoolExpr) -> None:
    """The node has changed its context since it was disabled: the counter of the new one may have nothing to give back."""
    counter = w.loops.main_ctx.disable_count
    with p.when(where):
        w.probes.enabled_elsewhere(p, w, counter)
    with p.when(where & counter.is_(0)):
        p.abort("assert(ctx->external_disable_cnt > 0) fails")


def _aio_enable_external_elsewhere(p: Process, w: World) -> None:
    ctx = w.loops.main_ctx
    p.do("aio_enable_external (qemu_aio_context)", *ctx.enable())
    w.probes.external_enabled(p, w, ctx.disable_count, TRUE if w.k.enable_notifies else FALSE)


def bdrv_drain(p: Process, w: World) -> None:
    """Wait, in the job's coroutine, until the source has no pending request."""
    if w.k.drain_is_section:
        with p.call("bdrv_drain"):
            bdrv_drained_begin(p, w)
            bdrv_drained_end(p, w, w.graph.source)
    else:
        with p.call("bdrv_drain_all" if w.k.exit == "inline" else "bdrv_drain"):
            _drain_in_coroutine(p, w)


def _drain_in_coroutine(p: Process, w: World) -> None:
    """Poll inside the coroutine, or schedule a bottom half that polls and yield until it has."""
    if w.k.drain == "nested":
        poll_until_quiet(p, w, w.graph.source.waits)
    else:
        w.probes.job_yields(p, w)
        w.job.coroutine.yield_to("bdrv_co_drain_bh_cb", "drain", w.newest.set(w.job.index))


def poll_until_quiet(p: Process, w: World, pending: BoolExpr) -> None:
    """The polling of a drain: nested aio_poll of the disks' context until nothing is pending.

    Where the code base says so it goes on until a poll that does not wait makes no progress. Until 721671ade7 such a last poll still
    clears stale readiness: the wash.
    """
    w.polling.append(w)
    callbacks = (other.fresh_bh | other.job.io.is_("io_done") | other.job.sleep.timer.due for other in w.others)
    event = any_(w.guest_io_done, w.loops.stop_bh.pending, *aio.runnable(w, w.loops.ctx), *callbacks)
    to_progress, ctx = w.k.drain_polls == "progress", w.loops.ctx
    washed = ctx.consumed() if to_progress and ctx.handlers and w.k.poll_walks == "always" else []
    eventloop.poll_until_quiet(p, pending, event, to_progress, washed, lambda: aio.aio_poll_nested(p, w, ctx))
    w.polling.pop()


def drain_bottom_half(p: Process, w: World) -> None:
    """The bottom half through which a coroutine's drain polls: it drains, then enters the coroutine again."""
    with p.call("bdrv_co_drain_bh_cb"):
        p.do("the drain's bottom half runs", *w.job.drain_bh.taken())
        if w.k.drain == "yield_first":
            w.graph.source.begin(p)
        poll_until_quiet(p, w, w.graph.source.waits)
        w.job.coroutine.enter(p)

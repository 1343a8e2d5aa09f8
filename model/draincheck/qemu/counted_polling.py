"""One round of aio_poll inside a drain, in the model with counted requests; see `draincheck.qemu.aio`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from draincheck.lang import FALSE, BoolExpr, Process, ite

if TYPE_CHECKING:
    from draincheck.qemu.counted import Qemu

__all__ = ["aio_poll", "runnable"]


def runnable(q: Qemu) -> BoolExpr:
    """A nested aio_poll of now would run the host notifier's handler, or the queue's."""
    if q.home != "main":
        return FALSE
    stored = q.notifier.revents if q.k.poll_walks == "always" else FALSE
    return (ite(q.ctx.polled, q.notifier.eventfd, stored) & q.ctx.allowed) | q.ctx.busy_polled


def aio_poll(p: Process, q: Qemu) -> None:
    """Poll, bottom halves, the fd walk."""
    if q.home != "main":
        q.complete_all(p)
    elif q.k.poll_walks == "always":
        p.do("qemu_poll_ns", *q.ctx.sampled(q.ctx.polled & ~q.ctx.busy_polled))
        _run_poll_handlers_once(p, q)
        q.complete_all(p)
        q.run_fd_handlers(p, q.ctx)
    else:
        _walk_if_ready(p, q)


def _walk_if_ready(p: Process, q: Qemu) -> None:
    """From 721671ade7 on: readiness is stored and consumed only if this poll has found the notifier."""
    with p.when(q.ctx.polled & q.notifier.eventfd & ~q.ctx.busy_polled):
        p.do("qemu_poll_ns", q.notifier.revents.set())
        q.complete_all(p)
        q.run_fd_handlers(p, q.ctx)
    with p.otherwise():
        _run_poll_handlers_once(p, q)
        q.complete_all(p)


def _run_poll_handlers_once(p: Process, q: Qemu) -> None:
    if q.k.busy_poll != "none":
        with p.when(q.ctx.busy_polled):
            q.handle_output(p)

"""One round of aio_poll inside a drain, in the model with counted requests; see `draincheck.qemu.aio`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from draincheck.lang import FALSE, TRUE, BoolExpr, Process, ite

if TYPE_CHECKING:
    from draincheck.qemu.counted import Qemu

__all__ = ["aio_poll", "runnable"]


def runnable(q: Qemu) -> BoolExpr:
    """A nested aio_poll of now would run the host notifier's handler, or the queue's."""
    if q.home != "main":
        return FALSE
    stored = q.revents if q.k.poll_walks == "always" else FALSE
    return (ite(_polled(q), q.eventfd, stored) & q.allowed(q.disable_count)) | _busy(q)


def aio_poll(p: Process, q: Qemu) -> None:
    """Poll, bottom halves, the fd walk."""
    if q.home != "main":
        q.complete_all(p)
    elif q.k.poll_walks == "always":
        p.do("qemu_poll_ns", q.revents.set(ite(_polled(q) & ~_busy(q), q.eventfd, q.revents)))
        _run_poll_handlers_once(p, q)
        q.complete_all(p)
        q.run_fd_handlers(p, q.allowed(q.disable_count))
    else:
        _walk_if_ready(p, q)


def _walk_if_ready(p: Process, q: Qemu) -> None:
    """From 721671ade7 on: readiness is stored and consumed only if this poll has found the notifier."""
    with p.when(_polled(q) & q.eventfd & ~_busy(q)):
        p.do("qemu_poll_ns", q.revents.set())
        q.complete_all(p)
        q.run_fd_handlers(p, q.allowed(q.disable_count))
    with p.otherwise():
        _run_poll_handlers_once(p, q)
        q.complete_all(p)


def _run_poll_handlers_once(p: Process, q: Qemu) -> None:
    if q.k.busy_poll != "none":
        with p.when(_busy(q)):
            q.handle_output(p)


def _polled(q: Qemu) -> BoolExpr:
    """The poll set has the host notifier."""
    return q.enabled(q.disable_count) if q.k.poll_set_checks_external else TRUE


def _busy(q: Qemu) -> BoolExpr:
    """Busy polling finds the ring filled."""
    if q.k.busy_poll == "none":
        return FALSE
    return (q.ring > 0) & (q.enabled(q.disable_count) if q.k.busy_poll == "honours" else TRUE)

"""One round of aio_poll inside a drain, in the model with counted requests; see `draincheck.qemu.aio`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from draincheck.eventloop import NestedPoll
from draincheck.lang import FALSE, BoolExpr, Process, Update, ite
from draincheck.qemu.counted_state import HostNotifier

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
    """Poll, bottom halves, the fd walk (in one step)."""
    with p.atomic():
        if q.home == "main":
            _NestedPoll(q).run(p)
        else:
            q.complete_all(p)


class _NestedPoll(NestedPoll[HostNotifier]):
    """Of the main loop's context, with the host notifier."""

    def __init__(self, q: Qemu) -> None:
        self.q, self.ctx, self.busy = q, q.ctx, q.ctx.busy_polled
        self.found = q.ctx.polled & q.notifier.eventfd

    def run_queues(self, p: Process) -> None:
        """See NestedPoll, here and below."""
        with p.when(self.busy):
            self.q.handle_output(p)

    def bottom_halves(self, p: Process) -> None:
        """The thread pool's."""
        self.q.complete_all(p)

    def walk(self, p: Process) -> None:
        """The fd walk."""
        self.q.run_fd_handlers(p, self.ctx)

    def stored(self) -> list[Update]:
        """There is one descriptor, which is ready."""
        return [self.q.notifier.revents.set()]

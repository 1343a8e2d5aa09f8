"""aio_poll inside a drain: one round of it, and the loop around it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from msgspec import Struct

from draincheck.eventloop.context import AioContext, FdHandler
from draincheck.lang import FALSE, BoolExpr, Process, Update

__all__ = ["NestedPoll", "poll_until_quiet"]

H = TypeVar("H", bound=FdHandler)


class NestedPoll(Struct, Generic[H], frozen=True):
    """One round of aio_poll: poll, run bottom halves, walk the handlers (in one step).

    Attributes:
        ctx: the context that is polled.
        busy: busy polling of now finds work.
        found: the poll of now finds a descriptor ready.
        run_queues: what busy polling does that has found work.
        bottom_halves: aio_bh_poll.
        handler: what a handler does that the walk of aio_dispatch runs.
        stored: what a poll stores that has found a descriptor ready.
        nothing: the label of a poll that stores nothing; "" for no step of its own.
    """

    ctx: AioContext[H]
    busy: BoolExpr
    found: BoolExpr
    run_queues: Callable[[Process], None]
    bottom_halves: Callable[[Process], None]
    handler: Callable[[H], None]
    stored: Callable[[], Sequence[Update]]
    nothing: str = ""

    def run(self, p: Process) -> None:
        """Until 721671ade7 all readiness is consumed, stale or not (the wash).

        From then on it is stored and consumed only if this poll has found a descriptor, and busy polling polls none. QEMU also walks if
        aio_notify woke the poll, which then washes. That leaves things as if the kick had come after the outer poll.
        """
        if not (self.ctx.handlers and self.ctx.rules.poll_walks == "if_ready"):
            p.do("qemu_poll_ns", *self.ctx.sampled(self.ctx.polled & ~self.busy))
            self._serve(p)
            if self.ctx.handlers:
                self.ctx.run_fd_handlers(p, self.handler)
        elif self.found is FALSE:
            self._serve(p, self.nothing)
        else:
            with p.when(self.found & ~self.busy):
                p.do("qemu_poll_ns", *self.stored())
                self.bottom_halves(p)
                self.ctx.run_fd_handlers(p, self.handler)
            with p.otherwise():
                self._serve(p, self.nothing)

    def _serve(self, p: Process, nothing_found: str = "") -> None:
        if self.busy is not FALSE:
            self.run_queues(p)
        if nothing_found:
            p.do(nothing_found)
        self.bottom_halves(p)


def poll_until_quiet(  # noqa: PLR0917
    p: Process,
    pending: BoolExpr,
    event: BoolExpr,
    to_progress: bool,
    washed: Sequence[Update],
    poll: Callable[[], None],
    place: str = "",
) -> None:
    """Poll until nothing is pending; with `to_progress` until, besides, a poll that does not wait makes no progress.

    Args:
        p: who drains.
        pending: what the drain waits for.
        event: a poll of now has something to do.
        to_progress: see above.
        washed: what such a last poll still does.
        poll: one round.
        place: the name of where a round begins, for `at`; "" for none.
    """
    with p.loop():
        if place:
            p.here(place)
        with p.either() as choice:
            with choice(when=~pending & ~event if to_progress else ~pending):
                if washed:
                    p.do("aio_poll makes no progress", *washed)
                p.break_()
            with choice(when=event if to_progress else pending & event):
                poll()

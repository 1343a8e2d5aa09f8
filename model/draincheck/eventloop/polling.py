"""aio_poll inside a drain: one round of it, and the loop around it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from draincheck.eventloop.context import AioContext, FdHandler
from draincheck.lang import FALSE, BoolExpr, Process, Update

__all__ = ["NestedPoll", "poll_until_quiet"]

H = TypeVar("H", bound=FdHandler)


class NestedPoll(ABC, Generic[H]):
    """One round of aio_poll: poll, run bottom halves, walk the handlers (in one step). A subclass says what each of them does.

    Attributes:
        ctx: the context that is polled.
        busy: busy polling of now finds work.
        found: the poll of now finds a descriptor ready.
    """

    ctx: AioContext[H]
    busy: BoolExpr
    found: BoolExpr

    @abstractmethod
    def run_queues(self, p: Process) -> None:
        """Busy polling has found work: run it."""

    @abstractmethod
    def bottom_halves(self, p: Process) -> None:
        """aio_bh_poll."""

    @abstractmethod
    def walk(self, p: Process) -> None:
        """The walk of aio_dispatch."""

    def stored(self) -> Sequence[Update]:
        """What a poll stores that has found a descriptor ready."""
        return self.ctx.sampled()

    def found_nothing(self, p: Process) -> None:
        """A poll that stores nothing: a step's words for it."""

    def run(self, p: Process) -> None:
        """Until 721671ade7 all readiness is consumed, stale or not (the wash).

        From then on it is stored and consumed only if this poll has found a descriptor, and busy polling polls none. QEMU also walks if
        aio_notify woke the poll, which then washes. That leaves things as if the kick had come after the outer poll.
        """
        if not (self.ctx.handlers and self.ctx.rules.poll_walks == "if_ready"):
            p.do("qemu_poll_ns", *self.ctx.sampled(self.ctx.polled & ~self.busy))
            self._serve(p)
            if self.ctx.handlers:
                self.walk(p)
        elif self.found is FALSE:
            self._serve(p, nothing_found=True)
        else:
            with p.when(self.found & ~self.busy):
                p.do("qemu_poll_ns", *self.stored())
                self.bottom_halves(p)
                self.walk(p)
            with p.otherwise():
                self._serve(p, nothing_found=True)

    def _serve(self, p: Process, nothing_found: bool = False) -> None:
        if self.busy is not FALSE:
            self.run_queues(p)
        if nothing_found:
            self.found_nothing(p)
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

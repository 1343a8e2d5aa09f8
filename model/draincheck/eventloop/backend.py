"""BlockBackends: whose requests wait in a queue while they are quiesced."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from msgspec import Struct

from draincheck.lang import TRUE, BoolExpr, Process

__all__ = ["Backend", "QueueRules"]


class QueueRules(Protocol):
    """What a code base does about requests of a quiesced BlockBackend. It is asked late: only where there is a request."""

    @property
    def park_requests(self) -> bool:
        """They are queued (cf3129323f)."""
        ...


class Backend(Struct, frozen=True):
    """A BlockBackend, as its requests and its root see it.

    Attributes:
        rules: the code base's.
        quiesced: a drained section reaches it through its root.
        in_flight: it counts a request: what a drain of its root waits for besides the root's own.
    """

    rules: QueueRules
    quiesced: BoolExpr
    in_flight: BoolExpr

    def submit(self, p: Process, enter: Callable[[], None], queue: Callable[[], None]) -> None:
        """blk_wait_while_drained: a request goes on to the root, or is queued."""
        if not self.rules.park_requests:
            enter()
            return
        with p.when(self.quiesced):
            queue()
        with p.otherwise():
            enter()

    def resumed(self, p: Process, queued: BoolExpr = TRUE) -> AbstractContextManager[None]:
        """A section has ended (blk_root_drained_end): what a queued request does inside this block, if no other section is open."""
        return p.when(queued & ~self.quiesced)

"""What the commit message says of orders, as properties: who comes first within an iteration, and that all is quiet at (a).

They are questions rather than demands: whether a code base can do what a drawing shows.
"""

from __future__ import annotations

from typing import Final

from draincheck.lang import EnumVar, Process
from draincheck.qemu import World
from draincheck.qemu.disk import Disk
from drainspecs.mirror.properties import DrainInvariant

__all__ = ["ORDERS", "Orders"]

QUIET, HANDLER_LAST, HANDLER_FIRST = "quiet at (a)", "handler after (a)", "(a) after the handler"

ORDERS: Final = {
    QUIET: "when mirror defers its exit, the source has no pending request",
    HANDLER_LAST: "never in one iteration of the main loop: (a), then a host notifier's handler",
    HANDLER_FIRST: "never in one iteration of the main loop: a host notifier's handler, then (a)",
}


class Orders(DrainInvariant):
    """The drain invariant, and the orders; the two about handlers are about the main loop's."""

    before: EnumVar

    def begin(self, w: World) -> None:
        """Make the history variable."""
        self.before = w.m.enum("earlier in this iteration", "nothing", "(a)", "the handler", history=True)

    def iteration_begins(self, p: Process, w: World) -> None:
        """A new iteration has no past."""
        p.do("", self.before.set("nothing"))

    def job_defers(self, p: Process, w: World) -> None:
        """(a)."""
        p.check(QUIET, ~w.disk.pending)
        p.check(HANDLER_FIRST, ~self.before.is_("the handler"))
        p.do("", self.before.set("(a)"))

    def handler_runs(self, p: Process, w: World, disk: Disk) -> None:
        """A handler runs."""
        super().handler_runs(p, w, disk)
        p.check(HANDLER_LAST, ~self.before.is_("(a)"))
        p.do("", self.before.set("the handler"))

    def properties(self, w: World) -> None:
        """The orders, with their meanings."""
        super().properties(w)
        for name, meaning in ORDERS.items():
            w.m.assertion(name, meaning=meaning, source="ab27c3b5e7, commit message")

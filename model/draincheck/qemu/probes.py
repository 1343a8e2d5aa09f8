"""The points of the model at which a specification may look. A specification overrides what it needs and hangs checks there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from draincheck.lang import BoolExpr, IntExpr, Process
    from draincheck.qemu.disk import Disk, Request
    from draincheck.qemu.world import World

__all__ = ["Probes"]


class Probes:
    """All of them do nothing here. They are called while the step is recorded, so conditions speak of the values at that point."""

    def begin(self, w: World) -> None:
        """The world's variables exist, nothing has been recorded yet: the place to make variables of one's own."""

    def request_submitted(self, p: Process, w: World, request: Request) -> None:
        """(b): a guest request enters the block layer (parked ones: when they leave the queue)."""

    def handler_runs(self, p: Process, w: World, disk: Disk) -> None:
        """A host notifier's handler runs."""

    def dirty_count_is_zero(self, p: Process, w: World) -> None:
        """(w): mirror has just read the dirty count for the last time, and it was 0."""

    def job_yields(self, p: Process, w: World) -> None:
        """mirror_run is about to yield."""

    def job_defers(self, p: Process, w: World) -> None:
        """(a): mirror schedules its exit callback."""

    def iteration_begins(self, p: Process, w: World) -> None:
        """main_loop_wait is entered."""

    def exit_runs(self, p: Process, w: World) -> None:
        """(c): mirror_exit begins; nothing has been drained for it yet."""

    def node_switches(self, p: Process, w: World) -> None:
        """The disk is about to be switched to the target."""

    def external_enabled(self, p: Process, w: World, counter: IntExpr, notified: BoolExpr) -> None:
        """aio_enable_external has run: the counter now, and whether the context has been told to look again."""

    def enabled_elsewhere(self, p: Process, w: World, counter: IntExpr) -> None:
        """aio_enable_external is about to run on another context than aio_disable_external did: that context's counter."""

    def properties(self, w: World) -> None:
        """Demand whatever is a property of states."""

"""The modelled QEMU as one of its jobs sees it: composed of the job, its disk and nodes, and the event loops that all jobs share."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from draincheck.eventloop import add_up
from draincheck.knobs import Knobs
from draincheck.lang import FALSE, BoolExpr, Model, Process, all_, any_
from draincheck.qemu.disk import Disk, Request, disk
from draincheck.qemu.graph import Graph, has_filter
from draincheck.qemu.job import Job
from draincheck.qemu.loops import EventLoops
from draincheck.qemu.probes import Probes
from draincheck.qemu.scenario import Scenario

__all__ = ["World"]


class World:
    """What the model's processes share, seen from one job. `k` are the code base's knobs, `s` is the scenario.

    With several jobs there is one World for each: disk, nodes and job are its own; event loops are the same objects.
    """

    #: all jobs' worlds, this one included, and all disks
    worlds: tuple[World, ...]
    disks: tuple[Disk, ...]

    def __init__(  # noqa: PLR0917
        self,
        model: Model,
        knobs: Knobs,
        scenario: Scenario,
        probes: Probes,
        bottom_half: Callable[[Process, World], None],
        index: int = 0,
    ) -> None:
        self.m, self.k, self.s, self.probes = model, knobs, scenario, probes
        #: runs a job's own bottom half; a nested poll does, in which another job may poll in turn
        self.bottom_half = bottom_half
        #: while recording: the jobs whose drain is polling, outermost first; a nested poll runs only the other jobs' callbacks
        self.polling: list[World] = []
        nodes = ("filter", "source", "target") if has_filter(knobs) else ("source", "target")
        self.root = model.enum(f"root [{index}]" if index else "root", *nodes)
        self.disk = disk(model, knobs, scenario, index, has_job=True)
        without_job = range(0 if index else scenario.jobs, 0 if index else scenario.disks)
        others = [disk(model, knobs, scenario, number, has_job=False) for number in without_job]
        self.job = Job(model, scenario, index)
        self.worlds, self.disks = (self,), (self.disk,)
        if index == 0:
            self._compose(others)

    def _compose(self, others: list[Disk]) -> None:
        """Make the second job's world, if the scenario has one, and what all jobs share; `others` are the disks without a job."""
        two = self.s.jobs == 2
        #: the job whose bottom half was made last; absent where there is one job
        self.newest = self.m.int("newest bottom half", 0, 1, exists=two)
        second = [World(self.m, self.k, self.s, self.probes, self.bottom_half, index=1)] if two else []
        self.worlds = (self, *second)
        self.disks = (self.disk, *(world.disk for world in second), *others)
        self.graph = Graph(self.m, self.job.own, self.root, self.k, self.s)
        self.loops = EventLoops.of(self.m, self.k, self.s, self.disks)
        for world in second:
            world.worlds, world.disks, world.newest = self.worlds, self.disks, self.newest
            world.polling, world.loops = self.polling, self.loops
            world.graph = Graph(self.m, world.job.own, world.root, self.k, self.s)
        for world in self.worlds:
            world.graph.place(world.disk, self.loops.source_home, self.loops.target_home)

    def of(self, disk: Disk) -> World:
        """The world of the disk's job; this one for a disk without a job."""
        return next((world for world in self.worlds if world.disk is disk), self)

    @property
    def others(self) -> list[World]:
        """The jobs that are not polling on this stack."""
        return [world for world in self.worlds if world not in self.polling]

    # -- conditions -----------------------------------------------------------------------------------------------------------

    @cached_property
    def requests(self) -> tuple[Request, ...]:
        """The guest's requests on all disks."""
        return tuple(request for disk in self.disks for request in disk.requests)

    @cached_property
    def guest_io_done(self) -> BoolExpr:
        """The thread pool has a finished guest request for its completion bottom half."""
        return any_(*(r.state.is_("io_done") for r in self.requests))

    @cached_property
    def fresh_bh(self) -> BoolExpr:
        """This job's own bottom half (its drain's or its exit's) is scheduled in the disks' context; never both."""
        exits = FALSE if self.s.iothread else self.job.exit_bh.pending
        return any_(self.job.drain_bh.pending if self.k.drain != "nested" else FALSE, exits)

    @cached_property
    def bh_scheduled(self) -> BoolExpr:
        """A bottom half of the disks' context is scheduled (the exit callback's is always the main loop's).

        The thread pool's is if something of the guest's or the job's has finished.
        """
        finished = any_(self.guest_io_done, *(world.job.io.is_("io_done") for world in self.worlds))
        return any_(*(world.fresh_bh for world in self.worlds), finished, self.loops.stop_bh.pending)

    @cached_property
    def all_acked(self) -> BoolExpr:
        """Every request of the guest has been answered; a device that was stopped owes nothing for what it left in the ring."""
        return all_(*(r.state.is_("acked") | (self.loops.moved & r.state.is_("ring")) for r in self.requests))

    def expected_disable_counts(self) -> BoolExpr:
        """Each context's counter is what the drained nodes that are in it now add up to: one each."""
        return add_up([node for world in self.worlds for node in world.graph.drained_nodes])

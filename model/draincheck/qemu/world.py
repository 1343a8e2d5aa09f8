"""The modelled QEMU as one of its jobs sees it: composed of the job, its disk and nodes, and the event loops that all jobs share."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from draincheck.eventloop import BottomHalf, Home, Section, add_up
from draincheck.knobs import Knobs
from draincheck.lang import FALSE, TRUE, BoolExpr, BoolVar, IntVar, Model, Process, Update, all_, any_
from draincheck.qemu.disk import Disk, Request, disk
from draincheck.qemu.graph import Graph, has_filter
from draincheck.qemu.job import Job
from draincheck.qemu.loops import EventLoops, has_sections
from draincheck.qemu.probes import Probes
from draincheck.qemu.scenario import Scenario

__all__ = ["Callbacks", "World"]


class Callbacks(Struct, frozen=True):
    """What the contexts call back: the handlers of a virtqueue's notifier and of the queue itself, and a job's own bottom half."""

    host_notifier_read: Callable[[Process, World, Disk], None]
    handle_output: Callable[[Process, World, Disk], None]
    bottom_half: Callable[[Process, World], None]


class World:
    """What the model's processes share, seen from one job. `k` are the code base's knobs, `s` is the scenario.

    With several jobs there is one World for each: disk, nodes and job are its own; event loops are the same objects.
    """

    #: all jobs' worlds, this one included, and all disks
    worlds: tuple[World, ...]
    disks: tuple[Disk, ...]
    loops: EventLoops
    #: the nodes' drained sections: the source's are counted, the target has one
    source: Section[Disk]
    target_drained: BoolVar
    #: the filter above the source and the sections with it, in code bases where that shows
    graph: Graph | None
    #: the job whose bottom half was made last; absent where there is one job
    newest: IntVar

    def __init__(  # noqa: PLR0917
        self, model: Model, knobs: Knobs, scenario: Scenario, probes: Probes, callbacks: Callbacks, index: int = 0
    ) -> None:
        self.m, self.k, self.s, self.probes = model, knobs, scenario, probes
        self.callbacks = callbacks
        #: while recording: the jobs whose drain is polling, outermost first; a nested poll runs only the other jobs' callbacks
        self.polling: list[World] = []
        nodes = ("filter", "source", "target") if has_filter(knobs) else ("source", "target")
        self.root = model.enum(f"root [{index}]" if index else "root", *nodes)
        self.disk = disk(model, knobs, scenario, index, has_job=True)
        other = [disk(model, knobs, scenario, 1, has_job=False)] if scenario.other_writes else []
        self.job = Job(model, scenario, index)
        self.worlds, self.disks = (self,), (self.disk, *other)
        if index == 0:
            self._compose()

    def _compose(self) -> None:
        """Make the second job's world, if the scenario has one, and what all jobs share."""
        two = self.s.jobs == 2
        self.newest = self.m.int("newest bottom half", 0, 1, exists=two)
        second = [World(self.m, self.k, self.s, self.probes, self.callbacks, index=1)] if two else []
        self.worlds = (self, *second)
        self.disks += tuple(world.disk for world in second)
        counter, sections = self._sections()
        self.loops = EventLoops.of(self.m, self.k, self.s, self.disks, sections)
        self.source = Section(counter, self.loops.source_home)
        for world in second:
            world.worlds, world.disks, world.newest = self.worlds, self.disks, self.newest
            world.polling, world.loops = self.polling, self.loops
            world.source = Section(world._sections()[0], self.loops.source_home)

    def _sections(self) -> tuple[IntVar, bool]:
        """Make the variables of drained sections of this job's nodes; False for code bases that have none."""
        own, sections = self.job.own, has_sections(self.k)
        counter = self.m.int(own("quiesce_counter"), 0, 2, exists=sections)
        self.graph = Graph(self.m, own, self.root, self.s, counter) if has_filter(self.k) else None
        self.target_drained = self.m.bool(own("target drained"), exists=self.graph is None and self.k.target_drained)
        return counter, sections

    def of(self, disk: Disk) -> World:
        """The world of the disk's job; this one for a disk without a job."""
        return next((world for world in self.worlds if world.disk is disk), self)

    # -- conditions -----------------------------------------------------------------------------------------------------------

    @property
    def requests(self) -> tuple[Request, ...]:
        """The guest's requests on all disks."""
        return tuple(request for disk in self.disks for request in disk.requests)

    @property
    def on_old_node(self) -> BoolExpr:
        """What the disk submits now goes to the source."""
        return self.root.is_("source") if self.graph is None else self.graph.on_source

    @property
    def drained(self) -> BoolExpr:
        """A drained section of the source is open."""
        return self.source.open

    @property
    def backend_drained(self) -> BoolExpr:
        """The guest's BlockBackend is quiesced: its requests have to wait."""
        return self.drained if self.graph is None else self.graph.backend_drained

    @property
    def no_section(self) -> BoolExpr:
        """No drained section of the job's nodes is open."""
        return ~self.drained & ~self.target_drained if self.graph is None else ~self.graph.open

    @property
    def guest_io_done(self) -> BoolExpr:
        """The thread pool has a finished guest request for its completion bottom half."""
        return any_(*(r.state.is_("io_done") for r in self.requests))

    @property
    def io_done(self) -> BoolExpr:
        """The thread pool's completion bottom half is scheduled: something of the guest's or the job's has finished."""
        return any_(self.guest_io_done, *(world.job.io.is_("io_done") for world in self.worlds))

    @property
    def fresh_bh(self) -> BoolExpr:
        """This job's own bottom half (its drain's or its exit's) is scheduled in the disks' context; never both."""
        exits = FALSE if self.s.iothread else self.job.exit_bh.pending
        return any_(self.job.drain_bh.pending if self.k.drain != "nested" else FALSE, exits)

    @property
    def bh_scheduled(self) -> BoolExpr:
        """A bottom half of the disks' context is scheduled (the exit callback's is always the main loop's)."""
        return any_(*(world.fresh_bh for world in self.worlds), self.io_done, self.loops.stop_bh.pending)

    @property
    def any_sleep_over(self) -> BoolExpr:
        """Some job's sleep timer is due."""
        return any_(*(world.job.sleep.timer.due for world in self.worlds))

    @property
    def all_acked(self) -> BoolExpr:
        """Every request of the guest has been answered; a device that was stopped owes nothing for what it left in the ring."""
        return all_(*(r.state.is_("acked") | (self.loops.moved & r.state.is_("ring")) for r in self.requests))

    def expected_disable_counts(self) -> BoolExpr:
        """Each context's counter is what the drained nodes that are in it now add up to: one each."""
        return add_up([(drained, home) for world in self.worlds for drained, home in world._drained_nodes()])

    def _drained_nodes(self) -> list[tuple[BoolExpr, Home[Disk]]]:
        source, target = self.loops.source_home, self.loops.target_home
        if self.graph is None:
            return [(self.drained, source), (self.target_drained, target)]
        return [(self.graph.drained(node), self.home(node)) for node in self.graph.sections]

    def home(self, node: str) -> Home[Disk]:
        """The context that a node is in: the filter stays with its source."""
        return self.loops.target_home if node == "target" else self.loops.source_home

    # -- updates --------------------------------------------------------------------------------------------------------------

    def schedule(self, bottom_half: BottomHalf) -> list[Update]:
        """Make and schedule a bottom half of this job: it is the newest of its context now."""
        return [*bottom_half.schedule(), self.newest.set(self.job.index)]

    def target_counts(self, begins: bool) -> list[Update]:
        """Open or close the target's section: count it with the context that the target is in now."""
        home = self.loops.target_home
        return [self.target_drained.set(begins), *(home.disable(TRUE) if begins else home.enable())]

"""The mirror job; active commit is the same code with the base as its target (block/mirror.c)."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from draincheck.core.aio import AioContext
from draincheck.core.block import BdrvTrackedRequest, BlockDriverState
from draincheck.core.blockjob import BlockJob
from draincheck.core.child import FILE, BdrvChild
from draincheck.core.config import Config
from draincheck.core.drain import Drainer
from draincheck.core.host import Host
from draincheck.core.image import read_chain
from draincheck.core.mirror_exit import MirrorExit
from draincheck.core.mirror_top import MirrorTop, MirrorTopExit

__all__ = ["Contexts", "MirrorBlockJob", "Nodes"]


class Contexts(NamedTuple):
    """The main loop's contexts."""

    main: AioContext
    iohandler: AioContext


class Nodes(NamedTuple):
    """A job's nodes: source and target, and its filter above the source where the code base has one."""

    source: BlockDriverState
    target: BlockDriverState
    top: MirrorTop | None = None


class MirrorBlockJob(BlockJob):
    """A mirror job.

    Attributes:
        target: the node that is to take the source's place.
        target_child: the edge of the job's own BlockBackend to it.
        top: the filter node above the source, or None.
        should_complete: block-job-complete has arrived.
        synced: the job is READY.
        ret: 0, or the error that an I/O of its own has failed with.
        buffer_of: while a copy is under way: the request whose data it has read, if any.
        dirty_bitmap: what still has to be copied. It outlives its release, unheard.
        trusted_count: the job has taken a dirty count of 0 for the last one, and the switch has not happened yet: the window.
        swapped_under_request: a qcow2 request was in flight when two nodes' contents were exchanged, and QEMU did not crash.
    """

    drainer_class = Drainer

    def __init__(self, host: Host, name: str, nodes: Nodes, contexts: Contexts, config: Config) -> None:
        super().__init__(host, name, nodes.source, contexts.main)
        self.target, self.top = nodes.target, nodes.top
        self.target_child = BdrvChild(FILE, self.target, writes=True)
        self.iohandler_ctx = contexts.iohandler
        self.config = config
        self.drainer = self.drainer_class(host, name)
        self.owner = f"{name.replace('_run', '')}'s I/O"
        self.should_complete = False
        self.synced = config.starts_ready
        self.ret = 0
        self.buffer_of: str | None = None
        self.dirty_bitmap = nodes.source.bdrv_create_dirty_bitmap()
        self.trusted_count = False
        self.swapped_under_request = False
        self.exit = MirrorExit(self) if self.top is None else MirrorTopExit(self)

    def mirror_complete(self) -> None:
        """block-job-complete."""
        self.should_complete = True
        self.host.event("mirror_complete")
        self.block_job_enter()

    def will_switch(self) -> bool:
        """mirror_exit is going to switch the disk: the job was told to complete, and nothing has failed."""
        return self.should_complete and not self.ret

    # -- the coroutine --------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """mirror_run."""
        if self.config.zero_length:
            self.wait_for_command()
        else:
            self.mirror_run()

    def wait_for_command(self) -> None:
        """A disk of length 0 has nothing to copy: the job is READY at once, and leaves without any convergence check."""
        while True:
            self.host.point()
            if self.should_complete or self.cancelled:
                self.immediate_exit()
                return
            self.block_job_sleep_ns()

    def mirror_run(self) -> None:
        """Copy what is dirty; once nothing is, be READY; once told to, drain, look again, and leave."""
        while True:
            self.host.point()
            if self.mirror_round():
                return

    def mirror_round(self) -> bool:
        """One way through mirror_run's loop; true if the job leaves."""
        if self.ret or (self.cancelled and not self.synced):
            self.immediate_exit()
            return True
        if self.dirty_bitmap.bdrv_get_dirty_count():
            self.mirror_iteration()
            return False
        if self.host.knobs.flush == "before_check" and self.mirror_flush() < 0:
            return False
        if self.dirty_bitmap.bdrv_get_dirty_count():
            return False
        self.block_job_event_ready()
        if self.should_complete or self.cancelled:
            return self.mirror_converge()
        self.block_job_sleep_ns()
        return False

    def block_job_event_ready(self) -> None:
        """READY, the first time that nothing is dirty."""
        if not self.synced:
            self.synced = True
            self.host.event("BLOCK_JOB_READY")

    def mirror_iteration(self) -> None:
        """Copy the first dirty sector: clear its bit before reading the source, so that a write meanwhile marks it again.

        QEMU has up to 16 copies in flight; here one at a time, which only delays convergence. Read and write are one element of the pool.
        """
        sector = self.dirty_bitmap.first()
        self.dirty_bitmap.bdrv_reset_dirty_bitmap(sector)
        self.host.event("copies sector %d", sector)
        self.buffer_of = self.bs.image.writer.get(sector)
        request = BdrvTrackedRequest(self.owner, self.owner, sector)
        self.bs.tracked_request_begin(request)
        ret = self.target.submit(request, partial(self.copy_sector, sector))
        self.bs.tracked_request_end(request)
        self.mirror_write_complete(sector, ret)

    def copy_sector(self, sector: int) -> int:
        """What the worker thread does for a copy."""
        return self.target.image.pwrite(sector, read_chain(self.bs.image, self.bs.backing, sector))

    def mirror_write_complete(self, sector: int, ret: int) -> None:
        """The copy is over; after an error its sector is dirty again."""
        buffer_of, self.buffer_of = self.buffer_of, None
        if ret < 0:
            self.ret = ret
            self.dirty_bitmap.bdrv_set_dirty_bitmap(sector)
            self.host.event("sector %d is dirty again", sector)
            return
        if buffer_of is not None:
            self.target.image.writer[sector] = buffer_of
        self.host.event("the target has sector %d", sector)

    def mirror_flush(self) -> int:
        """bdrv_co_flush of the target: yields. Returns 0 or a negative errno."""
        self.host.event("flushes the target")
        ret = self.target.submit(BdrvTrackedRequest(self.owner, self.owner, FLUSH), lambda: 0)
        self.ret = self.ret or ret
        return ret

    def mirror_converge(self) -> bool:
        """The end of the loop: drain, read the dirty count for the last time; true if it is 0 and the job has left."""
        begin_before_check = self.host.knobs.begin == "before_check"
        if begin_before_check:
            self.drainer.bdrv_drained_begin(self.bs)
        elif self.host.knobs.exit == "inline":
            self.drainer.bdrv_drain_all(self.bs)
        else:
            self.drainer.bdrv_drain(self.bs)
        if self.last_dirty_count():
            self.mirror_retry()
            return False
        self.trusted_count = self.will_switch()
        self.host.event("bdrv_get_dirty_count is 0", mark="w")
        if self.host.knobs.flush == "after_check" and self.mirror_flush() < 0:
            self.trusted_count = False
            self.mirror_retry()
            return False
        self.immediate_exit(begun=begin_before_check)
        return True

    def last_dirty_count(self) -> int:
        """The count that decides whether the job may leave."""
        return self.dirty_bitmap.bdrv_get_dirty_count()

    def mirror_retry(self) -> None:
        """Go round the loop once more: close the section that the attempt opened."""
        if self.host.knobs.begin == "before_check":
            self.drainer.bdrv_drained_end(self.bs)

    def immediate_exit(self, begun: bool = False) -> None:
        """The end of mirror_run, in the order of the code base. `begun`: the drained section is open already."""
        knobs = self.host.knobs
        self.release_bitmap("run")
        if knobs.exit == "inline":
            self.exit.mirror_exit_common()
            return
        if knobs.begin != "none" and not begun:
            self.drainer.bdrv_drained_begin(self.bs)
        if knobs.bandage and self.bs.aio_context is self.main_ctx:
            self.iohandler_ctx.aio_disable_external()
        self.block_job_defer_to_main_loop(self.exit.mirror_exit)

    def release_bitmap(self, place: str) -> None:
        """Release the bitmap, if `place` (the end of mirror_run, or its exit callback) is where the code base does that."""
        if self.host.knobs.release_bitmap == place:
            self.bs.bdrv_release_dirty_bitmap(self.dirty_bitmap)


#: the sector of a flush
FLUSH = -1

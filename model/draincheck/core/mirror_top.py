"""mirror's filter node, and the end of a job that has one: what becomes of sections and permissions while the graph changes.

The guest's BlockBackend uses the filter, the filter uses the source. mirror_exit_common (block/mirror.c) puts the target below the
filter, then takes the filter out, so the guest's BlockBackend moves from a drained node to one whose own section has ended already.
"""

from __future__ import annotations

from draincheck.core.block import BdrvTrackedRequest, BlockDriverState
from draincheck.core.child import BdrvChild, BdrvChildClass, bdrv_replace_node_noperm
from draincheck.core.mirror_exit import MirrorExit

__all__ = ["MirrorTop", "MirrorTopExit"]


class MirrorTop(BlockDriverState):
    """The filter: it passes every request on to the node below.

    Attributes:
        backing_child: its edge to that node.
        stop: the job is over: it needs no permissions any more.
    """

    def __init__(self, backing: BlockDriverState) -> None:
        super().__init__(backing.host, backing.image, backing.backing, backing.aio_context)
        klass = BdrvChildClass(
            self.bdrv_do_drained_begin_quiesce, self.bdrv_do_drained_end, self.bdrv_drain_poll_top_level
        )
        self.backing_child = BdrvChild(klass, backing, writes=True)
        self.stop = False

    def bdrv_skip_filters(self) -> BlockDriverState:
        """The node below."""
        return self.backing_child.node.bdrv_skip_filters()

    def bdrv_co_do_pwritev(self, request: BdrvTrackedRequest, data: bytes) -> int:
        """A write: tracked here and below."""
        self.tracked_request_begin(request)
        ret = self.backing_child.node.bdrv_co_do_pwritev(request, data)
        self.tracked_request_end(request)
        return ret

    def bdrv_co_do_preadv(self, request: BdrvTrackedRequest, buffer: bytearray) -> int:
        """A read."""
        self.tracked_request_begin(request)
        ret = self.backing_child.node.bdrv_co_do_preadv(request, buffer)
        self.tracked_request_end(request)
        return ret

    def bdrv_co_flush(self, request: BdrvTrackedRequest) -> int:
        """A flush."""
        self.tracked_request_begin(request)
        ret = self.backing_child.node.bdrv_co_flush(request)
        self.tracked_request_end(request)
        return ret

    def bdrv_child_perm(self, parents_write: bool) -> None:
        """bdrv_mirror_top_child_perm: nothing once the job is over."""
        self.backing_child.writes = parents_write and not self.stop
        self.backing_child.node.bdrv_refresh_perms()


class MirrorTopExit(MirrorExit):
    """The exit callback of a job with a filter (mirror_exit_common, v6.1.0 to v8.0.0; its order in bdrv_replace_node is a knob)."""

    def mirror_exit_common(self) -> None:
        """Drop the target's writer, drain the filter, put the target below it if the job is to switch, take the filter out."""
        job = self.job
        assert job.top is not None
        self.blk_unref_target()
        job.drainer.bdrv_drained_begin(job.top)
        job.top.stop = True
        job.top.bdrv_refresh_perms()
        switches = job.will_switch()
        if switches:
            self.switch()
        self.bdrv_replace_node(job.top, job.top.bdrv_skip_filters())
        self.host.event("the disk is the target now" if switches else "the disk stays with the source")
        if self.host.knobs.begin != "none":
            job.drainer.bdrv_drained_end(job.bs)
        job.drainer.bdrv_drained_end(job.top)
        job.trusted_count = False
        job.completed = True
        self.host.event("the job is completed")

    def blk_unref_target(self) -> None:
        """The job's own BlockBackend lets go of the target: nobody writes there any more."""
        child = self.job.target_child
        child.node.parents.remove(child)
        child.node.bdrv_refresh_perms()

    def replace(self) -> None:
        """The first replacement: the filter stands on the target."""
        self.bdrv_replace_node(self.job.bs, self.job.target)
        self.job.trusted_count = False

    def bdrv_replace_node(self, old: BlockDriverState, new: BlockDriverState) -> None:
        """Make the parents of `old` parents of `new`, which gets the permissions that they need.

        Before that, after it (3bb0e2980a), or after it and with both nodes drained until then (2398747128).
        """
        drainer, order = self.job.drainer, self.host.knobs.replace_node
        drainer.bdrv_drained_begin(old)
        if order == "drain_both":
            drainer.bdrv_drained_begin(new)
        if order == "check_first":
            new.bdrv_child_perm(any(child.writes for child in (*old.parents, *new.parents)))
        bdrv_replace_node_noperm(old, new)
        new.bdrv_refresh_perms()
        self.host.event("permissions are refreshed")
        if order == "drain_both":
            drainer.bdrv_drained_end(new)
        drainer.bdrv_drained_end(old)

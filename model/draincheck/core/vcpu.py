"""A vCPU thread that resets the guest's disk, which stops dataplane: its node goes back to the main loop's context."""

from __future__ import annotations

from functools import partial

from draincheck.core.aio import AioContext
from draincheck.core.block import bdrv_set_aio_context
from draincheck.core.host import Host
from draincheck.core.lock import BigQemuLock
from draincheck.core.mirror import MirrorBlockJob

__all__ = ["ResettingVcpu"]


class ResettingVcpu:
    """A vCPU whose guest resets its disk once, between (a) and (c)."""

    def __init__(self, host: Host, bql: BigQemuLock, job: MirrorBlockJob, main_ctx: AioContext) -> None:
        self.host, self.bql, self.job, self.main_ctx = host, bql, job, main_ctx

    def kvm_cpu_exec(self) -> None:
        """The thread: leaves the guest for the status register, takes the BQL, resets the device; the guest does nothing more."""
        self.host.point(self.may_reset)
        self.bql.vcpu = True
        self.host.event("takes the BQL to reset the device")
        self.virtio_blk_data_plane_stop()
        self.bql.vcpu = False
        while True:
            self.host.point(bool)

    def may_reset(self) -> bool:
        """The exit callback is scheduled and has not run, and the main loop is in a poll that has let go of the BQL."""
        exit_bh = self.job.exit_bh
        return exit_bh is not None and exit_bh.scheduled and not self.bql.held

    def virtio_blk_data_plane_stop(self) -> None:
        """Drain the disk and move it, and the job's target with it, to the main loop's context.

        Nothing is in flight, and a drain polls the node's own context: the deferred exit callback is the main loop's and does not run.
        (The host notifier stays registered where it is: nobody kicks a device that has been reset.)
        """
        ctx = self.job.bs.aio_context
        ctx.acquired.aio_context_acquire()
        for bs in (self.job.bs, self.job.target):
            self.host.atomically(partial(self.job.drainer.bdrv_drain_all, bs))
            bdrv_set_aio_context(bs, self.main_ctx)
        ctx.acquired.aio_context_release()

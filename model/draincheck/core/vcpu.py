"""A vCPU thread that resets the guest's disk, which stops dataplane: its node goes back to the main loop's context.

(From v2.8.0 on `stop` does the same in the main thread. Whoever has the BQL counts as that, so the vCPU thread stands for both.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from draincheck.core.block import BlockDriverState, bdrv_set_aio_context
from draincheck.core.disk import Disk, Mirrored
from draincheck.core.host import Host
from draincheck.core.iothread import IOThread
from draincheck.core.lock import BigQemuLock

__all__ = ["ResettingVcpu"]


class _Requests(Protocol):
    """What the guest does before the reset."""

    def choices(self) -> object: ...

    def act(self, label: str) -> None: ...


class ResettingVcpu:
    """A vCPU whose guest makes its requests and then resets its disk once, between (a) and (c)."""

    def __init__(
        self, host: Host, bql: BigQemuLock, disk: tuple[Disk, Mirrored], guest: _Requests, iothread: IOThread
    ) -> None:
        self.host, self.bql, self.guest, self.iothread = host, bql, guest, iothread
        self.disk, mirrored = disk
        self.job, self.main_ctx = mirrored.job, mirrored.job.main_ctx

    def kvm_cpu_exec(self) -> None:
        """The thread: makes requests, leaves the guest for the status register, takes the BQL, resets; the guest does nothing more."""
        while self.guest.choices():
            self.host.point()
            self.guest.act("")
        self.host.point(self.may_reset)
        self.bql.vcpu = True
        self.host.event("takes the BQL to stop the device")
        self.virtio_blk_data_plane_stop()
        self.disk.driver.device_was_reset(self.disk.device.vq.last_avail_idx)
        self.bql.vcpu = False
        while True:
            self.host.point(bool)

    def may_reset(self) -> bool:
        """The exit callback is scheduled and has not run, and the main loop is in a poll that has let go of the BQL."""
        exit_bh = self.job.exit_bh
        return exit_bh is not None and exit_bh.scheduled and not self.bql.held

    def virtio_blk_data_plane_stop(self) -> None:
        """Take the host notifier out of the IOThread, drain the disk and move it to the main loop's context, give up the ioeventfd."""
        ctx = self.iothread.ctx
        ctx.acquired.aio_context_acquire()
        if self.host.knobs.stop_runs_queue == "iothread":
            self.aio_wait_bh_oneshot()
        else:
            self.virtio_queue_aio_set_host_notifier_handler()
        self.blk_set_aio_context()
        ctx.acquired.aio_context_release()
        self.set_host_notifier()

    def virtio_queue_aio_set_host_notifier_handler(self) -> None:
        """Remove the handler. From 03de2f5274 on: test and clear the notifier, and run the queue handler if it was set."""
        self.iothread.unregister(self.disk.device.host_notifier)
        if self.host.knobs.stop_runs_queue != "none":
            self.disk.device.virtio_queue_host_notifier_read()

    def aio_wait_bh_oneshot(self) -> None:
        """1010cadf62: the IOThread does it, in a bottom half, while this thread polls the main loop's context."""
        remove = self.virtio_queue_aio_set_host_notifier_handler
        bh = self.iothread.schedule_stop(self.disk.device.host_notifier, remove)
        self.poll_main_while(lambda: bh.scheduled)

    def set_host_notifier(self) -> None:
        """Close the ioeventfd, the notifier tested and cleared before: virtio_blk_handle_output returns, dataplane counts as started."""
        self.disk.device.host_notifier.event_notifier_test_and_clear()

    # -- the switch of the context --------------------------------------------------------------------------------------------

    def blk_set_aio_context(self) -> None:
        """Drain, detach and attach the node that is the disk's root when this begins."""
        bs = self.disk.backend.root
        self.bdrv_drain(bs)
        self.host.point(self.block_job_is_detached)
        bdrv_set_aio_context(bs, self.main_ctx)
        if self.host.knobs.job_at_switch != "ignored" and not self.job.completed:
            bdrv_set_aio_context(self.job.target, self.main_ctx)

    def bdrv_drain(self, bs: BlockDriverState) -> None:
        """Poll the node's own context, or (c9d1a56174: BDRV_POLL_WHILE) the main loop's with the node's lock free."""
        if self.host.knobs.drain_polls_ctx == "own":
            self.poll_main_while(bs.bdrv_requests_pending)
        else:
            self.job.drainer.bdrv_drain_poll(bs)

    def poll_main_while(self, condition: Callable[[], bool]) -> None:
        """BDRV_POLL_WHILE and AIO_WAIT_WHILE in a thread that is not the context's own; the exit callback may run in this poll."""
        lock = self.iothread.ctx.acquired
        while self.holds(condition):
            lock.aio_context_release()
            self.host.point(lambda: self.main_ctx.aio_compute_timeout_is_zero() or not condition())
            self.main_ctx.aio_poll()
            lock.aio_context_acquire()

    def holds(self, condition: Callable[[], bool]) -> bool:
        """Whether it holds now; other threads may act before."""
        self.host.point()
        return condition()

    def block_job_is_detached(self) -> bool:
        """block_job_detach_aio_context of 463e0be101 waits until the job is paused or completed; a deferred one never pauses."""
        return self.host.knobs.job_at_switch != "waits" or self.job.completed

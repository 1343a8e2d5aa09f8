"""(c): mirror_exit, in the main loop. It puts the target in the source's place and undoes what mirror_run began."""

from __future__ import annotations

from typing import TYPE_CHECKING

from draincheck.core.block import bdrv_swap
from draincheck.core.child import bdrv_replace_node_noperm

if TYPE_CHECKING:
    from draincheck.core.mirror import MirrorBlockJob

__all__ = ["MirrorExit"]


class MirrorExit:
    """The exit callback of a mirror job."""

    def __init__(self, job: MirrorBlockJob) -> None:
        self.job = job
        self.host = job.host

    def mirror_exit(self) -> None:
        """What the deferred bottom half calls."""
        self.host.event("mirror_exit", mark="c")
        self.job.release_bitmap("exit")
        self.mirror_exit_common()

    def mirror_exit_common(self) -> None:
        """Switch if the job was told to complete and nothing has failed; complete the job, end its sections."""
        if self.job.will_switch():
            self.switch()
        else:
            self.host.event("the disk stays with the source")
        self.job.trusted_count = False
        self.job.completed = True
        self.host.event("the job is completed")
        self.end_sections()

    def switch(self) -> None:
        """The target takes the source's place."""
        knobs, job = self.host.knobs, self.job
        if knobs.reopen_drains or job.config.reopen:
            self.bdrv_reopen()
        if knobs.target_drained:
            job.drainer.bdrv_drained_begin(job.target)
        self.replace()
        self.host.event("the disk is the target now")
        if knobs.target_drained:
            job.drainer.bdrv_drained_end(job.target)

    def bdrv_reopen(self) -> None:
        """Give the target the source's open flags: drains everything first."""
        self.job.drainer.bdrv_drain_all(self.job.bs)

    def replace(self) -> None:
        """Switch as the code base does, with what it does about requests that are still pending."""
        source, target, drainer = self.job.bs, self.job.target, self.job.drainer
        match self.host.knobs.pre_switch:
            case "swap_raw":
                self.swap_with_requests_in_flight()
                bdrv_swap(target, source)
            case "swap_drain":
                drainer.bdrv_drain_poll(source)
                bdrv_swap(target, source)
            case "assert":
                if source.bdrv_requests_pending():
                    self.host.qemu_abort("assert(!bdrv_requests_pending(old)) fails")
                bdrv_replace_node_noperm(source, target)
            case _:
                drainer.bdrv_drained_begin(source)
                bdrv_replace_node_noperm(source, target)
                drainer.bdrv_drained_end(source)

    def swap_with_requests_in_flight(self) -> None:
        """bdrv_swap of 5a7e7a0bad exchanges the contents of two nodes and leaves requests in flight as they are.

        A raw driver's only loses its way: its data stays behind on the old image. A qcow2 driver's goes on with the other driver's state.
        """
        source = self.job.bs
        if source.image.driver == "qcow2" and source.bdrv_requests_pending():
            if self.host.choose("it crashes", "it goes on") == "it crashes":
                self.host.qemu_abort("SIGSEGV: a qcow2 request goes on with the other node's state", crash=True)
            self.host.event("a request is in flight across the swap")
            self.job.swapped_under_request = True

    def end_sections(self) -> None:
        """Close the source's section, and enable external events of iohandler_ctx if the disk is in the main loop *now*."""
        knobs, job = self.host.knobs, self.job
        if knobs.begin != "none":
            job.drainer.bdrv_drained_end(job.bs)
        if knobs.bandage and job.bs.aio_context is job.main_ctx:
            job.iohandler_ctx.aio_enable_external()

"""Block jobs: a coroutine that sleeps, is told things, and at its end defers its exit to the main loop (blockjob.c)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from draincheck.core.aio import QEMUBH, AioContext
from draincheck.core.block import BlockDriverState
from draincheck.core.coroutine import Coroutine, qemu_coroutine_enter, qemu_coroutine_yield
from draincheck.core.host import Host

__all__ = ["BlockJob"]


class BlockJob(ABC):
    """A block job on a node.

    Attributes:
        name: what the scheduler calls its coroutine.
        bs: the node it was started on.
        co: its coroutine.
        sleeping: the coroutine has yielded and nothing but its timer or a command is to resume it (not `busy`).
        cancelled: block-job-cancel has arrived.
        exit_bh: the bottom half of block_job_defer_to_main_loop, once there is one.
        completed: the job is over.
    """

    def __init__(self, host: Host, name: str, bs: BlockDriverState, main_ctx: AioContext) -> None:
        self.host = host
        self.name = name
        self.bs = bs
        self.main_ctx = main_ctx
        self.co = Coroutine(host, self.run, process=name)
        self.sleeping = True
        self.sleep_timer = bs.aio_context.timers.timer_new(self.sleep_timer_cb)
        self.sleep_timer.timer_mod()
        self.cancelled = False
        self.exit_bh: QEMUBH | None = None
        self.completed = False

    @abstractmethod
    def run(self) -> None:
        """What the coroutine does. Until it is entered for the first time it counts as asleep."""

    def block_job_sleep_ns(self) -> None:
        """Yield until the timer expires or somebody enters the job, which then goes to the head of its loop."""
        self.sleeping = True
        self.sleep_timer.timer_mod()
        self.host.event("block_job_sleep_ns")
        qemu_coroutine_yield(to_loop_head=True)

    def sleep_timer_cb(self) -> None:
        """The sleep is over."""
        self.host.event("the job's sleep is over")
        self.sleeping = False
        qemu_coroutine_enter(self.co)

    def block_job_cancel(self) -> None:
        """block-job-cancel: the job ends soon, without what only its completion would do."""
        self.cancelled = True
        self.host.event("block_job_cancel")
        self.block_job_enter()

    def block_job_enter(self) -> None:
        """Wake a sleeping job at once; not from another thread: there its own timer does."""
        if self.sleeping and self.bs.aio_context is self.main_ctx:
            self.sleep_timer.timer_del()
            self.sleeping = False
            self.host.event("the sleep timer is deleted")
            qemu_coroutine_enter(self.co)

    def block_job_defer_to_main_loop(self, exit_function: Callable[[], None]) -> None:
        """(a): schedule the exit callback as a new bottom half of qemu_aio_context, always. The context of now is remembered."""
        ctx = self.bs.aio_context

        def block_job_defer_to_main_loop_bh() -> None:
            assert self.exit_bh is not None
            self.exit_bh.qemu_bh_delete()
            self.host.event("the exit bottom half runs")
            if ctx is not self.main_ctx:
                ctx.acquired.aio_context_acquire()
            exit_function()
            if ctx is not self.main_ctx:
                ctx.acquired.aio_context_release()
            self.host.locks_are_free()
            self.host.locks_are_free()

        self.exit_bh = self.main_ctx.aio_bh_new(block_job_defer_to_main_loop_bh, owner=self.name)
        self.exit_bh.qemu_bh_schedule()
        self.host.event("block_job_defer_to_main_loop", mark="a")

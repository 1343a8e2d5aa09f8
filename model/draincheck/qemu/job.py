"""The mirror job's own variables, and what can be asked of them."""

from __future__ import annotations

from functools import cached_property

from draincheck.eventloop import BottomHalf, CoSleep, HomedCoroutine, Timer
from draincheck.lang import BoolExpr, Model
from draincheck.qemu.scenario import Scenario

__all__ = ["Job"]


class Job:
    """What belongs to one mirror job.

    Its bottom halves, its drain's and its exit's, are never both scheduled. `listed`: one of them was in the list when the walk that is
    going on began; `newest`: the job whose bottom half was made last. Both are absent where there is one job.
    """

    def __init__(self, m: Model, s: Scenario, index: int) -> None:
        self.index = index
        own = self.own
        self.should_complete = m.bool(own("should_complete"))
        self.cancelled = m.bool(own("cancelled"), exists=s.command == "cancel")
        #: what the copy under way has read; from READY on a sector is only dirty because the guest's write is on the source
        self.buffer = m.bool(own("copy buffer"), initial=s.starts_ready, exists=not s.starts_ready)
        self.ready = m.bool(own("READY"), initial=s.starts_ready, exists=not s.starts_ready)
        self.failed = m.bool(own("job failed"), exists=bool(s.job_errors))
        self.io = m.enum(own("job I/O"), "none", "in_flight", "io_done")
        timer = Timer(m.bool(own("sleep timer due")))
        self.window = m.bool(own("window"))
        self.bitmap = m.bool(own("dirty bitmap"), initial=True)
        drains, exits = m.bool(own("drain BH")), m.bool(own("exit BH"))
        self.listed = m.bool(own("in this walk"), exists=s.jobs == 2)
        self.drain_bh, self.exit_bh = BottomHalf(drains, self.listed), BottomHalf(exits, self.listed)
        self.completed = m.bool(own("job completed"))
        self.qmp = m.bool(own("monitor command"))
        self.mirror = m.coroutine(own("mirror_run"), waits_at="sleep")
        home = m.enum(own("home of mirror_run"), "iothread" if s.iothread else "qemu_aio_context", exists=False)
        self.coroutine = HomedCoroutine(self.mirror, home, self.drain_bh)
        self.sleep = CoSleep(self.coroutine, timer)

    def own(self, name: str) -> str:
        """A variable's name, told apart for the second job."""
        return f"{name} [{self.index}]" if self.index else name

    @property
    def called(self) -> str:
        """How labels name it."""
        return self.own("mirror")

    @property
    def told_to_leave(self) -> BoolExpr:
        """The management has sent its command."""
        return self.should_complete | self.cancelled

    @cached_property
    def will_switch(self) -> BoolExpr:
        """The job is going to switch the disk: it was told to complete, and nothing has failed."""
        return self.should_complete & ~self.failed

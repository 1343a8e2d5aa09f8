"""A whole machine: QEMU with its main loop, its disks, their jobs, maybe an IOThread, and everything that acts on it.

`choices` says what may happen next, `take` makes it happen. A machine cannot be copied or run backwards (its threads and coroutines
have stacks); to get to another state, make a new one and take other choices. Making one takes a fraction of a millisecond.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from greenlet import getcurrent

from draincheck.core.assembly import STANDARD_PARTS, Assembly, Parts
from draincheck.core.config import Config, check_config
from draincheck.core.environment import Actor
from draincheck.core.errors import CoreError, QemuAbort
from draincheck.core.events import EventLog
from draincheck.core.host import Choice, Host, Thread
from draincheck.knobs import Knobs

__all__ = ["Machine"]


def _first(choices: Sequence[Choice]) -> int:
    return 0


class Machine:
    """A machine of a code base (its knobs) in a configuration.

    Attributes:
        main_loop, iothread, ctx, pool: the event loops, the context that serves the disks at first, and its thread pool.
        disks: the disks, those with a job first.
        storage: the host's storage.
        kick_chardev: the chardev through which kicks may arrive, if the configuration has one.
        decide: which of several outcomes of a step happens, where it has several: given the choices, the index of one.
        aborted: why QEMU has ended before its time, or None.
    """

    def __init__(
        self, knobs: Knobs, config: Config, log: EventLog | None = None, parts: Parts = STANDARD_PARTS
    ) -> None:
        check_config(config, knobs)
        self.knobs, self.config = knobs, config
        self.decide: Callable[[Sequence[Choice]], int] = _first
        self.aborted: QemuAbort | None = None
        self.host = Host(knobs, log, self._decide)
        made = Assembly(self.host, config, parts)
        self.bql = made.bql
        self.main_loop, self.iothread, self.ctx, self.pool = made.main_loop, made.iothread, made.ctx, made.pool
        self.disks, self.kick_chardev, self.storage = made.disks, made.kick_chardev, made.storage
        self.threads: list[Thread] = made.threads
        self.actors: list[Actor] = made.actors
        self.jobs = [disk.mirrored.job for disk in self.disks if disk.mirrored is not None]
        self._by_process = {actor.thread.name: actor for actor in self.actors}
        for thread in self.threads:
            self.host.resume(thread)

    def choices(self) -> list[Choice]:
        """What may happen next, in a fixed order; nothing once QEMU has ended."""
        if self.aborted is not None:
            return []
        found = [Choice(thread.process) for thread in self.threads if thread.until is None or thread.until()]
        for actor in self.actors:
            found += actor.choices()
        return found

    def take(self, choice: Choice) -> None:
        """Make one of `choices` happen: run its process to its next scheduling point. Raises CoreError for a process that has none."""
        self.host.steps += 1
        actor = self._by_process.get(choice.process)
        if actor is not None:
            self.host.act(actor.thread, partial(actor.act, choice.label))
            return
        try:
            self.host.resume(self._thread(choice.process))
        except QemuAbort as end:
            self.aborted = end

    def close(self) -> None:
        """End all that stands in the middle of something. Whoever makes many machines closes them: what stands so holds its machine for ever."""
        for stack in [*self.host.coroutines, *(thread.stack for thread in self.threads)]:
            if stack:  # it has begun, and has not ended
                stack.parent = getcurrent()
                stack.throw()

    def _thread(self, process: str) -> Thread:
        for thread in self.threads:
            if thread.process == process:
                return thread
        raise CoreError(f"no thread of this machine runs {process!r}; offered were {self.choices()}")

    def _decide(self, choices: Sequence[Choice]) -> int:
        return self.decide(choices)

    @property
    def finished(self) -> bool:
        """All jobs are over and the guest has got all its answers."""
        for job in self.jobs:
            if not job.completed:
                return False
        return all(disk.driver.all_answered() for disk in self.disks)

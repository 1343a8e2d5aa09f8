"""What acts on the machine from outside: the guest's CPUs, the host's storage, the clock, the management. Each acts in whole steps."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from typing import Protocol

from draincheck.core.chardev import Chardev
from draincheck.core.guest import GuestDriver
from draincheck.core.host import Choice, Host, Thread
from draincheck.core.lock import BigQemuLock
from draincheck.core.mirror import FLUSH, MirrorBlockJob
from draincheck.core.notifier import EventNotifier
from draincheck.core.threadpool import ThreadPool, ThreadPoolElement
from draincheck.core.timer import QEMUTimer
from draincheck.core.virtio_blk import VirtIOBlock

__all__ = ["Actor", "Clock", "Guest", "Management", "MmioGuest", "Storage", "TimerGuest"]


class Actor(Protocol):
    """Somebody outside QEMU."""

    thread: Thread

    def choices(self) -> Iterable[Choice]:
        """What it may do next."""
        ...

    def act(self, label: str) -> None:
        """Do one of these."""
        ...


class Storage:
    """The host's storage finishes I/O in any order, at any time. The job's may fail, if the configuration says so."""

    def __init__(self, host: Host, pool: ThreadPool, jobs: list[MirrorBlockJob]) -> None:
        self.thread = Thread("storage")
        self.host = host
        self.pool = pool
        self.jobs = jobs
        self.job_errors = jobs[0].config.job_errors
        #: whose I/O has failed
        self.failed: set[str] = set()

    def choices(self) -> Iterator[Choice]:
        """To finish any element that is not done; to fail it."""
        for element in self.pool.elements:
            if not element.done:
                yield Choice("storage", f"finishes {element.name}")
                if self.job_errors and self.may_fail(element):
                    yield Choice("storage", f"fails {element.name} on the {self.job_errors}")

    def may_fail(self, element: ThreadPoolElement) -> bool:
        """A copy may fail on either side, a flush only on the target."""
        if element.owner != self.jobs[0].owner:
            return False
        return self.job_errors == "target" or element.sector != FLUSH

    def act(self, label: str) -> None:
        """A worker thread finishes or fails an element."""
        verb, _, rest = label.partition(" ")
        name = rest.removesuffix(f" on the {self.job_errors}") if verb == "fails" else rest
        element = next(element for element in self.pool.elements if element.name == name and not element.done)
        self.host.event("%s", label)
        if verb == "fails":
            self.failed.add(element.owner)
        self.pool.worker_thread(element, -errno.EIO if verb == "fails" else 0)


class Clock:
    """Time passes: a job's sleep may end."""

    def __init__(self, host: Host, jobs: list[MirrorBlockJob]) -> None:
        self.thread = Thread("clock")
        self.host = host
        self.timers = {f"{job.name.replace('_run', '')}'s sleep timer expires": job.sleep_timer for job in jobs}
        self._choices = [(Choice("clock", label), timer) for label, timer in self.timers.items()]

    def choices(self) -> list[Choice]:
        """For each timer that is armed and whose deadline has not passed."""
        return [choice for choice, timer in self._choices if timer.armed and not timer.due]

    def act(self, label: str) -> None:
        """A deadline passes."""
        self.timers[label].due = True
        self.host.event(label)


class Management:
    """The management sends one command for a job, at any time; block-job-complete only once the job is READY."""

    def __init__(self, host: Host, number: int, job: MirrorBlockJob, monitor: Chardev) -> None:
        name = f"management of job {number}" if number else "management"
        self.thread = Thread(name)
        self.host = host
        self.job = job
        self.monitor = monitor
        self.sent = False
        self._choices = (Choice(name),)

    def choices(self) -> tuple[Choice, ...]:
        """One, until it has been sent."""
        if self.sent or (self.job.config.command == "complete" and not self.job.synced):
            return ()
        return self._choices

    def act(self, label: str) -> None:
        """Send it."""
        self.sent = True
        self.monitor.send()
        self.host.event("sends block-job-%s", self.job.config.command)


class Guest:
    """The guest's CPUs: they make one request after the other, at any time, waiting for no answer."""

    def __init__(self, host: Host, name: str, driver: GuestDriver, kick: EventNotifier | None) -> None:
        self.thread = Thread(name)
        self.host = host
        self.driver = driver
        self.notifier = kick
        #: the next request is in the ring and has not been kicked for
        self.added = False
        self._one = (Choice(name),)

    def choices(self) -> Iterable[Choice]:
        """One, until everything has been kicked for."""
        return self._one if self.driver.made < len(self.driver.requests) or self.added else ()

    def act(self, label: str) -> None:
        """Write the descriptor and the ioeventfd; in two steps where a handler may run between them for an earlier request."""
        if not self.added:
            request = self.driver.add_request()
            self.host.event("adds %s to the ring", request.name)
            self.added = True
            if len(self.driver.requests) > 1:
                return
        self.added = False
        self.kick()

    def kick(self) -> None:
        """Write the ioeventfd."""
        assert self.notifier is not None
        self.notifier.event_notifier_set()
        self.host.event("kicks")


class TimerGuest(Guest):
    """A device whose model looks at the ring from a timer of the main loop, as USB host controllers do: nobody kicks."""

    def __init__(self, host: Host, name: str, driver: GuestDriver, timer: QEMUTimer) -> None:
        super().__init__(host, name, driver, None)
        self.timer = timer

    def act(self, label: str) -> None:
        """Put a request into the ring; the device's timer is due."""
        request = self.driver.add_request()
        self.timer.due = True
        self.host.event("the device's timer for %s is due", request.name)


class MmioGuest(Guest):
    """A device without ioeventfd: a kick traps into QEMU, or arrives from elsewhere through a chardev."""

    def __init__(
        self, host: Host, name: str, driver: GuestDriver, ways: tuple[VirtIOBlock, BigQemuLock, Chardev | None]
    ) -> None:
        super().__init__(host, name, driver, None)
        self.device, self.bql, self.chardev = ways
        self._doorbell, self._by_chardev = Choice(name, "doorbell"), Choice(name, "chardev")

    def choices(self) -> list[Choice]:
        """The doorbell while a vCPU thread can take the BQL, and the chardev."""
        if self.driver.made == len(self.driver.requests):
            return []
        found = [self._by_chardev] if self.chardev is not None else []
        return found if self.bql.held else [*found, self._doorbell]

    def act(self, label: str) -> None:
        """Kick for the next request."""
        request = self.driver.add_request()
        if label == "doorbell":
            self.kvm_cpu_exec()
            return
        assert self.chardev is not None
        self.chardev.send()
        self.host.event("a kick for %s arrives at the chardev", request.name)

    def kvm_cpu_exec(self) -> None:
        """The vCPU thread leaves the guest for the doorbell's address, takes the BQL and runs the queue handler itself."""
        self.host.event("writes the doorbell")
        self.device.virtio_queue_notify()

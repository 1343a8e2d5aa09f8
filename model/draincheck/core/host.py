"""What the emulated QEMU runs on: host threads that the scheduler interleaves, the event log, and the code base's knobs.

The machine moves in steps. A *step* is what one thread does from one scheduling point to the next; the scheduler decides whose step
comes next, and nothing else decides anything. Three kinds of points:

* `point()` is where another thread may act whatever this one has done or will do: a wait, the entry of the job's coroutine,
  what comes after a look at something that others change;
* `between()` stands between two things that a loop may do. It is a point only if this thread has done something since its last one;
* `loop_head()` is one if it has done something, or `looked` at something of its own that led to nothing.

Everything between two points is done under a lock that keeps the others away (the BQL, an AioContext), or is of no interest to them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, NoReturn, TypeVar

from greenlet import getcurrent, greenlet

from draincheck.core.errors import QemuAbort
from draincheck.core.events import EventLog
from draincheck.knobs import Knobs

__all__ = ["Choice", "Host", "Thread"]


T = TypeVar("T")


class Choice(NamedTuple):
    """One thing that may happen next: a process's step, and which of several where it has more than one."""

    process: str
    label: str = ""


class Thread:
    """A thread of the host process, or something outside it that acts in whole steps (guest, storage, ...).

    Attributes:
        name: its name.
        process: what its steps are called now: its own name, or that of the coroutine that it runs.
        stack: its own stack, on which everything began; None for an actor that only ever makes whole steps.
        greenlet: where it stands; None for an actor that only ever makes whole steps.
        until: what it waits for before its next step may begin, or None.
        acted: it has done something since its last scheduling point, or has just been made.
        looked: it has tested something since then.
        back: it has come back from a job's coroutine, and has done nothing else since.
        atomic: depth of the sections in which it has no scheduling points.
    """

    __slots__ = ("acted", "atomic", "back", "greenlet", "looked", "name", "process", "stack", "until")

    def __init__(self, name: str, main: Callable[[], object] | None = None) -> None:
        self.name = self.process = name
        self.stack: greenlet | None = None if main is None else greenlet(main)
        self.greenlet = self.stack
        self.until: Callable[[], bool] | None = None
        self.acted, self.looked, self.back = True, False, False
        self.atomic = 1 if main is None else 0


class Host:
    """Threads, scheduling points, choices and the event log, as the emulated code sees them. Made by `Machine`."""

    def __init__(self, knobs: Knobs, log: EventLog | None, choose: Callable[[Sequence[Choice]], int]) -> None:
        self.knobs = knobs
        self.log = log
        self.steps = 0
        self.hub = getcurrent()
        self.running = Thread("start")
        #: the coroutines that were made
        self.coroutines: list[greenlet] = []
        #: how many block jobs there are
        self.jobs = 1
        #: how many of them are polling in a drain, on each stack (a thread's or a coroutine's)
        self.polling: Counter[object] = Counter()
        #: what has been handed to another thread, which waits for a lock that the running one has
        self.handed_over: list[Callable[[], None]] = []
        self._choose = choose

    # -- for the emulated code ------------------------------------------------------------------------------------------------

    def point(self, until: Callable[[], bool] | None = None) -> None:
        """Let others act; go on when the scheduler says so, which it may only once `until` holds."""
        thread = self.running
        if thread.atomic:
            return
        thread.acted = thread.looked = thread.back = False
        thread.until = until
        thread.greenlet = getcurrent()
        self.hub.switch()

    def between(self) -> None:
        """Let others act if this thread has done anything since its last point."""
        if self.running.acted:
            self.point()

    def acted(self, back: bool = False) -> None:
        """This thread has done something; `back`: it has entered a job's coroutine, which has given control back."""
        self.running.acted = True
        self.running.back = back

    def looked(self) -> None:
        """This thread has looked at something that only it changes, and there was nothing to do."""
        self.running.looked = True

    def looks_on(self) -> None:
        """This thread looks for more to do; others may act before that if it has just come back from a job's coroutine."""
        if self.running.back:
            self.point()
            self.looked()

    def loop_head(self) -> None:
        """Let others act if this thread has done or tested anything since its last point."""
        if self.running.acted or self.running.looked:
            self.point()

    def atomically(self, function: Callable[[], T]) -> T:
        """Call a function without any scheduling point in it."""
        thread = self.running
        thread.atomic += 1
        result = function()
        thread.atomic -= 1
        return result

    def choose(self, *labels: str) -> str:
        """What of several things happens, where that is open and not a matter of threads. One label is no choice."""
        if len(labels) == 1:
            return labels[0]
        process = self.running.process
        return labels[self._choose([Choice(process, label) for label in labels])]

    def in_thread_of(self, context: str, function: Callable[[], None]) -> None:
        """Do something in the thread that serves a context: at once if that one runs, else when the locks have been let go of."""
        if (context == "iothread") == (self.running.name == "iothread"):
            function()
        else:
            self.handed_over.append(function)

    def locks_are_free(self) -> None:
        """Another thread does now what it has been handed."""
        while self.handed_over:
            self.handed_over.pop(0)()

    @contextmanager
    def polls(self) -> Generator[None]:
        """A job polls in a drain, on the current stack."""
        stack = getcurrent()
        self.polling[stack] += 1
        yield
        self.polling[stack] -= 1

    @property
    def all_poll(self) -> bool:
        """Every job is polling on the current stack."""
        return self.polling[getcurrent()] == self.jobs

    def event(self, text: str, *args: object, mark: str = "") -> None:
        """Say what has just been done; `args` fill `text` as `%` does, if there is a log."""
        self.acted()
        self.note(text, *args, mark=mark)

    def note(self, text: str, *args: object, mark: str = "") -> None:
        """Say something that changes nothing for anybody else."""
        if self.log is not None:
            self.log.add(self.steps, self.running.process, text % args if args else text, mark)

    def qemu_abort(self, message: str, crash: bool = False) -> NoReturn:
        """QEMU ends here: an assertion fails, or (`crash`) it dies of corrupted memory."""
        self.event(message)
        raise QemuAbort(message, crash)

    # -- for the machine ------------------------------------------------------------------------------------------------------

    def resume(self, thread: Thread) -> None:
        """Run a thread to its next scheduling point."""
        self.running = thread
        self.hub = getcurrent()
        assert thread.greenlet is not None
        thread.greenlet.switch()

    def act(self, actor: Thread, function: Callable[[], None]) -> None:
        """Do a whole step of an actor that has no stack of its own."""
        self.running = actor
        function()

"""Limits of time, states and memory, and what is left of them: one budget for all that a command does.

A budget is started once, and looked at by whatever may take long or grow: the recorder of a model, engines, graphs, certificates. What is
asked without limits of its own shares that of the command that runs. Whoever wants a command to end before (Ctrl-C) says so here, too: what
looks at its budget ends in the same way, and what was found until then stays.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from mmap import mmap
from time import perf_counter

from msgspec import Struct
from msgspec.structs import replace

from draincheck.errors import ModelError, OutOfBudget
from draincheck.reason import Stop, StopKind

__all__ = [
    "NO_LIMITS",
    "Budget",
    "Limits",
    "default_memory",
    "divided",
    "free_memory",
    "fulfilled",
    "grace",
    "interrupt",
    "interrupted",
    "look",
    "memory_in_use",
    "running",
    "want_whole",
    "was_heard",
]

#: the part of the free memory that a command may take, unless told otherwise
SHARE = 0.75

#: seconds between two looks at memory
MEMORY_AGAIN = 0.02

MEGABYTE = 1 << 20

#: where Linux says what this process takes, in pages
STATM = "/proc/self/statm"


def want_whole(value: object, name: str, least: int | None = 0) -> None:
    """Raise ModelError for what is no whole number, or a smaller one: `name` says whose it is."""
    if not isinstance(value, int) or isinstance(value, bool) or (least is not None and value < least):
        raise ModelError(f"{name} is a whole number{'' if least is None else f' from {least}'}, not {value!r}")


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value  # noqa: PLR0124 (no number is none)


class Limits(Struct, frozen=True):
    """Where work stops. None means no limit; what has no time left stops at once. Raises ModelError for what is no limit.

    Attributes:
        states: distinct states stored. Symbolic engines know nothing of states.
        seconds: wall time.
        depth: steps looked ahead. The explicit search knows nothing of depth.
        memory: bytes that this process takes.
    """

    states: int | None = None
    seconds: float | None = None
    depth: int | None = None
    memory: int | None = None

    def __post_init__(self) -> None:
        for name, value in (("states", self.states), ("depth", self.depth), ("memory", self.memory)):
            if value is not None:
                want_whole(value, f"the limit {name}")
        if self.seconds is not None and not _is_time(self.seconds):
            raise ModelError(f"the limit seconds is a number, or None, not {self.seconds!r}")

    def begun(self) -> Budget:
        """The budget that starts now; what is not said in it, the running command's says, and time ends with that in any case."""
        now, around = perf_counter(), _running[-1] if _running else None
        if around is None:
            return Budget(self.states, self.seconds, self.depth, self.memory, now)
        states = around.states if self.states is None else self.states
        memory = around.memory if self.memory is None else self.memory
        seconds, started = self.seconds, now
        if around.seconds is not None and (seconds is None or around.started + around.seconds < now + seconds):
            seconds, started = around.seconds, around.started
        return Budget(states, seconds, self.depth, memory, started)


class Budget(Limits, frozen=True):
    """Limits of something that has begun, at `started` by the clock of `perf_counter`."""

    started: float = 0.0

    def begun(self) -> Budget:
        """It has."""
        return self

    def passed(self) -> float:
        """The seconds that have passed."""
        return perf_counter() - self.started

    def left(self) -> float | None:
        """The seconds that are left, negative when there are none; None without a limit."""
        return None if self.seconds is None else self.seconds - self.passed()

    def stop(self, more: int = 0) -> Stop | None:
        """That the command is to end, or the limit of time or memory that is reached, if so many bytes more are taken; or None."""
        if _request.is_made():
            return Stop(StopKind.REQUEST)
        left = self.left()
        if left is not None and left <= 0:
            return Stop(StopKind.SECONDS, self.seconds)
        if self.memory is not None and _memory.now() + more > self.memory:
            return Stop(StopKind.MEMORY, round(self.memory / MEGABYTE) or self.memory / MEGABYTE)
        return None

    def look(self, more: int = 0) -> None:
        """Raise OutOfBudget if there is reason to stop."""
        if stop := self.stop(more):
            raise OutOfBudget(stop)


NO_LIMITS = Limits()

#: the budget of the command that runs; before it, those of the commands around it
_running: list[Budget] = []


@contextmanager
def running(limits: Limits) -> Generator[Budget]:
    """A command with limits: what it does shares its budget."""
    _running.append(limits.begun())
    try:
        yield _running[-1]
    finally:
        _running.pop()
        if not _running:
            _request.forget()


@contextmanager
def grace() -> Generator[None]:
    """In here nothing stops: what was found is shown, which takes no longer than to find it."""
    before, _running[:] = _running[:], []
    asked = _request.suspend()
    try:
        yield
    finally:
        _running[:] = before
        _request.resume(asked)


@contextmanager
def divided(processes: int) -> Generator[None]:
    """Processes that are started in here have an equal part of the command's memory each."""
    budget = NO_LIMITS.begun()
    share = None if budget.memory is None else budget.memory // processes
    with running(replace(budget, memory=share)):
        yield


def look(more: int = 0) -> None:
    """Raise OutOfBudget if the command that runs is to end, or has reached a limit, or would with so many bytes more."""
    if _running:
        _running[-1].look(more)


# -- the wish that a command ends -------------------------------------------------------------------


class _Request:
    """A wish in a byte that this process shares with those that are forked from it; each knows for itself whether it has heard it."""

    def __init__(self) -> None:
        self._made, self.heard = mmap(-1, 1), False

    def make(self) -> None:
        """Wish it."""
        self._made[0] = 1

    def is_made(self) -> bool:
        """Whether it was wished; whoever asks is about to stop."""
        if self._made[0]:
            self.heard = True
        return self.heard

    def suspend(self) -> bool:
        """Let nobody hear it; True if it was made."""
        made = bool(self._made[0])
        self._made[0], self.heard = 0, False
        return made

    def resume(self, made: bool) -> None:
        """What was suspended."""
        self._made[0], self.heard = self._made[0] or made, self.heard or made

    def forget(self) -> None:
        """For the next command."""
        self._made[0], self.heard = 0, False


_request = _Request()


def interrupt() -> bool:
    """Ask the command that runs to end, here and in the processes that work for it; False if none runs."""
    if _running:
        _request.make()
    return bool(_running)


def interrupted() -> bool:
    """Whether the command that runs was asked to end."""
    return bool(_running) and _request.is_made()


def fulfilled() -> None:
    """What was asked to end has ended, and the command goes on: nothing more of it is to stop."""
    _request.forget()


def was_heard() -> bool:
    """Whether something in this process has looked at its budget since the command was asked to end."""
    return _request.heard


# -- memory -----------------------------------------------------------------------------------------


class _Memory:
    """What this process takes, looked at now and then: a look costs more than a step of a search."""

    def __init__(self) -> None:
        self._next, self._bytes = 0.0, 0

    def now(self) -> int:
        """The bytes, as they were a moment ago."""
        if (time := perf_counter()) >= self._next:
            self._next, self._bytes = time + MEMORY_AGAIN, memory_in_use()
        return self._bytes


_memory = _Memory()


def memory_in_use() -> int:
    """The bytes of memory that this process takes; where the system does not say so, the most that it has taken."""
    try:
        return int(_text(STATM).split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        from resource import RUSAGE_SELF, getrusage

        return getrusage(RUSAGE_SELF).ru_maxrss * 1024


def free_memory() -> int | None:
    """The bytes that are free for this process, as the system and its control groups say; None if they do not."""
    free = [*_available(), *_left_in_groups()]
    return min(free, default=None)


def default_memory() -> int | None:
    """What a command may take that was not told: what it takes already, and `SHARE` of what is free."""
    free = free_memory()
    return None if free is None else memory_in_use() + int(SHARE * free)


def _available() -> Iterator[int]:
    for line in _lines("/proc/meminfo"):
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            yield int(rest.split()[0]) * 1024


def _left_in_groups() -> Iterator[int]:
    """What is left in each control group around this process: those of version 2, and of version 1."""
    for line in _lines("/proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if not controllers:
            yield from _left("/sys/fs/cgroup", path, "memory.max", "memory.current")
        elif "memory" in controllers.split(","):
            yield from _left("/sys/fs/cgroup/memory", path, "memory.limit_in_bytes", "memory.usage_in_bytes")


def _left(root: str, path: str, most: str, used: str) -> Iterator[int]:
    folder = f"{root}/{path.strip('/')}".rstrip("/")
    while len(folder) >= len(root):
        limit, usage = _number(f"{folder}/{most}"), _number(f"{folder}/{used}")
        if limit is not None and usage is not None:
            yield max(0, limit - usage)
        folder = folder.rpartition("/")[0]


def _number(file: str) -> int | None:
    """The number that is all a file says; None if there is none (`max`), or no such file."""
    text = "".join(_lines(file)).strip()
    return int(text) if text.isdecimal() else None


def _lines(file: str) -> list[str]:
    try:
        return _text(file).splitlines()
    except (OSError, ValueError):
        return []


def _text(file: str) -> str:
    with open(file, encoding="utf-8") as found:  # noqa: PTH123 - every command asks, and pathlib is long in loading
        return found.read()

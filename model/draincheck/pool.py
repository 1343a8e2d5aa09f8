"""Many independent pieces of work, in several processes."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence, Sized
from contextlib import ExitStack
from select import select
from time import perf_counter
from typing import TYPE_CHECKING, TypeVar

from draincheck.budget import NO_LIMITS, divided, want_whole
from draincheck.errors import OutOfBudget

if TYPE_CHECKING:
    from draincheck.reason import Stop
    from draincheck.worker import Reply, Worker

__all__ = ["apart", "how_many", "in_processes"]

#: seconds between two looks at the budget
LOOK = 0.1

#: seconds that the other processes have to hand in what they have found when there is reason to stop: they look at their budgets, too
GRACE = 2.0

T = TypeVar("T")
R = TypeVar("R")


def how_many(wanted: int | None = None) -> int:
    """How many processes may work: as many as there are cores, or so many as are wanted; 1 where others cannot be forked.

    Raises ModelError for what is wanted and no whole number from 1.
    """
    if wanted is not None:
        want_whole(wanted, "processes", 1)
    if not _can_fork():
        return 1
    return wanted or (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def _can_fork() -> bool:
    """Whether other processes can be forked from this one."""
    return sys.platform.startswith("linux")


def in_processes(work: Callable[[T], R], items: Sequence[T], processes: int | None = None) -> Iterator[R]:
    """What `work` makes of each item, in their order, by as many processes as there are cores (or `processes`).

    This process does it alone where no others can be forked, and for a single item. Exceptions come through as they are, each in its
    item's turn. The others end with this one, with the last item, and when nobody wants the rest. Raises WorkerLost if one does before,
    and OutOfBudget when there is reason to stop and no more of what was begun can be had.
    """
    number = min(len(items), how_many(processes))
    if number < 2:
        yield from map(work, items)
        return
    with ExitStack() as stack:
        with divided(number):
            workers = [stack.enter_context(_worker(work)) for _ in range(number)]
        for reply in _in_order(workers, items):
            yield reply.get()


def apart(work: Callable[[], Iterator[R]]) -> Iterator[R]:
    """What `work` yields, one by one, found by a process of its own: nothing that runs there changes this one, or ends it.

    Its standard error is this one's. This process does it where no other can be forked. Exceptions come through as they are. Raises WorkerLost
    if the other ends before it is done, and OutOfBudget when there is reason to stop and it does not.
    """
    if not _can_fork():
        yield from work()
        return
    found, patience = work(), _Patience()

    def following(_: None) -> R | None:
        return next(found, None)

    with _worker(following, speaks=True) as worker:
        worker.ask(None)
        while (item := _reply(worker, patience).get()) is not None:
            yield item
            worker.ask(None)


def _worker(work: Callable[[T], R], *, speaks: bool = False) -> Worker[T, R]:
    """A process that does this work; see `Worker`."""
    # here, since it brings what processes talk through: a twentieth of a second that one alone does not need
    from draincheck.worker import Worker

    return Worker(work, speaks=speaks)


def _reply(worker: Worker[T, R], patience: _Patience) -> Reply[R]:
    """What a worker that was asked says."""
    while not select([worker], [], [], LOOK)[0]:
        patience.demand([worker])
    return worker.reply()


def _in_order(workers: Sequence[Worker[T, R]], items: Sequence[T]) -> Iterator[Reply[R]]:
    """The replies to the items; whoever has given one gets the next item."""
    free, todo = deque(workers), deque(enumerate(items))
    busy: dict[Worker[T, R], int] = {}
    replies: dict[int, Reply[R]] = {}
    patience = _Patience()
    for wanted in range(len(items)):
        while wanted not in replies:
            patience.demand(busy)
            while free and todo and not patience.stopped:
                worker, (number, item) = free.popleft(), todo.popleft()
                worker.ask(item)
                busy[worker] = number
            for worker in select(busy, [], [], LOOK)[0]:
                replies[busy.pop(worker)] = worker.reply()
                free.append(worker)
        yield replies.pop(wanted)


class _Patience:
    """How long others are waited for when there is reason to stop, which is `stopped`."""

    def __init__(self) -> None:
        self._budget = NO_LIMITS.begun()
        self.stopped: Stop | None = None
        self._end = 0.0

    def demand(self, busy: Sized) -> None:
        """Raise OutOfBudget once nothing more is to be had of those who are busy."""
        if self.stopped is None and (stop := self._budget.stop()):
            self.stopped, self._end = stop, perf_counter() + GRACE
        if self.stopped is not None and (not busy or perf_counter() > self._end):
            raise OutOfBudget(self.stopped)

"""Many independent pieces of work, in several processes."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from select import select
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from draincheck.worker import Reply, Worker

__all__ = ["how_many", "in_processes"]

T = TypeVar("T")
R = TypeVar("R")


def how_many(wanted: int | None = None) -> int:
    """How many processes may work: as many as there are cores, or so many as are wanted; 1 where others cannot be forked."""
    if not sys.platform.startswith("linux"):
        return 1
    return wanted or (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def in_processes(work: Callable[[T], R], items: Sequence[T], processes: int | None = None) -> Iterator[R]:
    """What `work` makes of each item, in their order, by as many processes as there are cores (or `processes`).

    This process does it alone where no others can be forked, and for a single item. Exceptions come through as they are, each in its
    item's turn. The others end with this one, with the last item, and when nobody wants the rest. Raises WorkerLost if one does before.
    """
    number = min(len(items), how_many(processes))
    if number < 2:
        yield from map(work, items)
        return
    from draincheck.budget import divided
    from draincheck.worker import Worker

    with ExitStack() as stack:
        with divided(number):
            workers = [stack.enter_context(Worker(work)) for _ in range(number)]
        for reply in _in_order(workers, items):
            yield reply.get()


def _in_order(workers: Sequence[Worker[T, R]], items: Sequence[T]) -> Iterator[Reply[R]]:
    """The replies to the items; whoever has given one gets the next item."""
    free, todo = deque(workers), deque(enumerate(items))
    busy: dict[Worker[T, R], int] = {}
    replies: dict[int, Reply[R]] = {}
    for wanted in range(len(items)):
        while wanted not in replies:
            while free and todo:
                worker, (number, item) = free.popleft(), todo.popleft()
                worker.ask(item)
                busy[worker] = number
            for worker in select(busy, [], [])[0]:
                replies[busy.pop(worker)] = worker.reply()
                free.append(worker)
        yield replies.pop(wanted)

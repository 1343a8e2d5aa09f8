"""Many independent pieces of work, in several processes."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

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

    This process does it alone where no others can be forked, and for a single item. Exceptions come through as they are.
    """
    workers = min(len(items), how_many(processes))
    if workers < 2:
        yield from map(work, items)
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import active_children, get_context

    others = set(active_children())
    with ProcessPoolExecutor(workers, get_context("fork"), signal.signal, (signal.SIGINT, signal.SIG_IGN)) as pool:
        with warnings.catch_warnings():
            # Python warns of other threads, whose locks a forked process could wait for; none is held here.
            warnings.simplefilter("ignore", DeprecationWarning)
            running = [pool.submit(work, item) for item in items]
        try:
            for future in running:
                yield future.result()
        except BaseException:  # Ctrl-C, an error, or nobody wants the rest
            for process in set(active_children()) - others:
                process.terminate()
            pool.shutdown(cancel_futures=True)
            raise

"""A budget for Python that does not look at it: a user's program, which may loop, sleep or grow.

A thread looks instead, and sends the main thread a signal, whose handler raises OutOfBudget where the program is. It does so again until it
is heard: an exception may be lost in a `__del__` or in a callback of a weak reference, where Python can only report it, or caught by the program.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from threading import Event, Thread, current_thread, main_thread
from types import FrameType
from typing import TYPE_CHECKING

from draincheck.budget import NO_LIMITS, Budget
from draincheck.errors import OutOfBudget

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

__all__ = ["watched"]

#: seconds between two looks
AGAIN = 0.05

#: a signal that nobody else uses here: Ctrl-C needs SIGINT and SIGALRM
SIGNAL = getattr(signal, "SIGVTALRM", None)


@contextmanager
def watched() -> Generator[None]:
    """In here OutOfBudget is raised once the running command is to end; not in another thread than the main one, which no signal reaches."""
    if SIGNAL is None or current_thread() is not main_thread():
        yield
        return
    budget, over = NO_LIMITS.begun(), Event()

    def end(number: int, frame: FrameType | None) -> None:
        if not over.is_set() and (stop := budget.stop()):
            raise OutOfBudget(stop)

    report = sys.unraisablehook

    def lost(what: UnraisableHookArgs) -> None:
        if not issubclass(what.exc_type, OutOfBudget):
            report(what)

    before, sys.unraisablehook = signal.signal(SIGNAL, end), lost
    watch = Thread(target=_watch, args=(budget, over), daemon=True)
    watch.start()
    try:
        yield
    finally:
        over.set()
        watch.join()
        signal.signal(SIGNAL, before)
        sys.unraisablehook = report


def _watch(budget: Budget, over: Event) -> None:
    """Look at a budget until it is over."""
    thread = main_thread().ident
    while not over.wait(AGAIN):
        if budget.stop() and SIGNAL is not None and thread is not None:
            signal.pthread_kill(thread, SIGNAL)

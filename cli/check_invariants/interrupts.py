"""Ctrl-C and SIGTERM, never lost: the budget of the command is told, and what looks at that ends with what it has found.

Where nobody looks, KeyboardInterrupt is raised a moment later. An exception that a signal's handler raises is lost in a `__del__`, in a
callback from C, and in z3's Python code, which is full of both. There it waits. What is lost all the same is reported by Python, and raised
anew.
"""

from __future__ import annotations

import os
import signal
import sys
from time import monotonic
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

__all__ = ["answered", "exit_number", "hear_every_interrupt", "hear_no_more"]

#: seconds until Ctrl-C comes again
AGAIN = 0.01

#: seconds in which somebody should have looked at the budget; there are two such times, for a long call of C takes all of one
GRACE = 0.25

#: seconds after which another Ctrl-C is meant as one: the user has lost patience
PATIENCE = 1.0

#: what the number of a signal is added to where a run ends by it
BY_SIGNAL = 128

#: the signals that are heard, each where Python does this with it by itself
_HEARD = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}

#: the first signal that came, and when
_first: list[tuple[int, float]] = []


def exit_number() -> int:
    """What an interrupted run ends with: 130 after Ctrl-C, 143 after SIGTERM (`exit.ExitCode`, which is too much to import before everything else)."""
    return BY_SIGNAL + (_first[0][0] if _first else signal.SIGINT)


def hear_every_interrupt() -> None:
    """Handle Ctrl-C and SIGTERM from here on, but for what whoever started this process has ignored."""
    heard = [number for number, usual in _HEARD.items() if signal.getsignal(number) is usual]
    for number in heard:
        signal.signal(number, _interrupt)
    if heard and hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGALRM, _interrupt_now_or_later)
        sys.unraisablehook = _again


def answered() -> bool:
    """Take Ctrl-C, where that is how something is ended and no reason to end the command: the next one counts anew. False after SIGTERM."""
    if exit_number() != BY_SIGNAL + signal.SIGINT:
        return False
    if hasattr(signal, "SIGALRM"):
        signal.setitimer(signal.ITIMER_REAL, 0)
    _first.clear()
    if budget := sys.modules.get("draincheck.budget"):
        budget.fulfilled()
    return True


def hear_no_more() -> None:
    """All is said and done: what comes now, or was to come again, changes nothing. SIGTERM ends what does not end by itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(signal, "SIGALRM"):
        signal.setitimer(signal.ITIMER_REAL, 0)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Ctrl-C, or SIGTERM; the second ends the process at once."""
    if not _first:
        _first.append((number, monotonic()))
        if not _is_asked_to_end():
            _interrupt_now_or_later(number, frame)
    elif monotonic() - _first[0][1] > PATIENCE:
        os._exit(exit_number())


def _is_asked_to_end() -> bool:
    """Tell the command that runs; False if none does, or nothing would come of it."""
    budget = sys.modules.get("draincheck.budget")
    if budget is None or not hasattr(signal, "SIGALRM") or not budget.interrupt():
        return False
    signal.signal(signal.SIGALRM, _wait_on)
    signal.setitimer(signal.ITIMER_REAL, GRACE)
    return True


def _wait_on(number: int, frame: FrameType | None) -> None:
    """The first time is over: one more."""
    signal.signal(signal.SIGALRM, _give_up_waiting)
    signal.setitimer(signal.ITIMER_REAL, GRACE)


def _give_up_waiting(number: int, frame: FrameType | None) -> None:
    """Nobody has heard it: an exception is heard."""
    signal.signal(signal.SIGALRM, _interrupt_now_or_later)
    if not sys.modules["draincheck.budget"].was_heard():
        _interrupt_now_or_later(number, frame)


def _interrupt_now_or_later(number: int, frame: FrameType | None) -> None:
    if hasattr(signal, "SIGALRM") and _is_deaf(frame):
        signal.setitimer(signal.ITIMER_REAL, AGAIN)
    else:
        raise KeyboardInterrupt


def _is_deaf(frame: FrameType | None) -> bool:
    """Whether an exception could be lost, or leave z3 half-way."""
    while frame is not None:
        if frame.f_code.co_name == "__del__" or frame.f_globals.get("__name__", "").partition(".")[0] == "z3":
            return True
        frame = frame.f_back
    return False


def _again(lost: UnraisableHookArgs) -> None:
    """Python could not raise an exception: if it was Ctrl-C, it comes again."""
    if issubclass(lost.exc_type, KeyboardInterrupt):
        signal.setitimer(signal.ITIMER_REAL, AGAIN)
    else:
        sys.__unraisablehook__(lost)

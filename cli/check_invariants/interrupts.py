"""Ctrl-C, never lost: where Python would swallow it, it comes again a moment later.

An exception that a signal's handler raises is lost in a `__del__`, in a callback from C, and in z3's Python code, which is full of both. There
it waits. What is lost all the same is reported by Python, and raised anew.
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

__all__ = ["hear_every_interrupt"]

#: seconds until Ctrl-C comes again
AGAIN = 0.01

#: seconds after which another Ctrl-C is meant as one: the user has lost patience
PATIENCE = 1.0

#: the exit code of a run that was interrupted (`exit.ExitCode`, which costs too much to import before everything else)
INTERRUPTED = 130

#: when the first Ctrl-C came
_heard: list[float] = []


def hear_every_interrupt() -> None:
    """Handle Ctrl-C from here on, unless whoever started this process has it ignored."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return
    signal.signal(signal.SIGINT, _interrupt)
    if hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGALRM, _interrupt_now_or_later)
        sys.unraisablehook = _again


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Ctrl-C; the second ends the process at once."""
    if not _heard:
        _heard.append(monotonic())
        _interrupt_now_or_later(number, frame)
    elif monotonic() - _heard[0] > PATIENCE:
        os._exit(INTERRUPTED)


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

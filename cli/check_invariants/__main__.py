"""The entry point: `check-invariants`, and `python -m check_invariants`."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from contextlib import nullcontext, suppress
from typing import NoReturn

from check_invariants import interrupts

__all__ = ["main"]

#: after how many new objects Python looks for cycles: nearly all that a command makes is kept, and in 700, as usual, there is nothing to find
SELDOM = 500_000, 20, 20

#: a page of help is there before anybody has lost patience
SHORT = {"-h", "--help", "--version"}

#: what Ctrl-C ends it with (`exit.ExitCode`)
INTERRUPTED = 130

#: ends the process, whatever a model's program has registered for its end, or put in the place of `sys.exit` and its like
_END = os._exit


def main() -> NoReturn:
    """Run the command line, and end the process with its exit code."""
    gc.set_threshold(*SELDOM)
    code = _run() if SHORT.isdisjoint(sys.argv) else _print_help()
    if not _others_go_on():
        _tidy_up()
    _leave(code)


def _run() -> int:
    """Whatever the command does; interrupts are heard from the first moment to the last."""
    code: int | None = None
    try:
        interrupts.hear_every_interrupt()
        code = _carried_out()
        _hear_no_more()
    except KeyboardInterrupt:
        _hear_no_more()
    if code is None:
        print("Error: interrupted: nothing was decided", file=sys.stderr)
        code = interrupts.exit_number()
    return code


def _hear_no_more() -> None:
    """What was to come again may come just now: it changes nothing any more."""
    while True:
        with suppress(KeyboardInterrupt):
            return interrupts.hear_no_more()


def _print_help() -> int:
    """Most probably. Whatever else was meant, Ctrl-C ends it."""
    with suppress(KeyboardInterrupt):
        return _carried_out()
    return INTERRUPTED


def _carried_out() -> int:
    """Loads the command line, within what hears interrupts."""
    from check_invariants.main import cli

    return int(cli.main(standalone_mode=False))


def _tidy_up() -> None:
    """Do what was left for the end, but what a model's program has left for it cannot put another end in the place of the command's."""
    program = sys.modules.get("draincheck.program")
    with suppress(Exception, KeyboardInterrupt), program.staying() if program else nullcontext():
        atexit._run_exitfuncs()  # pyright: ignore[reportPrivateUsage] (nothing public runs them)


def _others_go_on() -> bool:
    """Whether there is a thread that Python would wait for: one of a model's."""
    threading = sys.modules.get("threading")
    return threading is not None and any(
        not thread.daemon and thread is not threading.main_thread() for thread in threading.enumerate()
    )


def _leave(code: int) -> NoReturn:
    """End the process, whoever goes on. What it holds is the system's to free: Python would take a tenth of a short command for it."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    _END(code)


if __name__ == "__main__":
    main()

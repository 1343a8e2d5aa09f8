"""Run a command, and say what it took: `python -S measured.py FILE SECONDS MEMORY THREADS COMMAND...`.

A process of its own, and a small one, because a process that is started from a large one is said to have been as large. FILE gets four
numbers: seconds of processor time, seconds by the clock, bytes of memory at the peak, and how it ended (below zero: by that signal); and 1
if that was because of SECONDS by the clock. MEMORY is in bytes of addresses, THREADS in processors; 0: no limit.
"""

import os
import resource
import signal
import sys
from time import perf_counter

#: what ends the command, and all that it has started; whoever is interrupted leaves nothing behind
ENDS = signal.SIGALRM, signal.SIGINT, signal.SIGTERM


def main(file: str, seconds: str, memory: str, threads: str, *command: str) -> None:
    """Wait for the command, all that it has started included."""
    started, is_late = perf_counter(), False
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
    child = os.fork()
    if not child:
        become(command, int(memory), int(threads))

    def end(*_: object) -> None:
        nonlocal is_late
        is_late = True
        os.killpg(child, signal.SIGKILL)

    for each in ENDS:
        signal.signal(each, end)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS)
    signal.setitimer(signal.ITIMER_REAL, float(seconds))
    _, status, used = os.wait4(child, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    wall, code = perf_counter() - started, os.waitstatus_to_exitcode(status)
    with open(file, "w") as output:  # noqa: PTH123 - pathlib would make this process larger
        print(used.ru_utime + used.ru_stime, wall, used.ru_maxrss * 1024, code, int(is_late), file=output)


def become(command: tuple[str, ...], memory: int, threads: int) -> None:
    """Become the command, in a group of its own."""
    try:
        os.setsid()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS)
        if threads:
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
        if memory:
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        os.execvp(command[0], command)
    finally:
        os._exit(127)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Processes that work for this one: forked from it, they answer questions one by one, and none outlives it or holds its output open."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from multiprocessing.connection import Connection, Pipe
from pickle import dumps, loads
from threading import Thread
from typing import Generic, NoReturn, Protocol, TypeVar
from weakref import finalize

from draincheck.errors import WorkerLost

__all__ = ["Reply", "Worker"]

Q = TypeVar("Q")
A = TypeVar("A")
A_co = TypeVar("A_co", covariant=True)

#: prctl(2): the signal that the kernel sends to a process when its parent ends
PR_SET_PDEATHSIG = 1

#: seconds between two looks at whether the parent still lives, where the kernel does not tell
LOOK = 0.5


class Reply(Protocol[A_co]):
    """What came of a question."""

    def get(self) -> A_co:
        """The answer; raises the exception instead that stood in its way, if one did."""
        ...


class _Answer(Generic[A]):
    def __init__(self, answer: A) -> None:
        self._answer = answer

    def get(self) -> A:
        return self._answer


class _Failure:
    def __init__(self, error: Exception) -> None:
        self._error = error

    def get(self) -> NoReturn:
        try:
            raise self._error
        finally:
            del self  # or error and frame refer to each other, and with them whoever asked: a process would live until Python looks for cycles


class Worker(Generic[Q, A]):
    """A process that answers questions, one at a time; use it in a `with` statement, or let go of it: it ends.

    It is forked with whatever `work` knows here, so that only questions and answers are sent. Ctrl-C and SIGTERM are for its parent alone.
    """

    def __init__(self, work: Callable[[Q], A], speaks: bool = False) -> None:
        """Fork it; `speaks`: its standard error is that of this process, and not nothing."""
        parent = os.getpid()
        ours, theirs = Pipe()
        with _undisturbed():
            process = os.fork()
            if process == 0:
                ours.close()
                _serve(work, theirs, parent, speaks)
            self._end = finalize(self, _ended, process, ours, parent)
        theirs.close()
        self._pipe, self.process = ours, process

    def __enter__(self) -> Worker[Q, A]:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def fileno(self) -> int:
        """What `multiprocessing.connection.wait` looks at to see whether there is a reply."""
        return self._pipe.fileno()

    def ask(self, question: Q) -> None:
        """Put a question. Raises WorkerLost."""
        try:
            self._pipe.send(question)
        except OSError as error:
            raise self._lost() from error

    def reply(self) -> Reply[A]:
        """What came of the question, as soon as it is there. Raises WorkerLost."""
        try:
            reply: Reply[A] = self._pipe.recv()
        except (EOFError, OSError) as error:
            raise self._lost() from error
        return reply

    def end(self) -> None:
        """End the process, whatever it does."""
        self._end()

    def _lost(self) -> WorkerLost:
        _, status = os.waitpid(self.process, 0)
        self._end.detach()
        self._pipe.close()
        code = os.waitstatus_to_exitcode(status)
        return WorkerLost(f"by {signal.Signals(-code).name}" if code < 0 else f"with code {code}")


def _ended(process: int, pipe: Connection, parent: int) -> None:
    """Kill and reap a worker; a fork of its parent leaves it alone."""
    if os.getpid() == parent:
        pipe.close()
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)


@contextmanager
def _undisturbed() -> Generator[None]:
    """Ctrl-C and SIGTERM wait until a fork is over, and Python does not warn of other threads: no lock of theirs is needed by a worker."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# -- in the other process ---------------------------------------------------------------------------


def _serve(work: Callable[[Q], A], pipe: Connection, parent: int, speaks: bool) -> NoReturn:
    """Answer until there is nobody who asks."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _end_with(parent)
        _let_go_of_the_terminal(speaks)
        while True:
            pipe.send_bytes(_answered(work, pipe.recv()))
    except (EOFError, OSError):
        pass
    finally:
        os._exit(0)


def _answered(work: Callable[[Q], A], question: Q) -> bytes:
    """The reply; an exception comes with its traceback as a note, and in words if it cannot be sent as it is."""
    try:
        return dumps(_Answer(work(question)))
    except Exception as error:
        error.add_note(traceback.format_exc())
        try:
            loads(sent := dumps(_Failure(error)))
        except Exception:
            return dumps(_Failure(RuntimeError(f"{type(error).__name__}: {error}")))
        return sent


def _let_go_of_the_terminal(speaks: bool) -> None:
    """Whoever reads the parent's output sees its end when the parent ends; but for standard error, where it speaks."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in range(2 if speaks else 3):
        os.dup2(nothing, standard)


def _end_with(parent: int) -> None:
    """See to it that this process ends when its parent does, however that ends."""
    if not _told_by_the_kernel():
        Thread(target=_watch, args=(parent,), daemon=True).start()
    if os.getppid() != parent:
        os._exit(0)


def _told_by_the_kernel() -> bool:
    """Ask Linux to kill this process when its parent ends."""
    if not sys.platform.startswith("linux"):
        return False
    return not ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK)
    os._exit(0)

"""z3, seen through the few calls that are needed. Importing this module does not import z3; opening a solver does.

Python hears no Ctrl-C while z3 works, and z3's own handler would keep it for itself: the main thread has its checks made by another
thread, waits for them, and interrupts z3 when it is interrupted.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from functools import partial
from importlib import import_module
from threading import Lock, Thread, current_thread, local, main_thread
from typing import Any

from draincheck.budget import NO_LIMITS, Budget
from draincheck.solvers.protocol import Answer, unreadable

__all__ = ["Z3", "IncrementalZ3"]


#: seconds after which z3, interrupted, is interrupted again: it forgets what comes before it has begun
AGAIN = 0.05

#: seconds between two looks at the budget
LOOK = 0.1

#: the z3 context of each thread that has opened an incremental solver
_thread = local()


#: seconds from which on a limit is none: z3 counts milliseconds in 32 bits
LONGEST = 4_000_000


class Z3:
    """Answers each question by a solver of its own. Everything goes in as SMT-LIB text."""

    def __init__(self, seconds: float | None = None) -> None:
        """A solver with so much time for each question."""
        self._z3 = import_module("z3")
        self._context = self._own_context()
        self._parser = self._z3.ParserContext(self._context)
        self._seconds = seconds

    def define(self, text: str) -> None:
        """Read declarations and definitions. Raises Unreadable."""
        self._read(text)

    def ask(self, condition: str) -> Answer:
        """Whether a term has a solution, given the definitions. Raises Unreadable."""
        solver = self._z3.Solver(ctx=self._context)
        _limit(solver, self._seconds)
        solver.add(self._read(f"(assert {condition})"))
        return self._answer(solver.check)

    def interrupt(self) -> None:
        """Make a check that runs in another thread end soon."""
        self._context.interrupt()

    def _answer(self, check: Callable[[], Any]) -> Answer:
        """What a check comes to. Raises KeyboardInterrupt, in the main thread, as soon as z3 has let go."""
        if current_thread() is not main_thread():
            return Answer(str(check()))
        checking = _Checking(check)
        try:
            checking.wait(NO_LIMITS.begun())
        except BaseException:
            _thread.__dict__.pop("context", None)  # an interrupt that comes too late would end what is asked next there
            raise
        finally:
            while not checking.is_over():
                self.interrupt()
            checking.join()
        return Answer(str(checking.result()))

    def _own_context(self) -> Any:
        """A z3 context that nobody else works in at the same time.

        Python may find terms that nobody needs in whichever thread comes to collect garbage, while z3 works in another.
        """
        context = self._z3.Context()
        self._z3.Z3_enable_concurrent_dec_ref(context.ref())
        return context

    def _read(self, text: str) -> Any:
        try:
            return self._parser.from_string(text)
        except self._z3.Z3Exception as error:
            raise unreadable("z3", error) from error


class IncrementalZ3(Z3):
    """Keeps what was asserted.

    The solvers of one thread share a z3 context, which takes longer to make than a small system takes to solve; two threads never do.
    """

    def __init__(self, logic: str) -> None:
        """A solver for a logic of SMT-LIB."""
        super().__init__()
        # z3's solver for finite domains, which knows bit vectors, is several times faster than that for QF_BV
        self._solver = self._z3.SolverFor("QF_FD" if logic == "QF_BV" else logic, ctx=self._context)
        if logic == "QF_BV":
            # its inprocessing pays on long runs only; in these short ones it took half of the time, and sometimes far more
            self._solver.set("simplify.delay", 10_000_000)

    def add(self, text: str) -> None:
        """Read commands, and add what they assert."""
        self._solver.add(self._read(text))

    def check(self, assumptions: Iterable[str], seconds: float | None) -> Answer:
        """Whether what was added, and some constants that were declared, can all be true."""
        _limit(self._solver, seconds)
        assumed = "".join(f"(assert {assumption})" for assumption in assumptions)
        return self._answer(partial(self._solver.check, *self._read(assumed)))

    def is_out_of_time(self) -> bool:
        """After an unknown answer: whether time was the reason."""
        return self._solver.reason_unknown() in ("timeout", "canceled")

    def is_hopeless(self) -> bool:
        """After an unsat answer: whether no assumption was needed for it."""
        return not self._solver.unsat_core()

    def values(self, names: Container[str]) -> dict[str, int]:
        """After a sat answer: the values of some constants; one that does not matter is left out."""
        model = self._solver.model()
        named = ((declared.name(), declared) for declared in model.decls())
        return {name: self._number(model[declared]) for name, declared in named if name in names}

    def _own_context(self) -> Any:
        if not hasattr(_thread, "context"):
            _thread.context = super()._own_context()
        return _thread.context

    def _number(self, value: Any) -> int:
        is_number = self._z3.is_bv_value(value) or self._z3.is_int_value(value)
        return int(value.as_long()) if is_number else int(self._z3.is_true(value))


class _Checking(Thread):
    """A check in a thread of its own, which keeps no term of z3's when it is over: z3 works in one thread at a time."""

    def __init__(self, check: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self._check: Callable[[], Any] | None = check
        self._found: Any = None
        self._error: Exception | None = None
        self._working = Lock()
        self._working.acquire()
        self.start()

    def run(self) -> None:
        """Check."""
        assert self._check is not None
        try:
            self._found = self._check()
        except Exception as error:  # handed to the thread that waits
            self._error = error
        finally:
            self._check = None
            self._working.release()

    def wait(self, budget: Budget) -> None:
        """Until it is over, there is reason to stop, or a signal's handler raises something."""
        while not self._working.acquire(timeout=LOOK):
            if budget.stop():
                return
        self._working.release()

    def is_over(self) -> bool:
        """Whether it ends in a moment."""
        return not self._working.locked() or self._working.acquire(timeout=AGAIN)

    def result(self) -> Any:
        """What was found; raises what was raised."""
        if self._error is not None:
            raise self._error
        return self._found


def _limit(solver: Any, seconds: float | None) -> None:
    solver.set("ctrl_c", False)
    if (memory := NO_LIMITS.begun().memory) is not None:
        solver.set("max_memory", max(1, memory >> 20))
    if seconds is not None and seconds < LONGEST:
        solver.set("timeout", max(1, int(seconds * 1000)))

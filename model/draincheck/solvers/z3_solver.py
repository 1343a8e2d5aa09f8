"""z3, seen through the few calls that are needed. Importing this module does not import z3; opening a solver does."""

from __future__ import annotations

from collections.abc import Container, Iterable
from importlib import import_module
from threading import local
from typing import Any

from draincheck.solvers.protocol import Answer, unreadable

__all__ = ["Z3", "IncrementalZ3"]


#: the z3 context of each thread that has opened an incremental solver
_thread = local()


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
        return Answer(str(solver.check()))

    def _own_context(self) -> Any:
        """A z3 context that nobody else works in at the same time."""
        return self._z3.Context()

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
        return Answer(str(self._solver.check(*self._read(assumed))))

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

    def interrupt(self) -> None:
        """Make a check that runs in another thread end soon."""
        self._context.interrupt()

    def _own_context(self) -> Any:
        if not hasattr(_thread, "context"):
            _thread.context = super()._own_context()
        return _thread.context

    def _number(self, value: Any) -> int:
        is_number = self._z3.is_bv_value(value) or self._z3.is_int_value(value)
        return int(value.as_long()) if is_number else int(self._z3.is_true(value))


def _limit(solver: Any, seconds: float | None) -> None:
    if seconds is not None:
        solver.set("timeout", max(1, int(seconds * 1000)))

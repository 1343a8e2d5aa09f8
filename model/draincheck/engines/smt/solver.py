"""z3, seen through the few calls that the engines make. Importing this module does not import z3; making a `Solver` does."""

from __future__ import annotations

from collections.abc import Container, Iterable
from enum import Enum
from importlib import import_module
from threading import local
from typing import Any

__all__ = ["Answer", "Solver"]


#: the z3 context of each thread that has made a solver
_thread = local()


class Answer(Enum):
    """What a solver says."""

    SAT = "sat"
    UNSAT = "unsat"
    #: out of time, interrupted, or beyond it; the solver must not be asked again
    UNKNOWN = "unknown"


class Solver:
    """A solver with declarations and definitions of its own. Everything goes in as SMT-LIB text.

    The solvers of one thread share a z3 context, which takes longer to make than a small system takes to solve; two threads never do.
    """

    def __init__(self, logic: str) -> None:
        self._z3: Any = import_module("z3")
        if not hasattr(_thread, "context"):
            _thread.context = self._z3.Context()
        self._context: Any = _thread.context
        self._parser: Any = self._z3.ParserContext(self._context)
        # z3's solver for finite domains, which knows bit vectors, is several times faster than that for QF_BV
        self._solver: Any = self._z3.SolverFor("QF_FD" if logic == "QF_BV" else logic, ctx=self._context)
        if logic == "QF_BV":
            # its inprocessing pays on long runs only; in these short ones it took half of the time, and sometimes far more
            self._solver.set("simplify.delay", 10_000_000)

    def define(self, text: str) -> None:
        """Read declarations and definitions."""
        self._parser.from_string(text)

    def add(self, text: str) -> None:
        """Read commands, and add what they assert."""
        self._solver.add(self._parser.from_string(text))

    def check(self, assumptions: Iterable[str], seconds: float | None) -> Answer:
        """Whether what was added, and some constants that were declared, can all be true."""
        if seconds is not None:
            self._solver.set("timeout", max(1, int(seconds * 1000)))
        assumed = "".join(f"(assert {assumption})" for assumption in assumptions)
        answer = self._solver.check(*self._parser.from_string(assumed))
        return Answer(str(answer))

    def is_out_of_time(self) -> bool:
        """After an unknown answer: whether time was the reason."""
        return self._solver.reason_unknown() in ("timeout", "canceled")

    def is_hopeless(self) -> bool:
        """After an unsat answer: whether no assumption was needed for it."""
        return not self._solver.unsat_core()

    def values(self, names: Container[str]) -> dict[str, int]:
        """After a sat answer: the values of some constants, truth values as 0 and 1.

        A constant that does not matter is left out; it may have any value.
        """
        model = self._solver.model()
        named = ((declared.name(), declared) for declared in model.decls())
        return {name: self._number(model[declared]) for name, declared in named if name in names}

    def interrupt(self) -> None:
        """Make a check that runs in another thread end soon."""
        self._context.interrupt()

    def _number(self, value: Any) -> int:
        is_number = self._z3.is_bv_value(value) or self._z3.is_int_value(value)
        return int(value.as_long()) if is_number else int(self._z3.is_true(value))

"""SMT solvers behind one protocol: they read SMT-LIB text and say whether it has a solution. None is imported before it is opened.

`SmtSolver` is what certificates need, and any of them can: definitions, and questions one by one. `Incremental` is what unrolling a
system needs besides, and z3 alone can: assertions that stay, assumptions, values, an end from another thread.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from enum import Enum
from importlib.util import find_spec
from typing import Protocol

from draincheck.errors import NoSolver

__all__ = ["SOLVERS", "Answer", "Incremental", "SmtSolver", "demand", "incremental", "open_solver"]

#: known solvers, by the names of their modules
SOLVERS = ("z3", "cvc5")


class Answer(Enum):
    """What a solver says."""

    SAT = "sat"
    UNSAT = "unsat"
    #: out of time, interrupted, or beyond it; an incremental solver must not be asked again
    UNKNOWN = "unknown"


class SmtSolver(Protocol):
    """Reads definitions, and answers questions about them."""

    def define(self, text: str) -> None:
        """Read declarations and definitions. Raises Unreadable."""
        ...

    def ask(self, condition: str) -> Answer:
        """Whether a term has a solution, given the definitions and nothing else. Raises Unreadable."""
        ...


class Incremental(SmtSolver, Protocol):
    """A solver that keeps what was asserted."""

    def add(self, text: str) -> None:
        """Read commands, and add what they assert."""
        ...

    def check(self, assumptions: Iterable[str], seconds: float | None) -> Answer:
        """Whether what was added, and some constants that were declared, can all be true."""
        ...

    def is_out_of_time(self) -> bool:
        """After an unknown answer: whether time was the reason."""
        ...

    def is_hopeless(self) -> bool:
        """After an unsat answer: whether no assumption was needed for it."""
        ...

    def values(self, names: Container[str]) -> dict[str, int]:
        """After a sat answer: the values of some constants, truth values as 0 and 1.

        A constant that does not matter is left out; it may have any value.
        """
        ...

    def interrupt(self) -> None:
        """Make a check that runs in another thread end soon."""
        ...


def demand(name: str) -> None:
    """Raise NoSolver if a solver is not known or not installed."""
    if name not in SOLVERS:
        raise NoSolver(f"unknown solver {name!r}; known: {', '.join(SOLVERS)}")
    if find_spec(name) is None:
        raise NoSolver(f"{name} is not installed; pip install 'check-invariants[{name}]'")


def open_solver(name: str, seconds: float | None = None) -> SmtSolver:
    """A solver, with so much time for each question. Raises NoSolver."""
    demand(name)
    if name == "cvc5":
        from draincheck.solvers.cvc5_solver import Cvc5

        return Cvc5(seconds)
    from draincheck.solvers.z3_solver import Z3

    return Z3(seconds)


def incremental(logic: str) -> Incremental:
    """A solver for the paths of a system, in a logic of SMT-LIB."""
    from draincheck.solvers.z3_solver import IncrementalZ3

    return IncrementalZ3(logic)

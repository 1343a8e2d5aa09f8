"""What a solver is asked, and what it says.

`SmtSolver` is what certificates need, and any solver can: definitions, and questions one by one. `Incremental` is what unrolling a
system needs besides, and z3 alone can: assertions that stay, assumptions, values, an end from another thread.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from enum import Enum
from typing import Protocol

from draincheck.errors import Unreadable

__all__ = ["Answer", "Incremental", "SmtSolver", "unreadable"]


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


def unreadable(solver: str, problem: object) -> Unreadable:
    """What a solver complains about, without the text that it shows."""
    said = problem.args[0] if isinstance(problem, Exception) and problem.args else problem
    text = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
    first = (text.strip().splitlines() or ["no reason given"])[0][:200]
    return Unreadable(f"{solver} cannot read it: {first}")

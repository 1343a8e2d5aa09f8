"""SMT solvers behind one protocol: they read SMT-LIB text and say whether it has a solution. None is imported before it is opened."""

from __future__ import annotations

import os

from draincheck import optional
from draincheck.errors import NoSolver
from draincheck.solvers.cvc5_solver import Cvc5, Cvc5Here
from draincheck.solvers.protocol import Answer, Incremental, SmtSolver
from draincheck.solvers.z3_solver import Z3, IncrementalZ3

__all__ = ["SOLVERS", "Answer", "Incremental", "SmtSolver", "demand", "incremental", "open_solver"]

#: known solvers, by the names of their modules
SOLVERS = ("z3", "cvc5")


def demand(name: str) -> None:
    """Raise NoSolver if a solver is not known, NotInstalled if it is not there."""
    if name not in SOLVERS:
        raise NoSolver(f"unknown solver {name!r}; known: {', '.join(SOLVERS)}")
    optional.demand(name)


def open_solver(name: str, seconds: float | None = None) -> SmtSolver:
    """A solver, with so much time for each question. Raises NoSolver and NotInstalled."""
    demand(name)
    if name == "z3":
        return Z3(seconds)
    return Cvc5(seconds) if hasattr(os, "fork") else Cvc5Here(seconds)


def incremental(logic: str) -> Incremental:
    """A solver for the paths of a system, in a logic of SMT-LIB. Raises NotInstalled."""
    demand("z3")
    return IncrementalZ3(logic)

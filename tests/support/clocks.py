"""Time without waiting for it, and without a guess at how fast a machine is."""

from __future__ import annotations

from importlib import import_module
from itertools import count

import pytest

from draincheck import budget
from draincheck.solvers import SmtSolver, open_solver
from draincheck.solvers.protocol import Answer

#: is there a product of two numbers of 32 bits that is a prime of 61 bits? No solver says so in any time that a test could wait
FACTORS = "(declare-const p (_ BitVec 64)) (declare-const q (_ BitVec 64))"
PRODUCT = f"(and (= (bvmul p q) (_ bv{2**61 - 1} 64)) (bvult p (_ bv{2**32} 64)) (bvult q (_ bv{2**32} 64)))"


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour passes between two looks that an engine takes at its clock: every limit of time is reached."""
    looks = count()
    monkeypatch.setattr(budget, "perf_counter", lambda: 3600.0 * next(looks))


class Stumped:
    """A solver that finds whatever it is asked too hard: it is asked something else."""

    def __init__(self, solver: SmtSolver) -> None:
        self._solver = solver

    def define(self, text: str) -> None:
        """Read it, and what is too hard."""
        self._solver.define(text + FACTORS)

    def ask(self, condition: str) -> Answer:
        """Ask what is too hard."""
        return self._solver.ask(PRODUCT)


@pytest.fixture
def stumped(monkeypatch: pytest.MonkeyPatch) -> None:
    """No query of a certificate is answered within a limit of time; without a limit it would not end."""
    module = import_module("draincheck.certificate.check")  # the package has a function of that name
    monkeypatch.setattr(module, "open_solver", lambda name, seconds: Stumped(open_solver(name, seconds)))

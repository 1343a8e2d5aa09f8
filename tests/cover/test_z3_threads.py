"""z3 and Python's collection of garbage: terms that nobody needs are let go in whichever thread comes to it, while z3 works in another."""

from __future__ import annotations

import subprocess
import sys

import pytest

#: solvers that only the collection of cycles ends, beside a thread that makes it happen all the time
SCRIPT = """
import gc, sys, threading
from draincheck.solvers import z3_solver
import z3
if "unguarded" in sys.argv:
    z3.Z3_enable_concurrent_dec_ref = lambda context: None
gc.set_threshold(50)
over = threading.Event()

def churn():
    while not over.is_set():
        cycle = []
        cycle.append(cycle)

threading.Thread(target=churn, daemon=True).start()
for _ in range(100):
    solver = z3_solver.IncrementalZ3("QF_BV")
    solver.add("(declare-const a (_ BitVec 8))(declare-const b (_ BitVec 8))(declare-const q Bool)(assert (=> q (= (bvmul a b) #x0f)))")
    assert [solver.check(["q"], None).value for _ in range(5)] == ["sat"] * 5
    cycle = [solver]
    cycle.append(cycle)
    del solver
over.set()
"""


def ends_well(*arguments: str) -> bool:
    """Whether the script comes to its end."""
    return subprocess.run([sys.executable, "-c", SCRIPT, *arguments], capture_output=True, check=False).returncode == 0


@pytest.mark.slow
def test_terms_are_let_go_by_another_thread() -> None:
    """The process neither dies nor gets a wrong answer."""
    assert ends_well()


@pytest.mark.long
def test_without_a_guard_they_are_not() -> None:
    """Negative control: memory that two threads free at once breaks z3 in one of some runs."""
    assert not all(ends_well("unguarded") for _ in range(30))

"""How long S1 takes for any number of writes: `python benchmarks/parametric.py`.

Prints CPU seconds for each distinct system of the story, the whole table, and what proving the invariant's parts first saves. No asserts:
machines differ.
"""

from __future__ import annotations

from time import process_time

from draincheck.certificate import SOLVERS, check
from draincheck.engines.smt import bmc
from draincheck.revisions import code_bases, find_revision
from drainspecs.mirror.counted import S1, Family, decide_all


def table() -> None:
    """Every code base; those that share a system are decided once."""
    whole = started = process_time()
    for row, decision in zip(code_bases(), decide_all(code_bases()), strict=True):
        seconds, started = process_time() - started, process_time()
        if seconds > 0.1:
            print(f"{row.name:30} {decision.verdict.outcome.value:9} {seconds:5.2f} s")
    print(f"{'all code bases':30} {'':9} {process_time() - whole:5.2f} s")


def unaided(name: str) -> None:
    """The search for a counterexample without and with what is known of reachable states."""
    family = Family.of(find_revision(name))
    started = process_time()
    bmc.decide(family.any_writes(), [S1], instance=family.member)
    middle = process_time()
    family.refute()
    print(f"refute {name}: {process_time() - middle:.2f} s, without the invariant {middle - started:.2f} s")


def certificates(name: str) -> None:
    """Making a certificate, and having it checked."""
    family = Family.of(find_revision(name))
    decision, started = family.prove(), process_time()
    certificate = family.certificate(decision)
    print(f"certificate of {name}: {len(certificate.text):,} bytes, made in {process_time() - started:.2f} s", end="")
    for solver in SOLVERS:
        started = process_time()
        check(certificate, decision.system, solver)
        print(f", checked by {solver} in {process_time() - started:.2f} s", end="")
    print()


if __name__ == "__main__":
    table()
    for slow in ("f3926945c8", "ab27c3b5e7", "d4a92a8420-without-37989ced44"):
        unaided(slow)
    certificates("9a0cec664e")

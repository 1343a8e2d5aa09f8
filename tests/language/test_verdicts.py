"""Verdicts and shortest counterexamples of the search engine against the direct reading, on random programs."""

from __future__ import annotations

from draincheck.engines.explicit import explore
from draincheck.verdict import Outcome, Verdict
from tests.language import direct
from tests.language.play import record
from tests.language.random_programs import random_program
from tests.language.refusal import refusal
from tests.language.tree import Program

DEADLOCK = "no deadlock"


def test_engine_gives_the_verdicts_of_the_direct_reading() -> None:
    """Deadlocks and checks, with the length of the counterexample: from the statements to the verdict."""
    violated = 0
    for program in (program for program in map(random_program, range(150)) if not refusal(program)):
        expected = direct.explore(program, [])
        if not expected.errors:
            found = lengths(program)
            assert found == {name: expected.broken.get(name) for name in found} | {DEADLOCK: expected.deadlock}, (
                program.name
            )
            violated += sum(length is not None for length in found.values())
    assert violated > 25


def lengths(program: Program) -> dict[str, int | None]:
    """For each property the length of its counterexample, None where it holds."""
    model = record(program, [])
    model.no_deadlock(DEADLOCK)
    return {name: length(verdict) for name, verdict in explore(model.compile()).verdicts.items() if name != "aborted"}


def length(verdict: Verdict) -> int | None:
    """How many actions a counterexample has."""
    if verdict.outcome is Outcome.HOLDS:
        return None
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.trace is not None
    return len(verdict.trace.actions)

"""Verdicts and shortest counterexamples of the search engine against the direct reading, on random programs."""

from __future__ import annotations

from collections import Counter

import pytest

from draincheck.engines.explicit import explore
from draincheck.verdict import Outcome, Verdict
from tests.language import direct
from tests.language.play import record
from tests.language.random_programs import random_program
from tests.language.refusal import refusal
from tests.language.tree import Program
from tests.language.working import of_interest, surely_idle
from tests.support.samples import sampled

DEADLOCK = "no deadlock"


@pytest.mark.parametrize("programs", sampled([50, 150], 1))
def test_engine_gives_the_verdicts_of_the_direct_reading(programs: int) -> None:
    """Stuck processes and checks, with the length of the counterexample, and checks that no step asks: from the statements to the verdict."""
    violated = unasked = 0
    for program in (program for program in map(random_program, range(programs)) if not refusal(program)):
        expected = direct.explore(program, [])
        if not expected.errors:
            found = lengths(program)
            asked = {name: 0 if name in expected.asked else -1 for name in found if name not in expected.broken}
            stuck = direct.stuck(program)
            deadlock = {DEADLOCK: stuck + 1 if stuck is not None else found[DEADLOCK]}
            assert stuck is not None or found[DEADLOCK] in unstuck(program), program.name
            broken = {name: length + 1 for name, length in expected.broken.items()}
            assert found == asked | broken | deadlock, program.name
            violated += sum(length > 0 for length in found.values())
            unasked += sum(length < 0 for length in found.values())
    assert (violated > programs // 6, unasked > programs // 50) == (True, True)


def unstuck(program: Program) -> set[int]:
    """What may be said of a program where nobody is stuck: it holds, or was never asked, because nothing moves but what does nothing for ever.

    Of a process with guards the direct reading does not know whether it may have to wait with other values than those that it sees.
    """
    moving = [process for process in program.processes if process.name in direct.movers(program)]
    if of_interest(program).intersection(process.name for process in moving):
        return {0}
    return {-1} if all(map(surely_idle, moving)) else {0, -1}


def test_reading_of_idle_threads_tells_them_apart() -> None:
    """Negative control: a few of the random programs do nothing for ever, most do something, and few leave it open."""
    found = Counter(str(unstuck(p)) for p in map(random_program, range(150)) if not refusal(p))
    assert 0 < found["{-1}"] < 9 < found["{0}"] and found["{0, -1}"] < 9, found


#: what the direct reading calls the errors of a run, and the demands that they violate
ERRORS = {
    "range": "values in range",
    "reentry": "coroutines entered once",
    "scheduled": "coroutines scheduled once",
    "error": "no error met",
    "bound": "no bound passed",
}


@pytest.mark.parametrize("programs", sampled([100, 200], 1))
def test_engine_finds_the_errors_of_the_direct_reading(programs: int) -> None:
    """Each kind of error of a run, and bounds, with the length of the shortest trace; and none that there is not."""
    met = dict.fromkeys(ERRORS, 0)
    for program in (program for program in map(random_program, range(programs)) if not refusal(program)):
        expected = {ERRORS[kind]: length for kind, length in direct.explore(program, []).errors.items()}
        verdicts = explore(record(program, []).compile()).verdicts
        found = {name: length(verdicts[name]) for name in ERRORS.values() if name in verdicts}
        assert found == expected, program.name
        met = {kind: times + (ERRORS[kind] in expected) for kind, times in met.items()}
    assert min(met.values()) >= programs // 100, met


def lengths(program: Program) -> dict[str, int]:
    """For each property what `length` says of its verdict."""
    model = record(program, [])
    model.no_deadlock(DEADLOCK)
    model.final_when = None
    return {name: length(verdict) for name, verdict in explore(model.compile()).verdicts.items() if name != "aborted"}


def length(verdict: Verdict) -> int:
    """One more than a counterexample has actions; 0 where it holds, -1 where it was never asked."""
    if verdict.outcome is Outcome.HOLDS:
        return 0
    if verdict.outcome is Outcome.NEVER_ASKED:
        return -1
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.trace is not None
    return len(verdict.trace.actions) + 1

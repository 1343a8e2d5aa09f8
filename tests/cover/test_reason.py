"""Reasons: what a verdict rests on, as values with words."""

from __future__ import annotations

import pytest

from draincheck.reason import (
    AtFault,
    ByEngine,
    EitherWay,
    Excluded,
    Exhaustive,
    Incomplete,
    NoLongerPath,
    NothingUpTo,
    NothingWalkedInto,
    Reason,
    RunsForEver,
    Shortest,
    Stop,
    StopKind,
)

WORDS = [
    (Exhaustive(), "exhaustive"),
    (Shortest("witness", 1), "shortest witness: 1 action"),
    (RunsForEver(3, 0), "counterexample: 3 actions, then nothing moves"),
    (RunsForEver(3, 2), "counterexample: 3 actions, the last 2 repeat for ever"),
    (Incomplete(5, "polls (m.py:2)"), "bound passed: polls (m.py:2) after 5 states"),
    (
        Incomplete(5, "polls (m.py:2)", stopped=Stop(StopKind.MEMORY, 512)),
        "memory limit 512 MB reached, bound passed: polls (m.py:2) after 5 states",
    ),
    (NothingUpTo("witness", None, stopped=Stop(StopKind.SOLVER)), "no witness found; z3 gave up"),
    (
        NothingWalkedInto(2, 9, 0, "polls", stopped=Stop(StopKind.SECONDS, 0.5)),
        "only a search: 2 random walks of up to 9 actions found nothing (seed 0; time limit 0.5 s reached)",
    ),
    (Excluded(bounded=True), "every reachable state is excluded by its pairs of values, but a bound may be passed"),
    (NoLongerPath(1), "no path is longer than 1 step"),
    (AtFault(), "model fault"),
    (AtFault("x leaves its range"), "model fault: x leaves its range"),
    (EitherWay(ByEngine("a", Exhaustive()), ByEngine("b", NoLongerPath(2))), "a: exhaustive; b: no path is longer than 2 steps"),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "words"), WORDS, ids=[words for _, words in WORDS])
def test_a_reason_says_itself(reason: Reason, words: str) -> None:
    """Each kind has words of its own; what stopped a search is among them."""
    assert str(reason) == words


def test_what_stopped_a_search_can_be_asked() -> None:
    """Code compares limits as values: another limit, or another number, is another reason."""
    reason = Incomplete(5, stopped=Stop(StopKind.STATES, 5))
    assert reason.stopped == Stop(StopKind.STATES, 5)
    assert reason.stopped not in (Stop(StopKind.STATES, 6), Stop(StopKind.SECONDS, 5), Exhaustive().stopped)

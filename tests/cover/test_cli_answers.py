"""The answer of a command is the first and the last line that it prints, and its document says the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.cli import run
from tests.support.samples import sampled

EXAMPLE = str(Path(__file__).parents[2] / "examples" / "lost_wakeup.py")

#: command -> its answers
ANSWERS: dict[tuple[str, ...], list[str]] = {
    ("claims", "opens"): ["1 claim: 1 confirmed; all as expected"],
    ("liveness", "--revision", "v2.9.0", "--scenario", "mirror", "--scenario", "dataplane"): [
        "v2.9.0: violated: L7s in mirror, L2 in dataplane"
    ],
    ("liveness", "--revision", "d4a92a8420", "--scenario", "timer"): ["v2.7.0: everything that is asked holds"],
    ("matrix", "--revision", "v2.6.0", "--revision", "v5.0.0", "--scenario", "mirror"): [
        "v2.6.0 loses acknowledged writes silently in mirror",
        "v5.0.0 is safe with mirror",
    ],
    ("sweep", "--knob", "is_external", "--knob", "bandage"): ["mirror: S1 holds in none of 4 code bases"],
    ("sweep", "--knob", "drain", "--knob", "bandage"): ["mirror: S1 holds in 1 of 4 code bases"],
    ("simulate", "--revision", "v2.2.0", "--runs", "40"): [
        "b112a65c52 / mirror: 40 runs: 33 fine, 7 silent loss; only a search"  # by its seed
    ],
    ("parametric", "--revision", "9a0cec664e"): ["S1 for any number of writes: holds"],
    ("why", f"{EXAMPLE}:lost_wakeup", "--property", "no deadlock"): [
        "lost wakeup: no deadlock is violated; with recheck=on it holds"
    ],
    ("why", "--revision", "ab27c3b5e7"): [
        "ab27c3b5e7 / mirror: S1 is violated; it would hold without drain=yield_late, or without begin=after_release; "
        "other scenarios are not asked: --scenario"
    ],
    ("why", "--revision", "5a7e7a0bad~1"): [
        "5a7e7a0bad~1 / mirror: S1 holds, whichever of the 0 changes since 5a7e7a0bad~1 are taken back; other scenarios are not asked: --scenario"
    ],
    ("why", "--revision", "5a7e7a0bad~1", "--scenario", "timer"): [
        "5a7e7a0bad~1 / timer: S1 holds, whichever of the 0 changes since 5a7e7a0bad~1 are taken back"
    ],
    ("repair", "--revision", "9a0cec664e", "--scenario", "commit"): [
        "9a0cec664e, commit: nothing to mend: S1, S2, S3, S4, S8, A1, F1, R1 hold"
    ],
    ("repair", "--revision", "9a0cec664e"): [
        "9a0cec664e, mirror: nothing to mend: S1, S2, S3, S4, S8, A1, F1, R1 hold; other scenarios are not asked: --scenario"
    ],
    ("repair", "--revision", "ab27c3b5e7"): [
        "ab27c3b5e7, mirror: the cheapest repair is begin=before_check (cost 2); 2 more suffice; other scenarios are not asked: --scenario"
    ],
    ("repair", "--revision", "39bf92dd70"): [
        "39bf92dd70, mirror: one of the two cheapest repairs is notifier_home=main, begin=before_check (cost 5); 3 more suffice; "
        "other scenarios are not asked: --scenario"
    ],
    ("repair", "--with", "begin=before_check", "--scenario", "timer"): [
        "ab27c3b5e7, timer: begin=before_check leaves open: S1, S2, S8, A1"
    ],
    ("repair", "--with", "begin=before_check"): [
        "ab27c3b5e7, mirror: begin=before_check suffices; other scenarios are not asked: --scenario"
    ],
    ("replay", "{trace}"): ["ab27c3b5e7 / mirror: silent loss on the core; S4 is violated: reproduced"],
}

#: what is left to the large tests
DEAR = [("parametric", "--revision", "9a0cec664e"), ("why", "--revision", "ab27c3b5e7")]


@pytest.fixture(name="trace")
def a_trace(tmp_path: Path) -> str:
    """A trace file."""
    file = str(tmp_path / "S4.json")
    assert run("trace", "export", "--revision", "ab27c3b5e7", "--property", "S4", "-o", file).exit_code == 0
    return file


@pytest.mark.parametrize(
    "command", sampled(ANSWERS, [words for words in list(ANSWERS)[:11] if words not in DEAR], 13), ids=" ".join
)
def test_the_answer_is_first_and_last_and_in_the_document(command: tuple[str, ...], trace: str) -> None:
    """Word for word."""
    words = [trace if word == "{trace}" else word for word in command]
    expected = ANSWERS[command]
    lines = run(*words).stdout.splitlines()
    assert lines[: len(expected)] == lines[-len(expected) :] == expected
    data, several = json.loads(run(*words, "--json").stdout), words[0] in ("matrix", "liveness")
    assert data["answers" if several else "answer"] == (expected if several else expected[0])

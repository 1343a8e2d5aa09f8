"""`--short`, wherever a trace is shown or explained."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import run
from tests.support.samples import sampled

#: what shows a trace: a check of one scenario, of all, a comparison
SHOWN = (
    "check --revision ab27c3b5e7 --scenario mirror --property S3",
    "compare 9a0cec664e --set begin=after_release --scenario mirror",
    "check --revision ab27c3b5e7",
    "compare 9a0cec664e --set begin=after_release",
)


@pytest.mark.parametrize("words", sampled(SHOWN, 2))
def test_short_is_for_every_trace_that_is_shown(words: str) -> None:
    """`check`, of one scenario and of all, and `compare` leave out the same steps, and say how many."""
    whole, short = (run(*words.split(), *more).stdout.splitlines() for more in ((), ("--short",)))
    (said,) = [line for line in short if line.startswith("left out: ")]
    assert said.endswith("that change nothing that is shown") and set(short) - set(whole) >= {said}
    assert len(short) < len(whole)


def test_short_is_refused_where_nothing_is_left_out() -> None:
    """A document has every step, and no trace has none."""
    for words in (("check", "--json"), ("check", "--no-trace"), ("compare", "v2.6.0", "v2.7.0", "--json")):
        result = run(*words, "--short")
        assert result.exit_code == 2 and "--short exclude each other" in result.stderr


def test_a_short_explanation_has_what_changes_something(tmp_path: Path) -> None:
    """Each step that it has is as it was, the last and the point of no return are there, and the number of the others is said."""
    file = str(tmp_path / "S4.json")
    run("trace", "export", "--revision", "ab27c3b5e7", "--property", "S4", "-o", file)
    whole, short = (run("explain", file, *more).stdout.split("\n\n") for more in ((), ("--short",)))
    steps = [part for part in short if part[:2].strip().isdigit()]
    assert set(steps[:-1]) <= set(whole) and len(steps) == 7
    assert any(part.startswith("18 ") and "the point of no return" in part for part in steps)
    assert steps[-1].startswith("42 ")
    assert short[-2] == "left out: 35 steps that change no condition and no property"
    assert short[-1] == short[0].splitlines()[0] + "\n"

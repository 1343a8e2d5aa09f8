"""The compiler of the modelling language against a reading of LANGUAGE.md that knows nothing of it.

20,000 random programs: 1,000 of them in every run, 3,000 in CI, the others in `make long`.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.language.campaign import first_seed, judged
from tests.language.random_programs import random_program
from tests.language.referee import report
from tests.support.samples import sampled

CHUNKS, SIZE, QUICK, FULL = 100, 200, 2, 15
START = first_seed()


@pytest.mark.parametrize("chunk", sampled(range(CHUNKS), QUICK, FULL))
def test_compiled_programs_do_what_the_page_says(chunk: int) -> None:
    """States, steps and their labels, deadlocks, violated checks, errors of the run, with shortest lengths: the same in both readings."""
    tally, differing = judged(range(START + chunk * SIZE, START + (chunk + 1) * SIZE))
    assert not differing, f"seeds {differing}; the first, made small:\n{report(random_program(differing[0]))}"
    assert tally.skipped <= SIZE // 50
    assert tally.refused <= SIZE // 6  # one in eighteen on average


@pytest.mark.slow
def test_random_programs_show_everything() -> None:
    """Hardly any program stands still, and every kind of finding is frequent: agreement is not emptiness."""
    tally, _ = judged(range(250))
    least = {"broken": 25, "deadlock": 25, "range": 1, "reentry": 5, "bound": 2, "error": 10, "scheduled": 2}
    assert {what: tally.seen[what] for what in least if tally.seen.get(what, 0) < least[what]} == {}
    assert tally.seen["still"] < 60
    assert tally.refused >= 1


SECOND_READING = ["tree", "spots", "meaning", "player", "direct", "refusal", "folding", "rewrite", "shrink", "source"]


@pytest.mark.parametrize("name", SECOND_READING)
def test_second_reading_knows_nothing_of_the_library(name: str) -> None:
    """The direct reading imports nothing of draincheck, and nothing else of these tests that might."""
    others = {f"tests.language.{other}" for other in SECOND_READING}
    assert {module for module in imported(name) if "draincheck" in module or module.startswith("tests.")} <= others


def test_what_the_compiled_side_imports_is_noticed() -> None:
    """The control: who knows the library is seen to."""
    assert {"draincheck.lang", "draincheck.system"} <= imported("compiled")


def imported(name: str) -> set[str]:
    """The modules that a module here imports."""
    tree = ast.parse((Path(__file__).parent / f"{name}.py").read_text())
    whole = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return whole | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

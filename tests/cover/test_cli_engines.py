"""`check --engine`: every engine answers in its own way, and none says more than it knows."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from check_invariants.main import cli


def verdicts(engine: str, *arguments: str) -> tuple[int, dict[str, str], dict[str, str]]:
    """Exit code, and verdict and reason by property."""
    result = CliRunner().invoke(cli, ["check", "--engine", engine, "--json", "--no-trace", *arguments])
    found = json.loads(result.stdout)["properties"]
    return result.exit_code, {p["name"]: p["verdict"] for p in found}, {p["name"]: p["how"] for p in found}


@pytest.mark.parametrize("engine", ["explicit", "bmc", "induction", "auto"])
def test_each_complete_engine_finds_the_shortest_counterexample(engine: str) -> None:
    """The same length, whoever looks."""
    code, found, how = verdicts(engine, "--revision", "f3926945c8", "--property", "S1")
    assert (code, found) == (0, {"S1": "violated"})
    assert "18 actions" in how["S1"]


def test_a_bounded_engine_never_says_holds() -> None:
    """It reached its depth: unknown, with exit code 30. What pairs of values decide, as they do S10, needs no depth."""
    code, found, how = verdicts("bmc", "--property", "S11", "--depth", "5")
    assert (code, found) == (30, {"S11": "unknown"})
    assert "5 steps" in how["S11"]


def test_induction_proves_without_exploring() -> None:
    """k-induction says holds, with its k."""
    code, found, how = verdicts("induction", "--property", "S10")
    assert (code, found) == (0, {"S10": "holds"})
    assert "k-induction" in how["S10"]


def test_simulation_says_that_it_is_only_a_search() -> None:
    """Nothing found is no proof."""
    code, found, how = verdicts("simulation", "--property", "S10")
    assert (code, found) == (30, {"S10": "unknown"})
    assert "only a search" in how["S10"]


def test_an_unknown_engine_is_refused() -> None:
    """Exit code 2, and the known ones are named."""
    result = CliRunner().invoke(cli, ["check", "--engine", "bdd"])
    assert result.exit_code == 2
    assert "explicit" in result.output

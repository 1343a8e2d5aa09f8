"""`check --engine`: every engine answers in its own way, and none says more than it knows."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from check_invariants.commands import check, prove
from check_invariants.main import cli
from draincheck.engines.registry import ENGINES
from tests.support.samples import sampled


def offered(command: click.Command) -> list[str]:
    """The engines that a command offers by name."""
    (option,) = (each for each in command.params if each.name == "engine")
    assert isinstance(option.type, click.Choice)
    return list(option.type.choices)


def test_the_engines_that_are_offered_are_those_that_there_are() -> None:
    """Help texts load no library, so the names stand there once more; certificates are made of some."""
    names = [engine.name for engine in ENGINES]
    assert offered(check.command) == names
    assert set(offered(prove.command)) < set(names)


def verdicts(engine: str, *arguments: str) -> tuple[int, dict[str, str], dict[str, str]]:
    """Exit code, and verdict and reason by property."""
    where = () if any(".py:" in argument for argument in arguments) else ("--scenario", "mirror")
    result = CliRunner().invoke(cli, ["check", "--engine", engine, "--json", "--no-trace", *arguments, *where])
    found = json.loads(result.stdout)["properties"]
    return result.exit_code, {p["name"]: p["verdict"] for p in found}, {p["name"]: p["how"] for p in found}


@pytest.mark.parametrize("engine", sampled(["explicit", "bmc", "auto", "induction"], 3))
def test_each_complete_engine_finds_the_shortest_counterexample(engine: str) -> None:
    """The same length, whoever looks."""
    code, found, how = verdicts(engine, "--revision", "f3926945c8", "--property", "S1")
    assert (code, found) == (12, {"S1": "violated"})
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


RING = """\
from draincheck.lang import Model


def ring():
    m = Model("ring")
    place, twice = m.int("place", 0, 40), m.int("twice", 0, 80)
    with m.thread("walker") as p, p.loop(), p.either() as choice:
        with choice(when=place < 40):
            p.do("forward", place.inc(), twice.set(twice + 2))
        with choice(when=place.is_(40)):
            p.do("home", place.set(0), twice.set(0))
    m.always("even", ~twice.is_(77))
    m.always("double", twice.is_(place + place))
    m.always("near", place < 40)
    m.reachable("home", place.is_(40))
    return m
"""


@pytest.fixture
def ring(tmp_path: Path) -> str:
    """A model of a user's: `even` is not inductive by itself."""
    (tmp_path / "ring.py").write_text(RING)
    return f"{tmp_path / 'ring.py'}:ring"


def test_a_lemma_makes_a_property_inductive(ring: str) -> None:
    """Without it unknown, exit code 30; with it k = 1."""
    arguments = ("--property", "even", "--depth", "5", ring)
    code, found, _ = verdicts("induction", *arguments)
    assert (code, found) == (30, {"even": "unknown"})
    code, found, how = verdicts("induction", *arguments, "--lemma", "double")
    assert (code, found, how) == (0, {"even": "holds"}, {"even": "k-induction, k = 1"})


def test_a_false_lemma_proves_nothing(ring: str) -> None:
    """It is a lemma only if it holds: unknown, and its number is said."""
    code, found, how = verdicts("induction", "--property", "even", "--depth", "60", ring, "--lemma", "near")
    assert (code, found) == (30, {"even": "unknown"})
    assert "lemma 1 is no invariant" in how["even"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--engine", "induction", "--lemma", "home"), "only an `always` can be a lemma"),
        (("--engine", "induction", "--lemma", "doubl"), "did you mean double?"),
        (("--engine", "bmc", "--lemma", "double"), "--lemma is for --engine induction"),
    ],
)
def test_a_lemma_that_is_none_is_refused(ring: str, arguments: tuple[str, ...], message: str) -> None:
    """Another kind of property, an unknown one, another engine: exit code 2."""
    result = CliRunner().invoke(cli, ["check", ring, *arguments])
    assert result.exit_code == 2
    assert message in result.output


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

"""Random walks through QEMU's code bases: they find the violations that are there, with a fixed seed, and none that is not."""

from __future__ import annotations

import pytest

from draincheck.engines.explicit import explore
from draincheck.engines.simulation import simulate
from draincheck.qemu import Scenario
from draincheck.revisions import find_revision
from draincheck.run import rerun
from draincheck.verdict import Outcome
from drainspecs.mirror.scenarios import DEFAULT_SCENARIOS, find_scenario
from drainspecs.suite.matrix import Row, system_of
from tests.support.samples import sampled


@pytest.mark.parametrize(
    ("revision", "name"),
    [
        pytest.param("5a7e7a0bad", "S1", marks=pytest.mark.slow),
        pytest.param("3f09bfbc7b", "A1", marks=pytest.mark.slow),
        ("ab27c3b5e7", "S3"),
        ("ab27c3b5e7", "S4"),
    ],
)
def test_walks_find_what_history_knows(revision: str, name: str) -> None:
    """A thousand walks come across the stray write, the failed assertion and the silent loss."""
    system = system_of(Row(find_revision(revision), find_scenario("mirror")))
    verdict = simulate(system, seed=1).verdicts[name]
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.trace is not None
    assert rerun(system, verdict.trace)


@pytest.mark.parametrize("scenario", DEFAULT_SCENARIOS, ids=lambda scenario: scenario.name)
@pytest.mark.parametrize("revision", sampled(["3f09bfbc7b", "9a0cec664e"], 1))
def test_walks_never_contradict_the_search(revision: str, scenario: Scenario) -> None:
    """Whatever a walk shows is what exhaustive search says."""
    system = system_of(Row(find_revision(revision), scenario))
    exhaustive = explore(system).verdicts
    shown = {n: v.outcome for n, v in simulate(system, runs=100).verdicts.items() if v.outcome is not Outcome.UNKNOWN}
    assert shown
    assert shown == {name: exhaustive[name].outcome for name in shown}

"""Scenarios beyond the default ones: what is expected of every code base is what is found, and an expectation can fail."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from draincheck.conformance.matrix import conform_all
from draincheck.revisions import code_bases, find_revision
from drainspecs.mirror.scenarios import DEFAULT_SCENARIOS, SCENARIOS, base_scenario, find_scenario
from drainspecs.suite.matrix import Row, Solver, default_rows, deviations
from tests.support.samples import sampled

ACTIVE_COMMITS = ("commit-no-ioeventfd", "commit-dataplane")


@pytest.mark.parametrize("scenario", sampled(ACTIVE_COMMITS, 0))
def test_every_code_base_is_as_expected(scenario: str) -> None:
    """Every verdict and every pinned count of the scenario."""
    results = list(Solver().decide(default_rows(scenarios=[find_scenario(scenario)])))
    assert [line for result in results for line in deviations(result)] == []
    assert {result.row.revision.name for result in results} >= {"b112a65c52", "cf3129323f"}


@pytest.mark.parametrize("scenario", ACTIVE_COMMITS)
def test_a_code_base_that_bears_another_name_is_noticed(scenario: str) -> None:
    """Negative control: the crash of bdrv_swap is expected before 6ee4ce1ee7 only, the assertion from 3f09bfbc7b on only."""
    for name, other in (("b112a65c52", "6ee4ce1ee7"), ("6ee4ce1ee7", "3f09bfbc7b")):
        (result,) = Solver().decide([Row(find_revision(name), find_scenario(scenario))])
        renamed = replace(result.row, revision=replace(result.row.revision, name=other))
        assert any(" A1: " in str(line) for line in deviations(replace(result, row=renamed)))


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ACTIVE_COMMITS)
def test_an_active_commit_differs_from_a_mirror_only_in_bdrv_swap(scenario: str) -> None:
    """Same verdicts as the mirror job's scenario, but for the crash of swapping two nodes under a qcow2 request."""
    commit = find_scenario(scenario)
    differing = set()
    for row in default_rows(scenarios=[commit]):
        pair = list(Solver().decide([row, replace(row, scenario=base_scenario(commit))]))
        of = [result.exploration.verdicts for result in pair]
        differing |= {(row.revision.name, name) for name in of[0] if of[0][name].outcome is not of[1][name].outcome}
    raw_swaps = {row.name for row in code_bases() if row.knobs.pre_switch == "swap_raw" and row.knobs.exit == "bh"}
    applicable = {row.revision.name for row in default_rows(scenarios=[commit])}
    assert differing == {(name, "A1") for name in raw_swaps & applicable}


@pytest.mark.slow
@pytest.mark.parametrize("scenario", sampled(ACTIVE_COMMITS, 1))
def test_the_core_crashes_where_the_model_does(scenario: str) -> None:
    """Model and core agree edge by edge on the two oldest ways to switch."""
    pairs = [(find_revision(name), find_scenario(scenario)) for name in ("b112a65c52", "3f09bfbc7b")]
    assert conform_all(pairs).divergences == ()


def test_a_variant_is_based_on_the_default_scenario_with_its_requests_and_its_job() -> None:
    """The source of requests decides; the job tells mirror and commit apart where both are default scenarios."""
    bases = {item.name: base_scenario(item).name for item in SCENARIOS}
    assert all(bases[item.name] == item.name for item in DEFAULT_SCENARIOS)
    assert bases["no-ioeventfd-vcpu"] == bases["commit-no-ioeventfd"] == "no-ioeventfd"
    assert bases["commit-dataplane"] == bases["dataplane-reset"] == "dataplane"
    assert bases["commit-2-writes"] == "commit" and bases["mirror-bulk"] == "mirror"

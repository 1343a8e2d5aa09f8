"""Cancelled and failing jobs, other open flags, two jobs, no sectors, a reset device: what must hold, on the core's own counters and bytes."""

from __future__ import annotations

from random import Random as Numbers

import pytest

from draincheck.conformance.matrix import config_of, conform_all
from draincheck.core.disk import Mirrored
from draincheck.core.machine import Machine
from draincheck.core.outcome import Ending, outcome_of
from draincheck.core.run import run, self_check, simulate
from draincheck.core.scheduler import Random
from draincheck.revisions import find_revision
from drainspecs.mirror.scenarios import find_scenario
from tests.support.samples import sampled

SCENARIOS = (
    "mirror-cancel",
    "mirror-cancel-early",
    "mirror-source-error",
    "mirror-target-error",
    "mirror-reopen",
    "mirror-2-jobs",
    "mirror-zero-length",
    "dataplane-cancel",
    "dataplane-zero-length",
)
REVISIONS = ("176c36997f", "ab27c3b5e7", "9a0cec664e", "bdffb31d8e", "cf3129323f")


def mirrored(machine: Machine) -> list[Mirrored]:
    """The disks with a job."""
    return [disk.mirrored for disk in machine.disks if disk.mirrored is not None]


def finished(revision: str, scenario: str, runs: int) -> list[Machine]:
    """Machines that random runs have brought to their ends."""
    knobs, config = find_revision(revision).knobs, config_of(find_scenario(scenario))
    scheduler = Random(Numbers(scenario).randrange(2**32))
    machines = []
    for _ in range(runs):
        machine = Machine(knobs, config)
        run(machine, scheduler)
        machines.append(machine)
    return machines


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("revision", REVISIONS)
def test_every_section_ends_and_every_counter_is_0_at_rest(revision: str, scenario: str) -> None:
    """B2 and B5 on the core, on every way out: success, cancel, an error, a retry."""
    for machine in finished(revision, scenario, 25):
        if machine.aborted is None and outcome_of(machine) is not Ending.HANG:
            assert machine.ctx.external_disable_cnt == 0
            assert machine.main_loop.iohandler_ctx.external_disable_cnt == 0
            assert all(node.quiesce_counter == 0 for disk in mirrored(machine) for node in (disk.source, disk.target))


@pytest.mark.parametrize("scenario", sampled(["mirror-cancel", "mirror-cancel-early", "dataplane-cancel"], 2))
def test_a_cancelled_job_never_switches(scenario: str) -> None:
    """S10 on the core: the disk stays where it was, and nothing is lost."""
    for machine in finished("ab27c3b5e7", scenario, 40):
        assert outcome_of(machine) is Ending.FINE
        assert not any(disk.is_switched for disk in mirrored(machine))


def test_a_context_switch_in_the_window_ends_in_qemus_assertion() -> None:
    """B3, the bandage's own defect: the counter of the new context has nothing to give back. Later the stop hangs, then the count moves."""
    config = config_of(find_scenario("dataplane-reset"))
    assert simulate(find_revision("ab27c3b5e7").knobs, config, 0, 200).outcomes.get(Ending.ABORT, 0) > 0
    assert set(simulate(find_revision("463e0be101").knobs, config, 0, 200).outcomes) == {Ending.FINE, Ending.HANG}
    assert set(simulate(find_revision("657e120320").knobs, config, 0, 200).outcomes) == {Ending.FINE}


@pytest.mark.parametrize(
    "scenario", sampled([name for name in (*SCENARIOS, "dataplane-reset") if "2-jobs" not in name], 1)
)
def test_model_and_core_agree_on_these_scenarios_too(scenario: str) -> None:
    """Edge by edge, for one code base; two jobs have too many edges, and are compared on random walks (test_conformance.py)."""
    assert conform_all([(find_revision("ab27c3b5e7"), find_scenario(scenario))]).divergences == ()


def test_a_schedule_executed_twice_does_the_same_twice() -> None:
    """The self-check of determinism, on drawn schedules."""
    for scenario in ("mirror", "dataplane", "mirror-2-jobs"):
        knobs, config = find_revision("ab27c3b5e7").knobs, config_of(find_scenario(scenario))
        machine = Machine(knobs, config)
        made = run(machine, Random(7))
        assert self_check(knobs, config, made.steps).outcome is made.outcome

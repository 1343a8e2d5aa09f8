"""A flush among the guest's requests: who counts it, when it is parked, and the drain that waits for it for ever."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from draincheck.conformance.lockstep import steps_of_run
from draincheck.conformance.matrix import config_of, conform_all
from draincheck.core.config import Config
from draincheck.core.events import EventLog
from draincheck.core.machine import Machine
from draincheck.core.outcome import Ending as End
from draincheck.core.run import run, simulate
from draincheck.core.scheduler import Fair, Replay
from draincheck.engines.explicit import explore
from draincheck.lang import all_
from draincheck.qemu import Probes, World, build
from draincheck.revisions import find_revision, with_settings
from draincheck.run import Run
from draincheck.verdict import Outcome
from drainspecs.mirror.liveness import verdicts
from drainspecs.mirror.scenarios import SCENARIOS, find_scenario
from drainspecs.suite.liveness import liveness_deviations
from drainspecs.suite.matrix import Row, Solver, default_rows, deviations, system_of
from tests.support.samples import sampled

FLUSHES = [scenario.name for scenario in SCENARIOS if scenario.flushes]
#: where a flush can come while a section is open
PARKING = ["timer-flush", "no-ioeventfd-flush", "timer-flush-reopen", "no-ioeventfd-flush-reopen"]
#: the code bases around each change of a flush's fate
AROUND = ("c1e1e5fa8f", "cdb5e3155e", "f871abd60f", "cf3129323f", "7f16476fab")


def outcome(revision: str, scenario: str, name: str, **settings: bool) -> Outcome:
    """The verdict of one property."""
    row = Row(with_settings(find_revision(revision), settings), find_scenario(scenario))
    return explore(system_of(row)).verdicts[name].outcome


@pytest.mark.parametrize("scenario", sampled(FLUSHES, 0))
def test_every_code_base_is_as_expected(scenario: str) -> None:
    """Every verdict and every pinned count of the scenario."""
    results = Solver().decide(default_rows(scenarios=[find_scenario(scenario)]))
    assert [line for result in results for line in deviations(result)] == []


@pytest.mark.parametrize("scenario", sampled(FLUSHES, 1))
def test_what_must_happen_in_the_end_is_as_expected(scenario: str) -> None:
    """Liveness, right before and after each change."""
    rows = [Row(find_revision(name), find_scenario(scenario)) for name in AROUND]
    assert [found for found in liveness_deviations(rows) if found] == []


@pytest.mark.parametrize("scenario", sampled(PARKING, 1))
def test_a_parked_flush_hangs_the_next_drain_until_it_is_uncounted(scenario: str) -> None:
    """At cf3129323f, seen as F1, L1 and L3; not before, and not at 7f16476fab."""
    assert [outcome(name, scenario, "F1") is Outcome.VIOLATED for name in AROUND] == [False, False, False, True, False]
    found = verdicts(find_revision("cf3129323f"), find_scenario(scenario))
    assert {name for name, verdict in found.items() if verdict.outcome is Outcome.VIOLATED} == {"L1", "L3"}


@pytest.mark.parametrize("scenario", PARKING)
def test_the_count_is_what_hangs(scenario: str) -> None:
    """Negative control: the same code base without the count while it is parked finishes; the one after it with the count does not."""
    assert outcome("cf3129323f", scenario, "F1", parked_counts=False) is Outcome.HOLDS
    assert outcome("7f16476fab", scenario, "F1", parked_counts=True) is Outcome.VIOLATED


@pytest.mark.parametrize("scenario", ["timer", "no-ioeventfd", "timer-read", "no-ioeventfd-read", "timer-2-writes"])
def test_a_parked_read_or_write_does_not_hang(scenario: str) -> None:
    """It is taken off the count before it waits."""
    assert outcome("cf3129323f", scenario, "F1") is Outcome.HOLDS


class NothingParked(Probes):
    """No request is ever queued."""

    def properties(self, w: World) -> None:
        """Demand it."""
        w.m.always("nothing parked", all_(*(~request.state.is_("parked") for request in w.requests)))


@pytest.mark.parametrize("scenario", FLUSHES)
def test_with_a_host_notifier_no_flush_is_parked(scenario: str) -> None:
    """Nothing comes from it while external events are disabled; from the other sources it does."""
    model = build("mirror", find_revision("cf3129323f").knobs, find_scenario(scenario), NothingParked()).compile()
    parks = explore(model).verdicts["nothing parked"].outcome is Outcome.VIOLATED
    assert parks == (scenario in PARKING)


def test_the_assertion_sees_a_flush_only_when_it_is_tracked() -> None:
    """3f09bfbc7b's assertion is blind to it until cdb5e3155e."""
    assert outcome("3f09bfbc7b", "timer-flush", "A1") is Outcome.HOLDS
    assert outcome("3f09bfbc7b", "timer-flush", "A1", flush_tracked=True) is Outcome.VIOLATED
    assert outcome("cdb5e3155e", "timer-flush", "A1") is Outcome.VIOLATED


def test_a_code_base_that_bears_another_name_is_noticed() -> None:
    """Negative control of the expectations: the hang belongs to one row, the blindness to those before cdb5e3155e."""
    for name, other, property_name in (("cf3129323f", "7f16476fab", "F1"), ("c1e1e5fa8f", "cdb5e3155e", "A1")):
        (result,) = Solver().decide([Row(find_revision(name), find_scenario("timer-flush"))])
        renamed = replace(result.row, revision=replace(result.row.revision, name=other))
        assert any(f" {property_name}: " in line for line in map(str, deviations(replace(result, row=renamed))))


# -- the core -----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_model_and_core_agree_on_flushes() -> None:
    """Edge by edge, where one can be parked and around each change."""
    places = [find_scenario(name) for name in PARKING[:2]]
    assert conform_all([(find_revision(name), place) for name in AROUND for place in places]).divergences == ()


def test_the_core_hangs_with_one_request_counted_that_nobody_tracks() -> None:
    """The model's hang, executed: nothing is left to do, with the flush in its BlockBackend's queue and count."""
    revision, scenario = find_revision("cf3129323f"), find_scenario("timer-flush")
    model = system_of(Row(revision, scenario))
    trace = explore(model).verdicts["F1"].trace
    assert trace is not None
    machine = Machine(revision.knobs, config_of(scenario))
    scheduler = Replay(steps_of_run(Run.of(model, trace)))
    machine.decide = scheduler.outcome
    while not scheduler.over:
        choices = machine.choices()
        machine.take(choices[scheduler.step(choices)])
    assert run(machine, Fair()).outcome is End.HANG
    backend = machine.disks[0].backend
    assert backend.parked == {"flush[0.0]"} and backend.in_flight == 1 and not backend.root.bdrv_requests_pending()


@pytest.mark.parametrize("scenario", PARKING)
def test_the_core_never_hangs_once_nothing_parked_is_counted(scenario: str) -> None:
    """Random runs at 7f16476fab."""
    assert set(simulate(find_revision("7f16476fab").knobs, config_of(find_scenario(scenario)), 1, 100).outcomes) == {
        End.FINE
    }


def test_a_flush_has_no_data_and_is_answered() -> None:
    """Two descriptors, header and status byte; nothing is written to any image."""
    machine = Machine(find_revision("7f16476fab").knobs, Config(writes=0, flushes=1))
    assert run(machine, Fair()).outcome is End.FINE
    (disk,) = machine.disks
    (flush,) = disk.driver.requests
    assert (flush.name, flush.status, flush.data) == ("flush[0.0]", 0, b"")
    assert (
        disk.mirrored is not None and not disk.mirrored.source_image.sectors and not disk.mirrored.target_image.sectors
    )


def test_writes_before_a_flush_are_submitted_before_it() -> None:
    """One run of the queue handler that finds both."""
    log = EventLog()
    machine = Machine(find_revision("7f16476fab").knobs, Config(source="timer", flushes=1), log)
    device, driver = machine.disks[0].device, machine.disks[0].driver
    driver.add_request()
    driver.add_request()
    machine.host.act(machine.actors[0].thread, device.virtio_blk_handle_output)
    assert [event.text.split()[0] for event in log.events if event.mark == "b"] == ["write[0.0]", "flush[0.0]"]
    assert machine.disks[0].backend.in_flight == 2

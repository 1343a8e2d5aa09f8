"""The core's machine and its runs: numbered steps, threads and their first steps, and the check that a schedule does the same twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from draincheck.conformance import config_of
from draincheck.core import run as runs
from draincheck.core.errors import CoreError, NotDeterministic
from draincheck.core.events import Event
from draincheck.core.host import Choice
from draincheck.core.machine import Machine
from draincheck.core.outcome import Ending
from draincheck.core.run import Replayed, replay, run, self_check, simulate
from draincheck.core.scheduler import Fair, Random, SchedulerStep
from draincheck.revisions import find_revision
from drainspecs.mirror.scenarios import find_scenario
from tests.support.driven import Driven

KNOBS, CONFIG = find_revision("9a0cec664e").knobs, config_of(find_scenario("mirror"))


def test_steps_are_numbered_from_1() -> None:
    """An event has the number of the step that it happened in, and nothing happens before the first."""
    driven = Driven("9a0cec664e", "mirror")
    assert driven.log.events == []
    for number, process in enumerate(["guest", "management", "main thread", "main thread"], 1):
        assert {event.step for event in driven.make(process)} <= {number}
    assert driven.log.events[-1].step == 4


def test_before_the_first_step_every_thread_stands_at_its_first_scheduling_point() -> None:
    """With an IOThread there are two, in a fixed order, and neither has done anything."""
    driven = Driven("9a0cec664e", "dataplane")
    assert [choice.process for choice in driven.machine.choices()][:2] == ["main thread", "iothread"]
    assert driven.machine.ctx.acquired.is_free() and driven.log.events == []


def test_a_process_that_no_thread_runs_is_refused() -> None:
    """It says who can act."""
    with pytest.raises(CoreError, match=r"no thread of this machine runs 'nobody'.*main thread"):
        Machine(KNOBS, CONFIG).take(Choice("nobody"))


def test_a_machine_is_finished_when_its_jobs_are_over_and_the_guest_has_its_answers() -> None:
    """Not before both."""
    machine = Machine(KNOBS, CONFIG)
    found = [machine.finished]
    run(machine, Fair())
    (job,), (disk,) = machine.jobs, machine.disks
    assert job.completed and disk.driver.all_answered()
    found.append(machine.finished)
    job.completed = False
    found.append(machine.finished)
    job.completed, disk.driver.requests[0].status = True, None
    found.append(machine.finished)
    assert found == [False, True, False, False]


def test_nothing_happens_once_qemu_has_ended() -> None:
    """An assertion that fails leaves no choices, and is the outcome of the run."""
    config = config_of(find_scenario("mirror"))
    knobs, scheduler = find_revision("3f09bfbc7b").knobs, Random(1)
    for _ in range(200):
        scheduler.begin()
        machine = Machine(knobs, config)
        if run(machine, scheduler).outcome is Ending.ABORT:
            assert machine.aborted is not None and not machine.aborted.crash
            assert machine.choices() == []
            return
    pytest.fail("no run ends in the assertion")


def test_a_run_that_is_given_up_is_unfinished() -> None:
    """After so many steps, and no more."""
    made = run(Machine(KNOBS, CONFIG), Fair(), most_steps=7)
    assert (len(made.steps), made.outcome) == (7, Ending.UNFINISHED)


def test_a_replay_ends_where_the_recording_ends_or_goes_on_fairly() -> None:
    """Unfinished if more could happen; else the end of a fair schedule."""
    steps = run(Machine(KNOBS, CONFIG), Fair(), most_steps=7).steps
    assert replay(KNOBS, CONFIG, steps).outcome is Ending.UNFINISHED
    assert replay(KNOBS, CONFIG, steps, to_the_end=True).outcome is Ending.FINE
    assert max(event.step for event in replay(KNOBS, CONFIG, steps).events) == 7


@pytest.mark.slow
def test_simulations_count_every_run_once_and_keep_the_first_of_each_kind() -> None:
    """The steps of all runs together; progress after each; the numbers of the first runs count from 0."""
    told: list[int] = []
    found = simulate(find_revision("f3926945c8").knobs, CONFIG, 0, 60, progress=told.append)
    assert sum(found.outcomes.values()) == 60 and told == list(range(1, 61))
    assert set(found.first) == set(found.outcomes) and min(number for number, _ in found.first.values()) == 0
    scheduler = Random(0)
    made = [run(Machine(find_revision("f3926945c8").knobs, CONFIG), scheduler) for _ in range(60) if scheduler.begin()]
    assert found.points == sum(len(one.steps) for one in made)
    for outcome, (number, first) in found.first.items():
        assert made[number] == first
        assert [one.outcome for one in made].index(outcome) == number


# -- the same twice -------------------------------------------------------------------------------------------------------------------


def replays_of(monkeypatch: pytest.MonkeyPatch, *found: Replayed) -> None:
    """Have the same schedule come out as these, one after the other."""
    left = list(found)

    def other(*_: Any) -> Replayed:
        return left.pop(0)

    monkeypatch.setattr(runs, "replay", other)


def replayed(events: Sequence[Event], outcome: Ending = Ending.FINE) -> Replayed:
    return Replayed(tuple(events), outcome, "", ())


EVENTS = [Event(number, "main thread", (), f"event {number}") for number in range(1, 5)]


def test_the_first_difference_of_two_runs_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the last one, and not one that is none."""
    other = [EVENTS[0], *(replace(event, text=f"other {event.step}", process="guest") for event in EVENTS[1:])]
    replays_of(monkeypatch, replayed(EVENTS), replayed(other))
    with pytest.raises(NotDeterministic, match=r"^step 2: once main thread 'event 2', once guest 'other 2'$"):
        self_check(KNOBS, CONFIG, [SchedulerStep("main thread")])


def test_runs_that_only_end_differently_are_different(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same events, and another outcome."""
    replays_of(monkeypatch, replayed(EVENTS), replayed(EVENTS, Ending.LOSS))
    with pytest.raises(NotDeterministic, match="different ends: fine, silent loss"):
        self_check(KNOBS, CONFIG, [SchedulerStep("main thread")])


def test_runs_that_are_the_same_are_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control."""
    replays_of(monkeypatch, replayed(EVENTS), replayed(EVENTS))
    assert self_check(KNOBS, CONFIG, [SchedulerStep("main thread")]) == replayed(EVENTS)

"""Liveness of QEMU's code bases: the verdicts that history and the code's facts predict, and runs that show each violation."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from draincheck.engines.explicit import explore
from draincheck.engines.liveness import decide
from draincheck.expr import FALSE
from draincheck.qemu import Scenario, build
from draincheck.revisions import REVISIONS, Revision, code_bases, find_revision
from draincheck.run import Step, Trace, rerun
from draincheck.system import Action, TransitionSystem
from draincheck.verdict import Outcome
from drainspecs.comutex import comutex_system
from drainspecs.mirror.liveness import ASSUMPTIONS, LIVENESS, Progress, progress_system, verdicts
from drainspecs.mirror.liveness_expectations import expected_liveness
from drainspecs.mirror.properties import DrainInvariant
from drainspecs.mirror.scenarios import DEFAULT_SCENARIOS, EXTRA_SCENARIOS, applies, find_scenario
from drainspecs.suite.matrix import with_order_any
from tests.support.samples import evenly, sampled

HASHES = [row.name for row in REVISIONS]


def by_name(scenario: Scenario) -> str:
    return scenario.name


def disagreements(scenario: Scenario, turned: Callable[[Revision], Revision] = lambda row: row) -> list[str]:
    """Every cell of a scenario that is not as expected, for code bases with some knob turned that should not matter."""
    found: list[str] = []
    for row in code_bases():
        if applies(row, scenario):
            for name, verdict in verdicts(turned(row), scenario).items():
                expectation = expected_liveness(row.name, scenario, name)
                if expectation is None or expectation.outcome is not verdict.outcome:
                    found.append(f"{row.name} {name}: {verdict.outcome.value}, expected {expectation}")
    return found


def violated(scenario: str, name: str) -> list[str]:
    rows = [row for row in REVISIONS if applies(row, find_scenario(scenario))]
    return [row.name for row in rows if verdicts(row, find_scenario(scenario))[name].outcome is Outcome.VIOLATED]


def run_of(system: TransitionSystem, trace: Trace | None) -> tuple[list[Step], list[Step]]:
    """Stem and loop of a counterexample, executed."""
    assert trace is not None
    steps = list(rerun(system, trace))
    loop = len(steps) if trace.loop is None else trace.loop
    return steps[:loop], steps[loop:]


def without_steps(system: TransitionSystem, process: str, label: str) -> TransitionSystem:
    """The system with some steps taken out: those of a process that contain a part with this label."""
    taken = [a for a in system.actions if a.process == process and any(label == part.label for part in a.parts)]
    assert taken
    actions = tuple(replace(action, guard=FALSE) if action in taken else action for action in system.actions)
    return replace(system, actions=actions)


def without_update(system: TransitionSystem, variable: str, label: str) -> TransitionSystem:
    """The system in which the actions that contain a part with this label leave a variable alone."""
    taken = [action for action in system.actions if any(label == part.label for part in action.parts)]
    assert any(update.variable.name == variable for action in taken for update in action.updates)

    def kept(action: Action) -> Action:
        return replace(action, updates=tuple(u for u in action.updates if u.variable.name != variable))

    return replace(system, actions=tuple(kept(action) if action in taken else action for action in system.actions))


@pytest.mark.parametrize("scenario", sampled(DEFAULT_SCENARIOS, [find_scenario("commit")]), ids=by_name)
def test_verdicts_are_the_expected_ones(scenario: Scenario) -> None:
    """In each default scenario every code base has the verdicts that were written down before anything was run."""
    assert disagreements(scenario) == []


ONE_JOB = [scenario for scenario in EXTRA_SCENARIOS if scenario.jobs == 1]
#: mirror and dataplane with two writes last, which take longest
VARIANTS = [*ONE_JOB[2:], *ONE_JOB[:2]]


@pytest.mark.parametrize("scenario", sampled(evenly(VARIANTS, 4), 0, 6), ids=by_name)
def test_variants_have_the_expected_verdicts(scenario: Scenario) -> None:
    """In the variants of the scenarios too."""
    assert disagreements(scenario) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "scenario",
    sampled(DEFAULT_SCENARIOS, [find_scenario(name) for name in ("mirror", "commit", "timer")], 0),
    ids=by_name,
)
def test_order_of_sources_does_not_matter(scenario: Scenario) -> None:
    """With GSources in any order nothing hangs or spins that does not in attach order."""
    assert disagreements(scenario, with_order_any) == []


def test_every_property_is_expected_in_every_default_row() -> None:
    """Nothing is left out of the table, and each expectation has its argument."""
    for scenario in DEFAULT_SCENARIOS:
        for row in filter(lambda row: applies(row, scenario), code_bases()):
            expectations = [expected_liveness(row.name, scenario, item.name) for item in LIVENESS]
            assert all(expectation is not None and expectation.argument for expectation in expectations)
    assert expected_liveness("9a0cec664e", DEFAULT_SCENARIOS[0], "L5") is None
    assert expected_liveness("my own", DEFAULT_SCENARIOS[0], "L1") is None


@pytest.mark.slow
def test_kicks_get_lost_exactly_where_history_says() -> None:
    """L2 is broken with dataplane from 65c1b5b622 up to the fix of 321d1dba8b, and nowhere else."""
    hang = HASHES[HASHES.index("65c1b5b622") : HASHES.index("321d1dba8b")]
    assert {scenario.name: violated(scenario.name, "L2") for scenario in DEFAULT_SCENARIOS} == {
        "mirror": [],
        "dataplane": hang,
        "commit": [],
        "timer": [],
        "no-ioeventfd": [],
    }


def test_lost_kick_is_shown_as_a_run_that_stops() -> None:
    """The IOThread sleeps in a poll without the notifier, the job has completed, the guest's kick stays where it is."""
    row, scenario = find_revision("65c1b5b622"), find_scenario("dataplane")
    system, verdict = progress_system(row, scenario), verdicts(row, scenario)["L2"]
    stem, loop = run_of(system, verdict.trace)
    last = system.decoded(stem[-1].after)
    assert (len(stem), loop) == (46, [])
    assert str(verdict.reason) == "counterexample: 46 actions, then nothing moves"
    assert last["eventfd[0]"] and last["job completed"] and not last["poll set has the notifier"]
    assert last["external_disable_cnt"] == 0


def test_main_loop_can_spin_from_the_bandage_on() -> None:
    """A kick is refused by dispatch while its descriptor is polled from ab27c3b5e7 on, which disables iohandler_ctx for the first time."""
    scenario = find_scenario("mirror")
    spins = [row.name for row in REVISIONS if verdicts(row, scenario)["L7"].outcome is not Outcome.NEVER_ASKED]
    assert spins == HASHES[HASHES.index("ab27c3b5e7") :]


def test_spin_is_unbounded_where_the_flush_stands_in_the_section() -> None:
    """If the storage stalls, the main loop spins for ever from bdffb31d8e on, which flushes inside the section, and only there."""
    assert violated("mirror", "L7s") == violated("commit", "L7s") == HASHES[HASHES.index("bdffb31d8e") :]


def test_spin_is_shown_as_a_loop_of_the_main_loop() -> None:
    """The lasso goes round prepare, poll and check of the main thread, with the kick reported and refused all the time."""
    row, scenario = find_revision("bdffb31d8e"), find_scenario("mirror")
    system = progress_system(row, scenario, storage_stalls=True)
    stem, loop = run_of(system, verdicts(row, scenario)["L7s"].trace)
    actions = [system.actions[step.action] for step in loop]
    assert (len(stem), len(loop)) == (19, 4)
    assert {action.process for action in actions} == {"main thread"}
    assert {"aio_ctx_prepare", "qemu_poll_ns", "aio_ctx_check"} < {action.name for action in actions}
    states = [system.decoded(step.before) for step in loop]
    assert all(state["eventfd[0]"] and state["external_disable_cnt"] == 1 for state in states)
    assert all(state["job I/O"] == "in_flight" for state in states)


def test_nested_drain_under_a_coroutine_mutex_stops() -> None:
    """L4: up to 176c36997f the job polls for a request that its own yield would run."""
    assert violated("mirror", "L4") == HASHES[: HASHES.index("a77fd4bb29")]
    system = comutex_system("nested")
    stem, loop = run_of(system, decide(system)["L4"].trace)
    last = system.decoded(stem[-1].after)
    assert (len(stem), loop) == (9, [])
    assert last["request is on mirror_run's wake list"] and last["request tracked"] and last["drain"]


@pytest.mark.parametrize(("drain", "states"), [("nested", 35), ("yield_late", 69)])
def test_comutex_counts_are_pinned(drain: str, states: int) -> None:
    """The model of L4 has exactly so many states."""
    assert explore(comutex_system(drain)).statistics.states == states


#: an assumption -> a row and a property that need it
NEEDED = {
    "main thread": ("9a0cec664e", "dataplane", "L1"),
    "IOThread": ("9a0cec664e", "dataplane", "L1"),
    "job": ("9a0cec664e", "mirror", "L1"),
    "vCPU inside QEMU": ("b112a65c52", "dataplane-reset", "L1"),
    "clock": ("9a0cec664e", "dataplane", "L1"),
    "AioContext": ("b112a65c52", "dataplane", "L1"),
    "AioContext of a vCPU": ("b112a65c52", "dataplane-reset", "L1"),
    "storage": ("bdffb31d8e", "mirror", "L1"),
    "management": ("9a0cec664e", "mirror", "L1"),
}


@pytest.mark.parametrize("name", [item.name for item in ASSUMPTIONS])
def test_every_assumption_is_needed(name: str) -> None:
    """Negative control: without it some verdict turns, so none is there for nothing."""
    revision, scenario, demand = NEEDED[name]
    row = find_revision(revision)
    outcomes = [
        decide(build("row", row.knobs, find_scenario(scenario), probes).compile())[demand].outcome
        for probes in (Progress(), Progress(without=(name,)))
    ]
    assert outcomes == [Outcome.HOLDS, Outcome.VIOLATED]


@pytest.mark.parametrize(
    ("demand", "revision", "process", "label"),
    [
        ("L1", "9a0cec664e", "main thread", "mirror_complete"),
        ("L2", "9a0cec664e", "main thread", "event_notifier_test_and_clear"),
        ("L3", "9a0cec664e", "storage", "finishes write[0.0]"),
        ("L6", "9a0cec664e", "main thread", "the exit bottom half runs"),
        ("L7", "ab27c3b5e7", "main thread", "the exit bottom half runs"),
    ],
)
def test_broken_model_is_caught(demand: str, revision: str, process: str, label: str) -> None:
    """Negative control: with the step taken out that does the good thing, the demand is broken."""
    system = progress_system(find_revision(revision), find_scenario("mirror"))
    assert decide(system)[demand].outcome is Outcome.HOLDS
    assert decide(without_steps(system, process, label))[demand].outcome is Outcome.VIOLATED


def test_bandage_that_stays_makes_the_main_loop_spin() -> None:
    """Negative control: if mirror_exit forgets to enable iohandler_ctx again, L2 and L7 break, with a loop through the poll."""
    system = progress_system(find_revision("ab27c3b5e7"), find_scenario("mirror"))
    broken = without_update(system, "external_disable_cnt (iohandler_ctx)", "aio_enable_external (iohandler_ctx)")
    found = decide(broken)
    assert [name for name, verdict in found.items() if verdict.outcome is Outcome.VIOLATED] == ["L2", "L7"]
    _, loop = run_of(broken, found["L7"].trace)
    assert "qemu_poll_ns" in [broken.actions[step.action].name for step in loop]
    assert all(broken.decoded(step.before)["job completed"] for step in loop)


@pytest.mark.parametrize("scenario", sampled(DEFAULT_SCENARIOS, [find_scenario("commit")]), ids=by_name)
def test_liveness_adds_no_states(scenario: Scenario) -> None:
    """Fairness and demands on runs leave the states alone: each system has as many as the one of the drain invariant."""
    for row in filter(lambda row: applies(row, scenario), REVISIONS[::7]):
        safety = build("safety", row.knobs, scenario, DrainInvariant()).compile()
        assert explore(progress_system(row, scenario)).statistics.states == explore(safety).statistics.states

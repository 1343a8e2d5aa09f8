"""Stopping dataplane while a job is at its end and a kick may be pending: what each change of the history does to it, on model and core."""

from __future__ import annotations

from functools import cache

import pytest

from draincheck.conformance.lockstep import follow, steps_of_run
from draincheck.conformance.matrix import config_of, conform_all
from draincheck.core.machine import Machine
from draincheck.core.outcome import Ending as End
from draincheck.core.run import replay
from draincheck.engines.explicit import explore
from draincheck.knobs import Setting
from draincheck.revisions import Revision, find_revision, with_settings
from draincheck.run import Run, Trace
from draincheck.system import TransitionSystem
from draincheck.verdict import Exploration, Outcome
from drainspecs.mirror.impact import consequences
from drainspecs.mirror.liveness import verdicts
from drainspecs.mirror.liveness_expectations import expected_liveness
from drainspecs.mirror.scenarios import find_scenario
from drainspecs.suite.matrix import Row, Solver, default_rows, deviations, system_of
from tests.support.samples import sampled

STOP = find_scenario("dataplane-stop")


@cache
def found(revision: Revision) -> tuple[TransitionSystem, Exploration]:
    """The system of a code base in this scenario, and what a search of it finds."""
    system = system_of(Row(revision, STOP))
    return system, explore(system)


def violated(revision: str, **settings: Setting) -> set[str]:
    """The violated properties of a code base, some of its knobs turned by hand."""
    search = found(with_settings(find_revision(revision), settings))[1]
    return {name for name, verdict in search.verdicts.items() if verdict.outcome is Outcome.VIOLATED}


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["dataplane-stop", "dataplane-reset"])
def test_every_code_base_is_as_expected(scenario: str) -> None:
    """Every verdict and every pinned count."""
    results = list(Solver().decide(default_rows(scenarios=[find_scenario(scenario)])))
    assert [line for result in results for line in deviations(result)] == []


@pytest.mark.parametrize(
    ("revision", "words"),
    [
        ("176c36997f", ("abort",)),
        ("ab27c3b5e7", ("silent loss", "abort")),
        ("9a0cec664e", ("hang",)),
        ("321d1dba8b", ("silent loss", "abort", "hang")),
        ("657e120320", ("silent loss", "abort")),
        ("f871abd60f", ("silent loss",)),
        ("cf3129323f", ("safe",)),
    ],
)
def test_the_outcome_in_words(revision: str, words: tuple[str, ...]) -> None:
    """Abort, loss, hang, all three, and in the end none: by revision."""
    row = find_revision(revision)
    assert consequences(row.knobs, found(row)[1].verdicts) == words


def test_each_change_matters() -> None:
    """Negative controls: with its knob turned back, each code base has the outcome of the one before it."""
    assert "S1" in violated("03de2f5274") and "S1" not in violated("03de2f5274", stop_runs_queue="none")
    assert "F1" in violated("463e0be101") and "F1" not in violated("463e0be101", job_at_switch="ignored")
    assert "A1" in violated("65c1b5b622") and "A1" not in violated("65c1b5b622", drain_polls_ctx="node")
    assert "S5" in violated("1010cadf62") and "S5" not in violated("1010cadf62", stop_runs_queue="main")
    assert "F1" not in violated("657e120320") and "F1" in violated("657e120320", job_at_switch="waits")
    assert "B3" not in violated("657e120320") and "B3" in violated("657e120320", switch_carries_count=False)
    assert "S1" not in violated("cf3129323f") and "S1" in violated("cf3129323f", park_requests=False)


@pytest.mark.parametrize(
    ("revision", "property", "end"),
    [
        ("ab27c3b5e7", "A1", End.ABORT),
        ("9a0cec664e", "F1", End.HANG),
        ("321d1dba8b", "A1", End.ABORT),
        ("321d1dba8b", "F1", End.HANG),
        ("321d1dba8b", "S4", End.LOSS),
        ("f871abd60f", "S4", End.LOSS),
    ],
)
def test_counterexamples_run_on_the_core(revision: str, property: str, end: End) -> None:
    """The core goes along with the shortest counterexample step by step, and ends as the model says."""
    row = find_revision(revision)
    system, search = found(row)
    trace = search.verdicts[property].trace
    assert isinstance(trace, Trace)
    config, path = config_of(STOP), Run.of(system, trace)
    assert follow(path, Machine(row.knobs, config)) is None
    assert replay(row.knobs, config, steps_of_run(path), to_the_end=True).outcome is end


@pytest.mark.parametrize("revision", sampled(["03de2f5274", "463e0be101", "1010cadf62"], []))
def test_model_and_core_agree(revision: str) -> None:
    """Edge by edge: the stop in the stopping thread, the wait for the job, the stop in the IOThread."""
    assert conform_all([(find_revision(revision), STOP)]).divergences == ()


@pytest.mark.parametrize("revision", ["ab27c3b5e7", "9a0cec664e", "321d1dba8b", "657e120320"])
def test_what_must_happen_in_the_end(revision: str) -> None:
    """The job does not complete, and its exit bottom half does not run, exactly where the switch of the context waits for it."""
    found_broken = set()
    for name, verdict in verdicts(find_revision(revision), STOP).items():
        want = expected_liveness(revision, STOP, name)
        assert want is not None and want.outcome is verdict.outcome
        found_broken |= {name} if verdict.outcome is Outcome.VIOLATED else set()
    assert ({"L1", "L6"} <= found_broken) == (revision in ("9a0cec664e", "321d1dba8b"))


def test_what_a_stopped_device_left_in_its_ring_is_owed_no_answer() -> None:
    """At 176c36997f the kick is eaten: the job still completes, with a request that nobody ever took."""
    assert "F1" not in violated("176c36997f")
    system = found(find_revision("176c36997f"))[0]
    names = [variable.name for variable in system.variables]
    assert "host notifier removed" in names and "stop BH" not in names

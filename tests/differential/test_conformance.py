"""Model and core, held against each other: every edge of the model runs on the core, and the core offers nothing else."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from draincheck.conformance.exhaustive import Conformance
from draincheck.conformance.lockstep import walk
from draincheck.conformance.matrix import config_of, conform_all, conform_one
from draincheck.core.faults import FAULTS, SeededFault
from draincheck.core.host import Host
from draincheck.core.machine import Machine
from draincheck.engines.explicit import explore
from draincheck.knobs import turned
from draincheck.lang import Process
from draincheck.qemu import Scenario, World, aio, build, iothread
from draincheck.revisions import Revision, code_bases, find_revision, with_settings
from draincheck.verdict import Outcome
from drainspecs.mirror.properties import DrainInvariant
from drainspecs.mirror.scenarios import DEFAULT_SCENARIOS, find_scenario
from drainspecs.suite.matrix import default_rows
from tests.support.samples import sampled


def compared(scenario: str, *revisions: str) -> Conformance:
    """All code bases, or some, in one scenario."""
    rows = default_rows([find_revision(name) for name in revisions], [find_scenario(scenario)])
    return conform_all([(row.revision, row.scenario) for row in rows])


@pytest.mark.parametrize("scenario", sampled([item.name for item in DEFAULT_SCENARIOS], ["timer"]))
def test_model_and_core_agree_on_every_edge_of_a_code_base(scenario: str) -> None:
    """Exhaustively, in both directions."""
    result = compared(scenario, "ab27c3b5e7")
    assert result.divergences == ()
    assert result.edges > 1_000
    assert result.choices >= result.edges


@pytest.mark.slow
@pytest.mark.parametrize("scenario", sampled([item.name for item in DEFAULT_SCENARIOS], ["commit"], 0))
def test_model_and_core_agree_on_every_edge_of_the_default_matrix(scenario: str) -> None:
    """The same for all code bases."""
    result = compared(scenario)
    assert result.divergences == ()
    assert result.edges > 20_000
    assert result.choices >= result.edges


#: where each seeded fault shows: a code base and a scenario
SHOWS = {
    "oldest first": ("3f09bfbc7b", "mirror"),
    "external ignored": ("d4a92a8420", "mirror"),
    "poll set unfiltered": ("176c36997f", "dataplane"),
    "no wash": ("0ff841f6d1", "mirror"),
    "silent enable": ("321d1dba8b", "dataplane"),
    "no contention callback": ("176c36997f", "dataplane"),
    "late release": ("ab27c3b5e7", "mirror"),
    "counter kept": ("9a0cec664e", "mirror"),
    "count not read": ("ab27c3b5e7", "mirror"),
    "no polling": ("3f09bfbc7b", "mirror"),
    "data later": ("ab27c3b5e7", "mirror"),
    "backend not polled": ("cf3129323f", "timer-flush"),
    "sources swapped": ("f3926945c8", "mirror"),
    "wash kept": ("91af091f92", "mirror"),
    "busy polling honours": ("684e508c23", "dataplane"),
}


@pytest.mark.parametrize("fault", sampled(FAULTS, FAULTS[::4]), ids=lambda fault: fault.name.replace(" ", "-"))
def test_a_seeded_fault_turns_conformance_red(fault: SeededFault) -> None:
    """The comparison finds each thing that the core can do wrong on purpose, where it finds nothing without the fault (see above)."""
    revision, scenario = find_revision(SHOWS[fault.name][0]), find_scenario(SHOWS[fault.name][1])
    system = build("fault", revision.knobs, scenario).compile()
    assert conform_one(system, revision.knobs, scenario, fault.parts).divergences


def held_in_poll() -> Conformance:
    """Busy polling in a code base that holds the lock from there into dispatch: none of the table is like that."""
    revision = with_settings(find_revision("684e508c23"), {"ctx_held_in_poll": True})
    scenario = find_scenario("dataplane")
    return conform_one(build("held", revision.knobs, scenario).compile(), revision.knobs, scenario)


@pytest.mark.slow
def test_busy_polling_takes_the_lock_that_dispatch_needs() -> None:
    """The line that takes it changes nothing where it is let go of in the same step, as in every code base; here it does."""
    result = held_in_poll()
    assert (result.divergences, result.states, result.edges) == ((), 2528, 5955)


@pytest.mark.slow
def test_busy_polling_without_the_lock_turns_conformance_red(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: the same with that line left out."""

    def without(p: Process, w: World) -> None:
        with p.atomic():
            aio.run_poll_handlers_once(p, w, w.loops.ctx)

    monkeypatch.setattr(iothread, "_busy_poll", without)
    assert "AioContext lock" in str(held_in_poll().divergences[0].difference)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("revision", "knobs", "states"),
    [("ab27c3b5e7", {"enable_notifies": True}, 1007), ("7f16476fab", {"bandage": True}, 619)],
)
def test_enabling_external_events_of_the_iohandlers_notifies_them_too(
    revision: str, knobs: dict[str, bool], states: int
) -> None:
    """The bandage in a code base whose aio_enable_external notifies: none of the table is like that, and B6 holds in it."""
    turned, scenario = with_settings(find_revision(revision), knobs), find_scenario("mirror")
    system = build("bandage", turned.knobs, scenario, DrainInvariant()).compile()
    result = conform_one(build("bandage", turned.knobs, scenario).compile(), turned.knobs, scenario)
    assert (result.divergences, result.states) == ((), states)
    assert explore(system).verdicts["B6"].outcome is Outcome.HOLDS


def test_steps_that_do_not_name_their_choices_turn_conformance_red() -> None:
    """Negative control: nothing but what the statements say tells what an actor may do."""
    revision, scenario = find_revision("9a0cec664e"), find_scenario("mirror")
    system = build("mute", revision.knobs, scenario).compile()
    mute = [replace(a, parts=tuple(replace(part, choice="") for part in a.parts)) for a in system.actions]
    first = conform_one(replace(system, actions=tuple(mute)), revision.knobs, scenario).divergences[0]
    assert first.difference.kind == "choices"


_WIDER = st.sampled_from(
    [
        Scenario("two writes", "", writes=2),
        Scenario("a read", "", writes=1, reads=1),
        Scenario("two disks", "", disks=2),
        Scenario("timer", "", source="timer", writes=2),
        Scenario("cancel", "", command="cancel"),
        Scenario("a write and a flush", "", source="timer", flushes=1),
    ]
)


@pytest.mark.parametrize(
    "revision",
    sampled(
        ["5a7e7a0bad~1", "176c36997f", "ab27c3b5e7", "684e508c23", "91af091f92", "cf3129323f"],
        ["ab27c3b5e7", "91af091f92"],
    ),
)
@pytest.mark.parametrize("first", sampled(range(0, 25, 5), 1))
def test_two_jobs_that_poll_inside_each_other_agree_on_long_walks(revision: str, first: int) -> None:
    """A graph too large to walk whole: random walks, with drains that poll in a coroutine and drains that yield."""
    scenario, knobs = find_scenario("mirror-2-jobs"), find_revision(revision).knobs
    system = build("walk", knobs, scenario).compile()
    seeds = range(first, first + 5)
    assert [walk(system, Machine(knobs, config_of(scenario)), Random(seed).randrange, 200) for seed in seeds] == [
        None
    ] * 5


def test_a_core_that_counts_polling_jobs_across_stacks_parts_from_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: which callbacks may give up control depends on the jobs that poll on the same stack."""
    monkeypatch.setattr(Host, "all_poll", property(lambda host: sum(host.polling.values()) == host.jobs))
    scenario, knobs = find_scenario("mirror-2-jobs"), find_revision("176c36997f").knobs
    system = build("walk", knobs, scenario).compile()
    seeds = range(17, 60)  # seventeen is the first to tell
    assert any(walk(system, Machine(knobs, config_of(scenario)), Random(seed).randrange, 200) for seed in seeds)


@pytest.mark.parametrize("part", sampled(range(6), 1))
@settings(max_examples=10, deadline=None, print_blob=True)
@given(st.sampled_from(code_bases()), _WIDER, st.booleans(), st.integers(0, 2**32))
def test_random_walks_agree_beyond_the_default_matrix(
    part: int, revision: Revision, scenario: Scenario, any_order: bool, seed: int
) -> None:
    """Two writes, reads, a second disk, cancelled jobs, any order of GSources: both walk in lockstep."""
    knobs = turned(revision.knobs, {"order": "any"}) if any_order else revision.knobs
    system = build("walk", knobs, scenario).compile()
    parting = walk(system, Machine(knobs, config_of(scenario)), Random(seed).randrange, 150)
    assert parting is None, f"{parting}, part {part}"

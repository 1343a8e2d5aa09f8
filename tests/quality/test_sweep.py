"""Sweeps: every code base of a space is decided, and the decision table says exactly which are safe."""

from __future__ import annotations

import random
from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from draincheck.analysis.decision_tables import Space
from draincheck.engines.explicit import explore
from draincheck.errors import SpaceTooLarge, UnknownName
from draincheck.knobs import Setting, turned
from draincheck.qemu import build
from draincheck.revisions import REVISIONS, find_revision
from draincheck.verdict import Outcome
from drainspecs.mirror.expectations import expected
from drainspecs.mirror.objections import objection
from drainspecs.mirror.properties import DrainInvariant
from drainspecs.mirror.scenarios import SCENARIOS, applies, find_scenario
from drainspecs.questions.sweep import Sweep, default_knobs, sweep

SMALL = ("is_external", "walk_checks_external", "drain", "begin", "bandage", "flush")


@pytest.fixture(scope="module")
def small() -> Sweep:
    """144 code bases around the bandage."""
    return sweep(find_scenario("mirror"), knobs=SMALL)


def table_says_safe(found: Sweep, vector: Mapping[str, Setting]) -> bool:
    """What the decision table says of a vector; nothing is said of one that no code base could have."""
    return any(cube.contains(vector) for cube in found.table)


def decided_alone(found: Sweep, vector: dict[str, Setting]) -> bool | None:
    """What a search of this one code base says; None if there can be no such code base."""
    knobs = turned(found.base.knobs, vector)
    if objection(knobs, found.scenario):
        return None
    verdicts = explore(build("mirror", knobs, found.scenario, DrainInvariant()).compile()).verdicts
    return all(verdicts[name].outcome is Outcome.HOLDS for name in found.properties)


@pytest.mark.slow
def test_each_code_base_is_decided_as_if_it_were_alone(small: Sweep) -> None:
    """All 144 of them, one by one."""
    for vector in small.space.vectors():
        alone = decided_alone(small, vector)
        assert small.is_possible(vector) is (alone is not None)
        assert small.is_safe(vector) is bool(alone)


def test_the_table_contains_exactly_the_safe_code_bases(small: Sweep) -> None:
    """Every vector of the space that a code base could have."""
    assert [
        v for v in small.space.vectors() if small.is_possible(v) and table_says_safe(small, v) != small.is_safe(v)
    ] == []
    assert small.space.size == 144 and small.code_bases == 96 and small.safe_count == 5


def test_the_table_of_the_bandage(small: Sweep) -> None:
    """It takes both commits, the bandage and either no yield in between or the early section; a flush after the count spoils it."""
    assert [str(cube) for cube in small.table] == [
        "is_external=on, walk_checks_external=on, begin=none or before_check, bandage=on, flush=before_check",
        "is_external=on, walk_checks_external=on, drain=nested, bandage=on, flush=before_check",
    ]


def test_rows_say_how_many_code_bases_fit(small: Sweep) -> None:
    """Counted one by one; the rows overlap, and together they have every safe code base."""
    vectors = [v for v in small.space.vectors() if small.is_possible(v)]
    assert small.fitting == tuple(sum(cube.contains(v) for v in vectors) for cube in small.table) == (4, 3)
    assert sum(small.fitting) >= small.safe_count


def test_a_wrong_table_is_found_out(small: Sweep) -> None:
    """Negative control: without its last cube the table no longer agrees with the search."""
    wrong = replace(small, table=small.table[:-1])
    assert any(table_says_safe(wrong, v) != wrong.is_safe(v) for v in small.space.vectors() if small.is_possible(v))


def test_a_wrong_verdict_is_found_out(small: Sweep) -> None:
    """Negative control: were one unsafe part called safe, some code base decided alone would disagree."""
    place, part = next((n, p) for n, p in enumerate(small.parts) if not p.judged.objection and not p.judged.all_hold())
    turned = replace(part, judged=replace(part.judged, outcomes={"S1": Outcome.HOLDS}))
    wrong = replace(small, parts=(*small.parts[:place], turned, *small.parts[place + 1 :]))
    assert any(wrong.is_safe(v) is not bool(decided_alone(small, v)) for v in small.space.vectors())


def test_parts_divide_the_space(small: Sweep) -> None:
    """Every vector is in exactly one of them."""
    seen = 0
    for part in small.parts:
        here = small.space.members(part.fixed)
        assert not seen & here
        seen |= here
    assert seen == small.space.everything


def test_history_is_found_in_the_space(small: Sweep) -> None:
    """The code bases of the history that lie in the space have the verdicts that history knows."""
    wanted = {"ab27c3b5e7": False, "ab27c3b5e7-nested-drain": True, "37989ced44": False}
    for name, safe in wanted.items():
        knobs = find_revision(name).knobs
        assert small.is_safe({knob: getattr(knobs, knob) for knob in small.space.knobs}) is safe


def test_knobs_that_no_build_reads_are_no_part_of_the_space() -> None:
    """The main loop reads nothing about IOThreads; a sweep over that alone has one code base."""
    found = sweep(find_scenario("mirror"), knobs=("busy_poll", "ctx_held_in_poll", "bandage"))
    assert found.space.knobs == ("bandage",) and found.ignored == ("busy_poll", "ctx_held_in_poll")
    assert found.space.size == 2 and found.table == ()


@pytest.mark.slow
def test_several_properties_make_safe_mean_more() -> None:
    """What breaks no invariant may still hang: each demand can only make the safe set smaller."""
    scenario, knobs = (
        find_scenario("dataplane"),
        ("begin", "dataplane_is_external", "enable_notifies", "ctx_held_in_poll"),
    )
    one, both = sweep(scenario, knobs=knobs), sweep(scenario, ("S1", "F1"), knobs=knobs)
    assert both.safe & ~one.safe == 0 and both.safe_count < one.safe_count
    assert [str(cube) for cube in both.table] == [
        "dataplane_is_external=on, begin=after_release or before_check, enable_notifies=on",
        "dataplane_is_external=on, begin=after_release or before_check, ctx_held_in_poll=on",
    ]


@pytest.mark.slow
def test_two_processes_find_the_same() -> None:
    """Parts, order and table do not depend on who does the work."""
    scenario = find_scenario("timer")
    knobs = ("begin", "drain", "park_requests", "pre_switch")
    alone, together = (sweep(scenario, knobs=knobs, processes=n) for n in (1, 2))
    assert replace(alone, seconds=0.0) == replace(together, seconds=0.0)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda item: item.name)
def test_default_spaces_are_wide(scenario: object) -> None:
    """More than 2,000 code bases in each scenario."""
    assert Space(default_knobs(scenario)).size >= 2_000  # type: ignore[arg-type]


def test_too_large_a_space_is_refused() -> None:
    """At once, with what to do."""
    with pytest.raises(SpaceTooLarge, match="choose fewer knobs"):
        sweep(
            find_scenario("mirror"),
            knobs=[*default_knobs(find_scenario("mirror")), "pre_switch", "exit", "release_bitmap", "reopen_drains"],
        )
    with pytest.raises(UnknownName, match="did you mean begin"):
        sweep(find_scenario("mirror"), knobs=["begins"])


#: scenario: vectors, code bases, safe ones, cubes of the table
DEFAULTS = {
    "mirror": (4608, 3840, 1234, 9),
    "dataplane": (3456, 2880, 916, 6),
    "timer": (2304, 1920, 448, 2),
    "no-ioeventfd": (2304, 1920, 448, 2),
}


@pytest.mark.long
@pytest.mark.parametrize("name", DEFAULTS)
def test_the_default_sweep(name: str) -> None:
    """The table agrees with every vector; a sample of code bases, searched alone, and what history knows agree with the sweep."""
    found = sweep(find_scenario(name))
    possible = [vector for vector in found.space.vectors() if found.is_possible(vector)]
    assert (found.space.size, found.code_bases, found.safe_count, len(found.table)) == DEFAULTS[name]
    assert len(possible) == found.code_bases and not found.ignored
    assert all(table_says_safe(found, v) is found.is_safe(v) for v in possible)
    for vector in random.Random(name).sample(possible, 60):
        assert found.is_safe(vector) is decided_alone(found, vector)
    for row in REVISIONS:
        if row.knobs.exit == found.base.knobs.exit and applies(row, found.scenario):
            vector = {knob: getattr(row.knobs, knob) for knob in found.space.knobs}
            wanted = expected(row.name, found.scenario, "S1")
            assert wanted is not None and table_says_safe(found, vector) is (wanted.outcome is Outcome.HOLDS), row.name

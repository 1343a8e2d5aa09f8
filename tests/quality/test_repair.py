"""What would mend a code base: exactly the minimal sets that do, cheapest first, none that hangs, and what the others leave open."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import combinations

import pytest

from draincheck.engines.explicit import explore
from draincheck.errors import ModelError, UnknownName
from draincheck.knobs import Knobs
from draincheck.qemu import Scenario, build
from draincheck.revisions import REVISIONS, Revision, find_revision, with_settings
from draincheck.verdict import Outcome
from drainspecs.mirror import kind as kind_module
from drainspecs.mirror import mitigations as mitigations_module
from drainspecs.mirror.kind import NO_HANG, same_kind
from drainspecs.mirror.mitigations import (
    GROUNDWORK,
    MITIGATIONS,
    NOT_MITIGATIONS,
    applied,
    contains,
    find_mitigation,
    groundwork_for,
    total_cost,
)
from drainspecs.mirror.properties import DrainInvariant
from drainspecs.mirror.scenarios import find_scenario
from drainspecs.questions import repair as repair_module
from drainspecs.questions.repair import SAFETY, Remainder, Repairs, repair, what_remains
from tests.support.samples import sampled

BANDAGE, EXTERNAL, WALK = "bandage=on", "is_external=on", "walk_checks_external=on"
EARLY, PARKS, HOME = "begin=before_check", "park_requests=on", "notifier_home=main"
#: parking without it hangs with a flush, so no repair parks and leaves it out
UNCOUNTED = "parked_counts=off"
#: from 463e0be101 to 657e120320~1 a stop of dataplane waits for the job for ever: whatever is to be a repair there has to mend that, too
MOVES = "job_at_switch=moves"


@cache
def asked(revision: str, *scenarios: str) -> Repairs:
    """What would mend it; each question is asked once."""
    return repair(find_revision(revision), [find_scenario(name) for name in scenarios])


def left(revision: str, *names: str, scenario: str = "mirror") -> Remainder:
    return what_remains(find_revision(revision), map(find_mitigation, names), [find_scenario(scenario)])


def solutions(found: Repairs) -> list[set[str]]:
    return [{item.name for item in solution.mitigations} for solution in found.solutions]


# -- before 14560d69e7: drains yield, the section begins after the bitmap's release -------------------


def test_the_bandage_alone_is_inert() -> None:
    """From 14560d69e7~1 cases 1 and 3 remain, and case 2 where GSources come in any order: nothing changes."""
    open_now = left("14560d69e7~1")
    alone = left("14560d69e7~1", BANDAGE)
    assert alone.inert
    assert alone.cases["mirror"] == open_now.cases["mirror"] == ("case 1", "case 3")
    assert alone.cases_any_order["mirror"] == ("case 1", "case 2", "case 3")
    assert {flaw.property for flaw in alone.flaws} == set(SAFETY)


def test_the_bandage_with_both_commits_closes_cases_1_and_2() -> None:
    """With 14560d69e7 and 37989ced44 case 3 is left, and it loses data silently."""
    found = left("14560d69e7~1", EXTERNAL, WALK, BANDAGE)
    assert not found.inert
    assert found.cases["mirror"] == found.cases_any_order["mirror"] == ("case 3",)
    assert {flaw.property for flaw in found.flaws} == {"S1", "S2", "S3", "S4"}


@pytest.mark.parametrize("partner", [EXTERNAL, WALK])
def test_one_of_the_two_commits_is_not_enough(partner: str) -> None:
    """The bandage stays inert with only one of them."""
    assert left("14560d69e7~1", partner, BANDAGE).inert


@pytest.mark.slow
def test_what_closes_everything_before_14560d69e7() -> None:
    """Four sets, cheapest first; the bandage is in the dearest, and there it needs 9a0cec664e as well."""
    found = asked("14560d69e7~1", "mirror")
    assert solutions(found) == [
        {HOME, EARLY},
        {PARKS, UNCOUNTED},
        {EXTERNAL, WALK, HOME},
        {EXTERNAL, WALK, BANDAGE, EARLY},
    ]
    assert [solution.cost for solution in found.solutions] == [5, 5, 6, 7]
    assert [commit for commit, _ in found.solutions[-1].commits] == [
        "14560d69e7",
        "37989ced44",
        "ab27c3b5e7",
        "9a0cec664e",
    ]


@pytest.mark.slow
def test_sets_one_short_of_a_solution_say_what_is_open() -> None:
    """The bandage with both commits lacks 9a0cec664e, and so leaves case 3; without 37989ced44 it leaves case 1."""
    short = {frozenset(m.name for m in r.mitigations): r for r in asked("14560d69e7~1", "mirror").remainders}
    assert short[frozenset({EXTERNAL, WALK, BANDAGE})].cases["mirror"] == ("case 3",)
    assert short[frozenset({EXTERNAL, BANDAGE, EARLY})].cases["mirror"] == ("case 1",)
    assert {frozenset({item.name}) for item in MITIGATIONS} & set(short)
    assert frozenset({PARKS, UNCOUNTED}) not in short and list(map(str, short[frozenset({PARKS})].flaws)) == [
        "mirror-flush: F1"
    ]


def without(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Leave mitigations out of the table."""
    kept = tuple(item for item in MITIGATIONS if item.name not in names)
    for module in (repair_module, mitigations_module):
        monkeypatch.setattr(module, "MITIGATIONS", kept)


@pytest.mark.slow
@pytest.mark.parametrize("name", [WALK, HOME])
def test_a_mitigation_that_is_not_known_is_in_no_repair(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: without one of them exactly the repairs that need it are gone, and nothing takes their place."""
    whole = [{HOME}, {EXTERNAL, WALK, BANDAGE}, {"begin=after_release", PARKS, UNCOUNTED}, {EARLY, PARKS, UNCOUNTED}]
    without(monkeypatch, name)
    found = repair(find_revision("3f09bfbc7b"), [find_scenario("mirror")], liveness=lambda *_: {})
    assert solutions(found) == [item for item in whole if name not in item] and len(found.solutions) == 3


# -- other code bases ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_on_nested_drains_the_bandage_is_clean() -> None:
    """From 3f09bfbc7b external counting, both commits and the bandage suffice in the main loop; the counter has to come first."""
    found = asked("3f09bfbc7b", "mirror")
    parking = [{"begin=after_release", PARKS, UNCOUNTED}, {EARLY, PARKS, UNCOUNTED}]
    assert solutions(found) == [{HOME}, {EXTERNAL, WALK, BANDAGE}, *parking]
    bandage = found.solutions[1]
    assert [commit for commit, _ in bandage.commits] == [
        "dca21ef23b",
        "c1e1e5fa8f",
        "14560d69e7",
        "37989ced44",
        "ab27c3b5e7",
    ]
    assert bandage.cost == 5 + 3
    assert bandage.settings == {"is_external": True, "walk_checks_external": True, "bandage": True}
    clean = left("3f09bfbc7b", EXTERNAL, WALK, BANDAGE)
    assert clean.flaws == () and clean.cases["mirror"] == clean.cases_any_order["mirror"] == ()
    assert contains(bandage.repaired, "3f09bfbc7b") and not contains(bandage.repaired, "c1e1e5fa8f")


@pytest.mark.slow
def test_the_bandage_s_own_tree() -> None:
    """At ab27c3b5e7 each of 9a0cec664e, 0ff841f6d1 and cf3129323f with its fix suffices for a virtio disk in the main loop."""
    assert solutions(asked("ab27c3b5e7", "mirror")) == [{EARLY}, {HOME}, {PARKS, UNCOUNTED}]


@pytest.mark.parametrize("scenario", sampled(["timer", "no-ioeventfd"], 0))
def test_without_a_host_notifier_only_parking_helps(scenario: str) -> None:
    """cf3129323f with 7f16476fab suffices at ab27c3b5e7, whose section opens in the same step as (w); 9a0cec664e alone leaves case 1."""
    found = asked("ab27c3b5e7", scenario)
    assert solutions(found) == [{PARKS, UNCOUNTED}]
    (early,) = [r for r in found.remainders if [m.name for m in r.mitigations] == [EARLY]]
    assert "case 1" in early.cases[scenario] and "case 3" not in early.cases[scenario]


@pytest.mark.slow
def test_where_a_drain_yields_first_parking_needs_the_early_section() -> None:
    """A code base with 65c1b5b622's drains and 176c36997f's section: what is parked must be so before the drain yields."""
    revision = with_settings(find_revision("65c1b5b622"), {"begin": "after_release"})
    assert solutions(repair(revision, [find_scenario("timer")])) == [{EARLY, PARKS, UNCOUNTED}]


@pytest.mark.slow
def test_all_scenarios_together() -> None:
    """What mends a virtio disk does not mend a timer: only parking mends all."""
    assert solutions(asked("ab27c3b5e7", "mirror", "timer", "dataplane")) == [{PARKS, UNCOUNTED}]


@pytest.mark.slow
def test_a_code_base_with_nothing_to_mend() -> None:
    """The one solution is to do nothing."""
    found = asked("9a0cec664e", "mirror")
    assert solutions(found) == [set()] and found.solutions[0].cost == 0 and found.now.flaws == ()


def test_no_solution_is_made_up() -> None:
    """S6 fails at bdffb31d8e because of its flush, which no mitigation moves."""
    found = repair(find_revision("bdffb31d8e"), [find_scenario("mirror")], ["S6"])
    assert found.solutions == () and {flaw.property for flaw in found.now.flaws} == {"S6"}


# -- no hang ------------------------------------------------------------------------------------------


def section_less() -> Revision:
    """65c1b5b622's IOThread, which may sleep without the notifier, in a code base whose mirror has no section yet."""
    return with_settings(find_revision("65c1b5b622"), {"begin": "none"})


@pytest.mark.slow
def test_a_repair_that_hangs_is_none() -> None:
    """A section makes dataplane safe and lets the IOThread sleep for ever, until 321d1dba8b wakes it."""
    found = repair(section_less(), [find_scenario("dataplane")])
    assert solutions(found) == [{EARLY, "enable_notifies=on", MOVES}]
    rejected = {frozenset(m.name for m in items): {flaw.property for flaw in flaws} for items, flaws in found.rejected}
    assert rejected[frozenset({EARLY})] == {"F1", "L2"}


@pytest.mark.slow
def test_history_s_own_fix_hung() -> None:
    """At 684e508c23 what 59c9f437c5 did makes dataplane safe, and leaves an IOThread asleep for ever: refused, and F1 is the reason."""
    found = asked("684e508c23", "dataplane")
    awake = "enable_notifies=on"
    assert solutions(found) == [{"busy_poll=honours", awake, MOVES}, {awake, MOVES, PARKS, UNCOUNTED}]
    assert [({m.name for m in items}, list(map(str, flaws))) for items, flaws in found.rejected] == [
        ({"busy_poll=honours"}, ["dataplane: F1"]),
        ({PARKS}, ["dataplane: F1"]),
        ({"busy_poll=honours", awake}, ["dataplane-reset: F1"]),
        ({awake, PARKS}, ["dataplane-reset: F1"]),
        ({awake, MOVES, PARKS}, ["dataplane-flush-reopen: F1"]),
    ]


@pytest.mark.slow
def test_its_hang_is_real() -> None:
    """Negative control: with 321d1dba8b's wakeup in the code base the same fix leaves no IOThread asleep, and is not refused for that."""
    woken = with_settings(find_revision("684e508c23"), {"enable_notifies": True})
    found = repair(woken, [find_scenario("dataplane")])
    assert solutions(found) == [{"busy_poll=honours", MOVES}, {MOVES, PARKS, UNCOUNTED}]
    assert [({m.name for m in items}, list(map(str, flaws))) for items, flaws in found.rejected] == [
        ({"busy_poll=honours"}, ["dataplane-reset: F1"]),
        ({PARKS}, ["dataplane-reset: F1"]),
        ({MOVES, PARKS}, ["dataplane-flush-reopen: F1"]),
    ]


@pytest.mark.slow
def test_a_hang_in_another_scenario_of_the_kind_counts() -> None:
    """At 65c1b5b622 only F1 fails in dataplane; what mends it there hangs where the device stops, and is refused for that."""
    found = asked("65c1b5b622", "dataplane")
    assert solutions(found) == [{"enable_notifies=on", MOVES}]
    assert [({m.name for m in items}, list(map(str, flaws))) for items, flaws in found.rejected] == [
        ({"enable_notifies=on"}, ["dataplane-reset: F1"])
    ]


@pytest.mark.slow
def test_without_the_demand_not_to_hang_it_would_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control of the demand: left out, the hanging set comes back as a solution."""
    for module in (repair_module, kind_module):
        monkeypatch.setattr(module, "NO_HANG", ("R1",))
    found = repair(section_less(), [find_scenario("dataplane")], liveness=lambda *_: {})
    assert solutions(found) == [{EARLY}]


@pytest.mark.slow
def test_lost_liveness_alone_rejects_a_set() -> None:
    """Whatever the caller's liveness says is lost keeps a set from being a solution; what was missing before does not."""

    def liveness(revision: Revision, _: Scenario) -> Mapping[str, Outcome]:
        lost = revision.knobs.begin == "before_check"
        return {"X": Outcome.VIOLATED if lost else Outcome.HOLDS, "Y": Outcome.VIOLATED}

    found = repair(find_revision("ab27c3b5e7"), [find_scenario("mirror")], liveness=liveness)
    assert {EARLY} not in solutions(found) and {HOME} in solutions(found)
    assert {str(flaw) for _, flaws in found.rejected for flaw in flaws} == {"mirror: X", "mirror-flush: F1"}


@pytest.mark.slow
def test_parking_alone_is_refused_for_the_flush_it_makes_hang() -> None:
    """Nobody asked about flushes: the scenario is of the same kind, so the set is none, and 7f16476fab has to be in it."""
    found = asked("ab27c3b5e7", "timer")
    assert [({m.name for m in items}, list(map(str, flaws))) for items, flaws in found.rejected] == [
        ({PARKS}, ["timer-flush: F1"])
    ]
    assert [commit for commit, _ in found.solutions[0].commits] == ["cf3129323f", "7f16476fab"]


def test_without_the_look_at_its_kind_parking_alone_would_be_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: in the scenario that was asked about it mends everything and hangs nowhere."""
    monkeypatch.setattr(kind_module, "same_kind", lambda *_: [])
    assert solutions(asked.__wrapped__("ab27c3b5e7", "timer")) == [{PARKS}]


def test_what_hangs_with_a_flush_is_mended_by_uncounting() -> None:
    """At cf3129323f a parked flush stays counted; 7f16476fab is the repair, and there is no other."""
    found = repair(find_revision("cf3129323f"), [find_scenario("timer-flush")])
    assert solutions(found) == [{UNCOUNTED}] and list(map(str, found.now.flaws)) == ["timer-flush: F1"]
    assert asked("7f16476fab", "timer-flush").now.flaws == ()


@pytest.mark.long
def test_no_repair_of_any_code_base_hangs_in_any_scenario_of_its_kind() -> None:
    """What is offered for requests without a host notifier, decided anew by whole searches."""
    for revision in ("5a7e7a0bad", "3f09bfbc7b", "91af091f92"):
        for scenario in ("timer", "no-ioeventfd"):
            for solution in asked(revision, scenario).solutions:
                for place in same_kind(solution.repaired, [find_scenario(scenario)]):
                    assert finishes(solution.repaired.knobs, place), (solution.repaired.name, place.name)


# -- completeness -------------------------------------------------------------------------------------


def finishes(knobs: Knobs, scenario: Scenario) -> bool:
    """The job can always still complete."""
    verdicts = explore(build("mirror", knobs, scenario, DrainInvariant()).compile()).verdicts
    return all(verdicts[name].outcome is Outcome.HOLDS for name in NO_HANG)


def brute_force(revision: str, scenario: str) -> set[frozenset[str]]:
    """All minimal sets that mend a code base and hang nowhere, by trying every set (liveness left out)."""
    row, place = find_revision(revision), find_scenario(scenario)
    applicable = [item for item in MITIGATIONS if item.applies(row.knobs)]
    found: set[frozenset[str]] = set()
    for size in range(len(applicable) + 1):
        for chosen in combinations(applicable, size):
            names = frozenset(item.name for item in chosen)
            if any(smaller <= names for smaller in found):
                continue
            knobs = applied(row.knobs, chosen)
            verdicts = explore(build("mirror", knobs, place, DrainInvariant()).compile()).verdicts
            mends = all(verdicts[name].outcome is Outcome.HOLDS for name in (*SAFETY, *NO_HANG))
            if mends and all(finishes(knobs, other) for other in same_kind(row, [place])):
                found.add(names)
    return found


HARD = [
    pytest.param("39bf92dd70", "mirror", marks=pytest.mark.long),
    pytest.param("684e508c23", "dataplane", marks=pytest.mark.long),
    pytest.param("37989ced44", "no-ioeventfd", marks=pytest.mark.slow),
    pytest.param("b112a65c52", "dataplane", marks=pytest.mark.long),
]


@pytest.mark.parametrize(("revision", "scenario"), HARD)
def test_the_search_finds_what_trying_every_set_finds(revision: str, scenario: str) -> None:
    """Complete and minimal."""
    assert set(map(frozenset, solutions(asked(revision, scenario)))) == brute_force(revision, scenario)


@pytest.mark.slow
def test_a_search_that_skips_mitigations_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: a search that never adds anything to the bandage misses solutions."""
    compatible, place = repair_module._Bench.compatible, MITIGATIONS.index(find_mitigation(BANDAGE))
    monkeypatch.setattr(
        repair_module._Bench, "compatible", lambda self, s: frozenset() if place in s else compatible(self, s) - {place}
    )
    found = asked.__wrapped__("39bf92dd70", "mirror")  # not what the search has found before
    assert set(map(frozenset, solutions(found))) != brute_force("39bf92dd70", "mirror")


# -- the data -----------------------------------------------------------------------------------------


def test_each_mitigation_is_the_difference_its_commit_made() -> None:
    """The row of its commit has the setting, and the row before has one that it applies to."""
    names = [row.name for row in REVISIONS]
    for item in MITIGATIONS:
        place = names.index(item.commits[0])
        before, after = REVISIONS[place - 1].knobs, REVISIONS[place].knobs
        assert item.applies(before) and not item.applies(after), item.name
        assert all(getattr(after, knob) == value for knob, value in item.settings.items()), item.name
        assert item.reason and 1 <= item.cost <= 4
        assert set(item.builds_on) <= {ground.commit for ground in GROUNDWORK}


def test_what_is_not_a_mitigation_says_why() -> None:
    """Reverting a fix of another bug, hiding the loss, or hoping is none; the two lists do not overlap."""
    assert not {item.name for item in MITIGATIONS} & {str(item) for item in NOT_MITIGATIONS}
    for name in ("drain=nested", "exit=inline"):
        with pytest.raises(UnknownName, match="is not a mitigation: reverts"):
            find_mitigation(name)
    with pytest.raises(UnknownName, match="did you mean bandage=on"):
        find_mitigation("bandaged=on")


def test_groundwork_is_counted_once() -> None:
    """Before c1e1e5fa8f two mitigations that need the counter pay for it once; after it nobody does."""
    pair = [find_mitigation(EXTERNAL), find_mitigation(WALK)]
    assert [g.commit for g in groundwork_for(find_revision("3f09bfbc7b"), pair)] == ["dca21ef23b", "c1e1e5fa8f"]
    assert total_cost(find_revision("3f09bfbc7b"), pair) == 1 + 2 + 1 + 2
    assert total_cost(find_revision("ab27c3b5e7"), pair) == 3


def test_a_mitigation_that_brings_its_own_groundwork() -> None:
    """9a0cec664e needs a section to move; in a set with 176c36997f that is no extra cost."""
    early, late = find_mitigation(EARLY), find_mitigation("begin=after_release")
    assert "176c36997f" in {g.commit for g in groundwork_for(find_revision("3f09bfbc7b"), [early])}
    assert "176c36997f" not in {g.commit for g in groundwork_for(find_revision("3f09bfbc7b"), [early, late])}


def test_what_cannot_be_asked() -> None:
    """A scenario that the code base cannot run."""
    with pytest.raises(ModelError, match="cannot run the scenario dataplane"):
        asked("5a7e7a0bad", "dataplane")

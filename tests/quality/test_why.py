"""Why a verdict is what it is: exactly the sets of changes that flip it, in both directions, and nothing missed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest

from draincheck.engines.explicit import explore
from draincheck.errors import ModelError
from draincheck.knobs import turned
from draincheck.qemu import build
from draincheck.revisions import find_revision, with_settings
from draincheck.run import rerun
from draincheck.system import TransitionSystem
from draincheck.verdict import Outcome
from drainspecs.mirror.objections import objection
from drainspecs.mirror.properties import DrainInvariant
from drainspecs.mirror.scenarios import find_scenario
from drainspecs.questions import why as why_module
from drainspecs.questions.variants import Judged
from drainspecs.questions.why import Why, changes_between, why

Sets = set[frozenset[str]]


def asked(revision: str, scenario: str = "mirror", property: str = "S1") -> Why:
    return why(find_revision(revision), find_scenario(scenario), property)


def sets_of(answer: Why) -> Sets:
    return {frozenset(change.knob for change in flip.changes) for flip in answer.flips}


def test_the_story_began_with_the_bottom_half() -> None:
    """At 5a7e7a0bad the only change is the exit in a bottom half, and it exposes the bug."""
    answer = asked("5a7e7a0bad")
    assert answer.exposes
    assert sets_of(answer) == {frozenset({"exit"})}
    assert [str(change) for change in answer.changes] == ["exit=bh"]


def test_case_3_is_exposed_by_the_section_and_by_drains_that_yield() -> None:
    """At ab27c3b5e7 the bandage would do either without 176c36997f's section or without a77fd4bb29's yield."""
    answer = asked("ab27c3b5e7")
    assert answer.exposes
    assert {(change.knob, change.commit) for flip in answer.flips for change in flip.changes} == {
        ("begin", "176c36997f"),
        ("drain", "a77fd4bb29"),
    }
    assert all(len(flip.changes) == 1 for flip in answer.flips)


@pytest.mark.slow
def test_what_protects_the_bandage_on_nested_drains() -> None:
    """The bandage, 14560d69e7 and 37989ced44 are each needed, and so is f3926945c8, before which there was nothing to disable."""
    answer = asked("ab27c3b5e7-nested-drain")
    assert not answer.exposes
    assert sets_of(answer) == {
        frozenset({name}) for name in ("iohandler", "is_external", "walk_checks_external", "bandage")
    }


def test_answers_may_need_several_changes() -> None:
    """Without a host notifier nothing but the inline exit is safe at ab27c3b5e7, and that leaves no place for section and bandage."""
    answer = asked("ab27c3b5e7", "timer")
    assert sets_of(answer) == {frozenset({"begin", "bandage", "exit"})}
    assert len(answer.objections) == 2


@pytest.mark.slow
def test_busy_polling_that_ignores_the_counter_exposes_dataplane() -> None:
    """Between 9a0cec664e and 684e508c23 one change broke what 176c36997f protected."""
    answer = why(find_revision("684e508c23"), find_scenario("dataplane"), base=find_revision("9a0cec664e"))
    assert sets_of(answer) == {frozenset({"busy_poll"})}


MANY = [
    pytest.param("timer", [{"park_requests"}, {"begin"}], 259, marks=pytest.mark.slow),
    pytest.param(
        "mirror",
        [
            {"begin"},
            *(
                {name, "park_requests"}
                for name in ("iohandler", "notifier_home", "is_external", "walk_checks_external")
            ),
        ],
        8198,
        marks=pytest.mark.long,
    ),
]


@pytest.mark.parametrize(("scenario", "sets", "examined"), MANY)
def test_what_protects_the_last_code_base(scenario: str, sets: list[set[str]], examined: int) -> None:
    """Twenty-seven changes, 134 million sets, and all accounted for: parking covers for whatever protected before, but for the section itself."""
    answer = asked("cf3129323f", scenario)
    assert not answer.exposes and len(answer.changes) == 27 and answer.examined == examined
    assert sets_of(answer) == set(map(frozenset, sets))


def test_what_protects_dataplane() -> None:
    """At 176c36997f it takes the section, the external flag, and the poll set that leaves disabled handlers out."""
    answer = asked("176c36997f", "dataplane")
    assert sets_of(answer) == {
        frozenset({name}) for name in ("begin", "dataplane_is_external", "poll_set_checks_external")
    }


def test_the_evidence_is_about_the_code_base_after_removal() -> None:
    """A verdict that becomes *violated* has a counterexample that runs; one that becomes *holds* says what was searched."""
    protects, exposes = asked("176c36997f", "dataplane"), asked("ab27c3b5e7")
    for flip in protects.flips:
        assert flip.verdict.outcome is Outcome.VIOLATED and flip.verdict.trace is not None
        system = build("again", flip.without.knobs, protects.scenario, DrainInvariant()).compile()
        assert rerun(system, flip.verdict.trace)[-1].broken
    for flip in exposes.flips:
        assert flip.verdict.outcome is Outcome.HOLDS and flip.verdict.trace is None
        assert flip.statistics.queue == 0 and flip.statistics.states > 500
    assert {flip.without.name for flip in exposes.flips} == {"ab27c3b5e7+drain=nested", "ab27c3b5e7+begin=none"}


def test_certificates_are_made_of_the_systems_in_which_it_holds() -> None:
    """Whoever makes certificates gets each such system, and only those."""

    def certify(system: TransitionSystem) -> str:
        assert explore(system).verdicts["S1"].outcome is Outcome.HOLDS
        return system.digest

    answer = why(find_revision("ab27c3b5e7"), find_scenario("mirror"), certify=certify)
    assert [flip.certificate for flip in answer.flips] == [flip.digest for flip in answer.flips]
    answer = why(find_revision("176c36997f"), find_scenario("dataplane"), certify=certify)
    assert [flip.certificate for flip in answer.flips] == [None] * 3


def brute_force(revision: str, scenario: str, property: str) -> Sets:
    """All minimal sets of changes that flip a verdict, by trying every set."""
    row, place = find_revision(revision), find_scenario(scenario)
    changes = changes_between(row)

    def outcome(chosen: tuple[str, ...]) -> Outcome | None:
        knobs = turned(row.knobs, {change.knob: change.before for change in changes if change.knob in chosen})
        if objection(knobs, place):
            return None
        return explore(build("mirror", knobs, place, DrainInvariant()).compile()).verdicts[property].outcome

    now, found = outcome(()), Sets()
    for size in range(len(changes) + 1):
        for chosen in combinations([change.knob for change in changes], size):
            if not any(smaller <= set(chosen) for smaller in found) and outcome(chosen) not in (now, None):
                found.add(frozenset(chosen))
    return found


HARD = [
    ("c1e1e5fa8f", "commit", "S4"),
    ("176c36997f", "dataplane", "S8"),
    pytest.param("176c36997f", "mirror", "A1", marks=pytest.mark.slow),
    pytest.param("176c36997f", "timer", "S1", marks=pytest.mark.slow),
    pytest.param("ab27c3b5e7", "mirror", "S1", marks=pytest.mark.long),
    pytest.param("d4a92a8420", "mirror", "S7", marks=pytest.mark.long),
]


@pytest.mark.slow
@pytest.mark.parametrize(("revision", "scenario", "property"), HARD)
def test_the_search_finds_what_trying_every_set_finds(revision: str, scenario: str, property: str) -> None:
    """Complete and minimal."""
    assert sets_of(asked(revision, scenario, property)) == brute_force(revision, scenario, property)


@pytest.mark.slow
def test_a_search_that_skips_sets_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: without the sets of two the comparison above fails."""
    larger = why_module._Search._larger
    monkeypatch.setattr(
        why_module._Search,
        "_larger",
        lambda self, item, judged: (more for more in larger(self, item, judged) if len(more.removed) != 2),
    )
    assert sets_of(asked("176c36997f", "timer")) != brute_force("176c36997f", "timer", "S1")


@pytest.mark.parametrize(("revision", "scenario"), [("ab27c3b5e7", "mirror"), ("176c36997f", "timer")])
def test_no_model_is_asked_for_twice(revision: str, scenario: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every set that is looked at reads all its changes, and no two read the same: each is a model of its own to build."""
    asked_for: list[tuple[frozenset[str], Judged]] = []
    larger = why_module._Search._larger

    def noted(self: Any, item: Any, judged: Judged) -> Iterator[Any]:
        asked_for.append((item.removed, judged))
        return larger(self, item, judged)

    monkeypatch.setattr(why_module._Search, "_larger", noted)
    answer = asked(revision, scenario)
    assert len(asked_for) == answer.examined == len({tuple(judged.read.items()) for _, judged in asked_for})
    assert all(removed <= judged.read.keys() for removed, judged in asked_for)


def test_knobs_that_nothing_depends_on_are_in_no_answer() -> None:
    """`submit` only names a function, and mirror with dataplane is a matter of whether the scenario can be run."""
    answer = asked("ab27c3b5e7")
    assert "submit" not in {change.knob for change in answer.changes}
    assert not {"submit", "dataplane_mirror"} & set().union(*sets_of(answer))


def test_progress_is_reported() -> None:
    """Numbers that only grow, up to all that was asked."""
    seen: list[int] = []
    answer = why(find_revision("ab27c3b5e7"), find_scenario("mirror"), advance=seen.append)
    assert seen == sorted(seen) and seen[-1] == answer.examined


def test_two_processes_find_the_same() -> None:
    """However the work is divided."""
    revision, scenario = find_revision("9a0cec664e"), find_scenario("timer")
    alone, together = (why(revision, scenario, "S4", processes=n) for n in (1, 2))
    assert sets_of(alone) == sets_of(together) and alone.systems == together.systems


def test_changes_name_their_commits() -> None:
    """Each with the last commit that gave it its value; a knob turned by hand has none."""
    commits = {change.knob: change.commit for change in changes_between(find_revision("cf3129323f"))}
    assert (
        commits["begin"] == "9a0cec664e"
        and commits["drain"] == "d42cf28837"
        and commits["park_requests"] == "cf3129323f"
    )
    assert "bandage" not in commits and commits["drain_polls"] == "4cf077b59f"
    turns = {change.knob: [row.name for row in change.turns] for change in changes_between(find_revision("cf3129323f"))}
    assert turns["begin"] == ["176c36997f", "9a0cec664e"] and turns["drain"] == ["a77fd4bb29", "d42cf28837"]
    late = changes_between(find_revision("cf3129323f"), find_revision("176c36997f"))
    assert [row.name for change in late if change.knob == "begin" for row in change.turns] == ["9a0cec664e"]
    (by_hand,) = [t for t in changes_between(find_revision("3f09bfbc7b-reopen-drains")) if t.knob == "reopen_drains"]
    assert by_hand.commit == ""


def test_what_cannot_be_asked() -> None:
    """A scenario that the code base cannot run, a code base that there cannot be, and a property that nobody demands."""
    with pytest.raises(ModelError, match="cannot run the scenario dataplane"):
        asked("5a7e7a0bad", "dataplane")
    with pytest.raises(ModelError, match="no code base could be like"):
        why(with_settings(find_revision("ab27c3b5e7"), {"exit": "inline"}), find_scenario("mirror"))
    with pytest.raises(ModelError, match="no property 'S99'"):
        asked("ab27c3b5e7", "mirror", "S99")

"""Deciding many code bases: what is shared may be shared, what is left out cannot be."""

from __future__ import annotations

import random

import pytest
from msgspec.structs import replace

from draincheck.engines.explicit import explore
from draincheck.errors import ModelError, OutOfBudget, UnknownName
from draincheck.knobs import Knobs, all_knobs, knob_named, shown, turned
from draincheck.qemu import Scenario, build
from draincheck.reason import Incomplete
from draincheck.revisions import find_revision
from draincheck.semantics.validation import demand_faultless
from draincheck.system import TransitionSystem
from draincheck.verdict import Exploration, Limits, Outcome, Verdict
from drainspecs.mirror.objections import objection
from drainspecs.mirror.properties import DrainInvariant
from drainspecs.mirror.scenarios import DEFAULT_SCENARIOS, SCENARIOS, find_scenario
from drainspecs.questions import variants
from drainspecs.questions.variants import Judge, Judged
from tests.support.samples import sampled

MIRROR = find_scenario("mirror")


def vectors(number: int, seed: int = 1) -> list[Knobs]:
    """Knob vectors at random, over all knobs."""
    pick = random.Random(seed)
    return [
        turned(Knobs(), {knob.name: pick.choice(knob.settings) for knob in all_knobs().values()}) for _ in range(number)
    ]


def directly(knobs: Knobs, scenario: Scenario) -> tuple[str, Outcome]:
    system = build("mirror", knobs, scenario, DrainInvariant()).compile()
    return system.digest, explore(system).verdicts["S1"].outcome


@pytest.mark.slow
@pytest.mark.parametrize(
    "scenario", sampled(DEFAULT_SCENARIOS, [find_scenario("mirror")], 2), ids=lambda item: item.name
)
def test_a_judge_says_what_a_search_of_each_code_base_says(scenario: Scenario) -> None:
    """Random code bases and all their neighbours, whether a build was shared or not."""
    judge, shared = Judge(scenario, ["S1"]), 0
    for knobs in vectors(3):
        for knob in all_knobs().values():
            for value in knob.settings:
                other = turned(knobs, {knob.name: value})
                shared += judge.known(other) is not None
                judged = judge.judge(other)
                if not judged.objection and pick(other):
                    assert (judged.digest, judged.outcomes["S1"]) == directly(other, scenario)
    assert shared > 20


def pick(knobs: Knobs) -> bool:
    """A fifth of all code bases, the same in every run: enough to be compared with a search of their own."""
    return sum(map(len, map(str, (getattr(knobs, knob.name) for knob in all_knobs().values())))) % 5 == 0


@pytest.mark.slow
def test_a_judge_that_was_told_something_wrong_repeats_it() -> None:
    """Negative control of the comparison above: what was learned decides, for all code bases with the same readings."""
    judge, knobs = Judge(MIRROR, ["S1"]), find_revision("ab27c3b5e7").knobs
    truth = Judge(MIRROR, ["S1"]).judge(knobs)
    judge.learn(replace(truth, outcomes={"S1": Outcome.HOLDS}))
    assert judge.judge(turned(knobs, {"busy_poll": "ignores"})).outcomes["S1"] is Outcome.HOLDS
    assert truth.outcomes["S1"] is Outcome.VIOLATED


def test_what_is_never_read_makes_no_difference() -> None:
    """The main loop does not read how an IOThread polls."""
    judge, knobs = Judge(MIRROR, ["S1"]), find_revision("ab27c3b5e7").knobs
    judged = judge.judge(knobs)
    assert "busy_poll" not in judged.read and judge.known(turned(knobs, {"busy_poll": "ignores"})) is judged
    assert judge.known(turned(knobs, {"begin": "none"})) is None


READ = [
    ("cf3129323f", "dataplane", {"dataplane_is_external", "walk_checks_external"}),
    ("3f09bfbc7b", "dataplane", set()),
    ("3f09bfbc7b", "mirror", set()),
    ("37989ced44", "mirror", set()),
    ("ab27c3b5e7", "mirror", {"is_external", "walk_checks_external"}),
    ("d4a92a8420", "mirror", {"is_external", "walk_checks_external"}),
    ("cf3129323f", "timer", set()),
]


@pytest.mark.parametrize(("revision", "scenario", "expected"), READ)
def test_knobs_about_disabling_are_read_only_where_something_can_be_disabled(
    revision: str, scenario: str, expected: set[str]
) -> None:
    """That takes a counter of the context in which a notifier is registered: whatever else these knobs say makes no difference."""
    about = {"is_external", "dataplane_is_external", "walk_checks_external"}
    judged = Judge(find_scenario(scenario), ["S1"]).judge(find_revision(revision).knobs)
    assert about & judged.read.keys() == expected


@pytest.mark.parametrize("scenario", sampled(SCENARIOS, 6), ids=lambda item: item.name)
def test_what_nobody_objects_to_can_be_decided(scenario: Scenario) -> None:
    """Random code bases run in every scenario without a fault of the model."""
    judge = Judge(scenario, ["S1"])
    judged = [judge.judge(knobs) for knobs in vectors(4 if scenario.jobs > 1 else 10, seed=3)]
    assert any(not item.objection for item in judged)


OBJECTIONABLE = [
    ("mirror", {"drain": "yield_first", "drain_is_section": False, "begin": "none"}),
    ("mirror", {"drain": "yield_first", "drain_is_section": False}),
    ("dataplane", {"exit": "inline"}),
    ("mirror", {"exit": "inline", "bandage": False}),
    ("mirror", {"exit": "inline", "begin": "none"}),
    ("mirror-source-error", {"exit": "inline", "begin": "before_check", "bandage": False}),
]


@pytest.mark.parametrize(("scenario", "changes"), OBJECTIONABLE)
def test_objections_are_to_what_cannot_work(scenario: str, changes: dict[str, str]) -> None:
    """The model of such a code base cannot be built or runs into a fault: leaving it out hides no verdict."""
    knobs, place = turned(find_revision("ab27c3b5e7").knobs, changes), find_scenario(scenario)
    assert objection(knobs, place)
    with pytest.raises((ModelError, AssertionError)):
        demand_faultless(explore(build("mirror", knobs, place, DrainInvariant()).compile()).verdicts.values())


def test_no_code_base_of_the_history_is_objected_to() -> None:
    """Nor any of the controls, in any scenario that it can run."""
    from drainspecs.suite.matrix import all_rows

    assert [row for row in all_rows() if objection(row.revision.knobs, row.scenario)] == []


def test_an_undecided_property_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that comes to no verdict is never counted as one: it was stopped, or nothing more is to be known."""
    knobs = find_revision("9a0cec664e").knobs
    monkeypatch.setattr(variants, "explore", lambda system: explore(system, Limits(states=10)))
    with pytest.raises(OutOfBudget, match="state limit 10 reached"):
        Judge(MIRROR, ["S4"]).judge(knobs)

    def bounded(system: TransitionSystem) -> Exploration:
        found = explore(system)
        return replace(found, verdicts={"S4": Verdict("S4", Outcome.UNKNOWN, Incomplete(9, "nested polls (m.py:2)"))})

    monkeypatch.setattr(variants, "explore", bounded)
    with pytest.raises(ModelError, match="S4 cannot be decided: bound passed: nested polls"):
        Judge(MIRROR, ["S4"]).judge(knobs)


@pytest.mark.slow
def test_several_processes_say_the_same() -> None:
    """The answers come in the order of the questions, whoever found them."""
    asked = vectors(60, seed=7)
    answers: list[list[Judged]] = []
    for processes in (1, 2):
        judge = Judge(MIRROR, ["S1"], processes=processes)
        assert sum(judge.known(knobs) is None for knobs in set(asked)) > variants.FEW
        answers.append(judge.judge_all(asked))
        assert judge.asked == 60
    assert answers[0] == answers[1]


def test_values_are_read_and_shown_as_users_write_them() -> None:
    """Switches are truth values inside; an unknown knob names the nearest ones."""
    assert knob_named("bandage").settings == (False, True) and shown(True) == "on"
    assert knob_named("begin").settings == ("none", "after_release", "before_check") and shown("none") == "none"
    with pytest.raises(UnknownName, match="did you mean bandage"):
        knob_named("bandages")

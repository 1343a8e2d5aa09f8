"""The default matrix: the model finds what QEMU's history says, and nothing passes by accident."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import pytest
from msgspec.structs import force_setattr, replace

from draincheck.engines.explicit import explore, states
from draincheck.errors import ModelError
from draincheck.expr import TRUE
from draincheck.knobs import Setting
from draincheck.native.tiers import Tier
from draincheck.qemu import Scenario, build
from draincheck.revisions import CONTROLS, REVISIONS, Revision, find_revision, with_settings
from draincheck.system import TransitionSystem
from draincheck.verdict import Exploration, Limits, Outcome
from drainspecs.mirror.expectations import expected
from drainspecs.mirror.properties import PROPERTIES, PropertySpec
from drainspecs.mirror.scenarios import DEFAULT_SCENARIOS, find_scenario
from drainspecs.mirror.stray_requests import CASES, SeedCases
from drainspecs.suite import matrix
from drainspecs.suite.matrix import (
    Counts,
    Row,
    RowResult,
    Solver,
    all_rows,
    default_rows,
    deviations,
    pinned_counts,
    system_of,
)
from tests.support.rows import decided


@pytest.fixture
def results() -> Sequence[RowResult]:
    """The default matrix, searched once."""
    return decided()


def test_the_default_matrix_is_as_expected(results: Sequence[RowResult]) -> None:
    """Every verdict and every pinned count, of every code base in every scenario."""
    assert [line for result in results for line in deviations(result)] == []
    assert len(results) == 5 * (len(REVISIONS) + len(CONTROLS)) - 2


def test_every_row_has_expectations_and_pinned_counts(results: Sequence[RowResult]) -> None:
    """No cell of the default matrix goes unchecked."""
    for result in results:
        assert result.pinned is not None, result.row
        assert all(cell.expected is not None for cell in result.cells)


def test_every_property_is_violated_somewhere_or_guarded_by_a_mutation(results: Sequence[RowResult]) -> None:
    """A property that never fails could be vacuous: those that hold everywhere are broken on purpose in the mutation tests below."""
    failing = {
        cell.property_name for result in results for cell in result.cells if cell.verdict.outcome is Outcome.VIOLATED
    }
    assert {item.name for item in PROPERTIES} - failing == {"S10", "S11", "B1", "B2", "B3", "B5", "R1"}


def test_equal_systems_of_two_scenarios_share_a_search() -> None:
    """Mirror and block-commit at 9a0cec664e are one system, and with dataplane it is another."""
    row = Row(find_revision("9a0cec664e"), find_scenario("mirror"))
    first, same, other = Solver().decide(
        [replace(row, scenario=find_scenario(name)) for name in ("mirror", "commit", "dataplane")]
    )
    assert same.exploration is first.exploration
    assert other.exploration is not first.exploration
    assert deviations(same) == []


@pytest.mark.parametrize("revision", ["9a0cec664e", "5a7e7a0bad"])
def test_a_row_is_built_once_for_all_that_its_build_has_read(revision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only where bdrv_swap does not wait does a build look at whether the job is a commit; there, and with dataplane, it is another."""
    built: list[str] = []
    make = matrix._built

    def counted(title: str, row: Row) -> TransitionSystem:
        built.append(title)
        return make(title, row)

    monkeypatch.setattr(matrix, "_built", counted)
    rows = [Row(find_revision(revision), find_scenario(name)) for name in ("mirror", "commit", "timer", "mirror-qcow2")]
    solver = Solver()
    digests = [result.digest for result in chain(solver.decide(rows), solver.decide(rows))]
    assert built == (["mirror", "timer"] if revision == "9a0cec664e" else ["mirror", "commit", "timer"])
    assert digests == 2 * [system_of(row).digest for row in rows]


@pytest.mark.slow
def test_rows_that_share_a_build_have_the_systems_of_their_own() -> None:
    """Built one by one they are the same."""
    rows = [row for row in all_rows() if row.scenario.jobs == 1][::29]
    assert [result.digest for result in Solver().decide(rows)] == [system_of(row).digest for row in rows]


def test_a_row_that_is_pinned_as_large_begins_with_machine_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python looks first where the pinned count is small, and where nothing is pinned."""
    tiers: list[Tier] = []

    def decided(system: TransitionSystem, *_: object, tier: Tier) -> Exploration:
        tiers.append(tier)
        return explore(system, Limits(states=1))

    monkeypatch.setattr(matrix, "decide", decided)
    mine = find_revision("ab27c3b5e7")
    rows = [Row(mine, find_scenario(name)) for name in ("mirror-2-jobs", "mirror", "mirror[writes=3]")]
    list(Solver().decide(rows))
    assert tiers == [Tier.LARGE, Tier.BY_SIZE, Tier.BY_SIZE]


@pytest.mark.parametrize("scenario", DEFAULT_SCENARIOS, ids=lambda item: item.name)
def test_an_expectation_turned_round_makes_a_difference(scenario: Scenario) -> None:
    """Negative control of the comparison: a wrong expectation, or a wrong count, is one line."""
    row = Row(find_revision("ab27c3b5e7"), scenario)
    (result,) = Solver().decide([row])
    assert deviations(result) == []
    assert len(deviations(replace(result, pinned=Counts(1, 2, 3)))) == 1
    other = replace(result, row=replace(row, revision=replace(row.revision, name="5a7e7a0bad~1")), pinned=None)
    if scenario is not find_scenario("dataplane"):
        assert any("expected holds, found violated" in str(line) for line in deviations(other))


def test_every_single_expectation_can_fail(results: Sequence[RowResult]) -> None:
    """Turned round, each of them is one deviation, and the only one of its row."""
    other = {Outcome.HOLDS: Outcome.VIOLATED, Outcome.VIOLATED: Outcome.HOLDS, Outcome.NEVER_ASKED: Outcome.HOLDS}
    for result in results:
        for cell in result.cells:
            assert cell.expected is not None
            turned = replace(cell, expected=replace(cell.expected, outcome=other[cell.expected.outcome]))
            assert cell.as_expected and not turned.as_expected


def mutated(revision: str, scenario: str, label: str, without: str) -> dict[str, Outcome]:
    """Verdicts of a model in which the steps with a label no longer write one variable."""
    system = system_of(Row(find_revision(revision), find_scenario(scenario)))
    touched = 0
    actions = []
    for action in system.actions:
        broken = any(part.label == label for part in action.parts)
        kept = tuple(update for update in action.updates if not broken or update.variable.name != without)
        touched += len(kept) != len(action.updates)
        actions.append(replace(action, updates=kept))
    assert touched, f"no step {label!r} writes {without}"
    return {
        name: verdict.outcome for name, verdict in explore(replace(system, actions=tuple(actions))).verdicts.items()
    }


@pytest.mark.parametrize(
    ("property", "revision", "scenario", "label", "without"),
    [
        ("B1", "176c36997f", "mirror", "aio_enable_external", "external_disable_cnt"),
        ("S11", "ab27c3b5e7", "mirror", "the target has the sector of write[0.0]", "target[0.0]"),
        ("B2", "176c36997f", "mirror", "quiesce_counter--", "quiesce_counter"),
        ("B2", "ab27c3b5e7", "mirror", "aio_enable_external (iohandler_ctx)", "external_disable_cnt (iohandler_ctx)"),
        ("B5", "176c36997f", "dataplane", "quiesce_counter--", "quiesce_counter"),
        ("R1", "ab27c3b5e7", "mirror", "the disk is the target now", "job completed"),
        ("F1", "9a0cec664e", "mirror", "schedule bdrv_co_drain_bh_cb", "drain BH"),
    ],
)
def test_a_broken_model_is_found_out(property: str, revision: str, scenario: str, label: str, without: str) -> None:
    """Each property that holds here goes red when the step it is about is broken on purpose."""
    row = Row(find_revision(revision), find_scenario(scenario))
    want = expected(revision, row.scenario, property)
    assert want is not None and want.outcome is Outcome.HOLDS
    assert mutated(revision, scenario, label, without)[property] is Outcome.VIOLATED


def test_a_context_switch_in_the_window_unbalances_the_counters() -> None:
    """B3, B1 and QEMU's own assertion go red in the scenario that moves the disk, unless the count moves along."""
    kept = with_settings(find_revision("657e120320"), {"switch_carries_count": False})
    for revision, outcome in (
        (find_revision("ab27c3b5e7"), Outcome.VIOLATED),
        (find_revision("657e120320"), Outcome.HOLDS),
        (kept, Outcome.VIOLATED),
    ):
        verdicts = explore(system_of(Row(revision, find_scenario("dataplane-reset")))).verdicts
        assert {verdicts[name].outcome for name in ("B1", "B3", "A1")} == {outcome}


def test_a_second_switch_is_found_out() -> None:
    """S10 goes red where the job starts out as completed already."""
    system = system_of(Row(find_revision("ab27c3b5e7"), find_scenario("mirror")))
    (completed,) = [variable for variable in system.variables if variable.name == "job completed"]
    force_setattr(completed, "initial", (1,))
    assert explore(system).verdicts["S10"].outcome is Outcome.VIOLATED


@pytest.mark.parametrize("control", CONTROLS, ids=lambda item: item.name)
def test_each_control_changes_a_verdict(control: Revision) -> None:
    """A control turns one knob of a real code base, and some property's verdict turns with it."""
    base = find_revision(control.name.split("-")[0])
    scenario = find_scenario(
        "timer" if base.knobs.park_requests else "mirror"
    )  # a request that queues has no host notifier
    pair = [explore(system_of(Row(item, scenario))).verdicts for item in (base, control)]
    assert any(pair[0][item.name].outcome is not pair[1][item.name].outcome for item in PROPERTIES)


def cases(revision: str, **settings: Setting) -> set[str]:
    """The seed's cases that can happen."""
    code_base = with_settings(find_revision(revision), settings)
    verdicts = explore(build("cases", code_base.knobs, find_scenario("mirror"), SeedCases()).compile()).verdicts
    return {name for name in CASES if verdicts[name].outcome is Outcome.VIOLATED}


def test_the_cases_of_the_story() -> None:
    """Which case is possible where: a fixed order admits one of the first two, any order admits both, yielding drains add the third."""
    assert cases("6ee4ce1ee7") == {"case 1"}
    assert cases("f3926945c8") == {"case 1"}
    assert cases("f3926945c8", order="any") == {"case 1", "case 2"}
    assert cases("37989ced44", order="any") == {"case 1", "case 2", "case 3"}
    assert cases("ab27c3b5e7", order="any") == {"case 3"}
    assert cases("9a0cec664e", order="any") == set()


#: steps that no scenario of the default matrix can take, and why
IMPOSSIBLE = {
    (
        "mirror_run",
        "blk_aio_pwritev (write[0.0])",
    ): "between the drain's count and the job's resumption nothing can have been parked",
    (
        "iothread",
        "blk_wait_while_drained queues write[0.0]",
    ): "a host notifier never runs in a drained section, so nothing is parked",
}


def steps_taken(system: TransitionSystem, taken: dict[tuple[str, str], bool]) -> None:
    """Note for every labelled step of a system whether it takes place in some reachable state."""
    fired = set(explore(system).statistics.fired)
    open_parts = []
    for action in system.actions:
        for part in action.parts:
            key = (action.process, part.label)
            if part.label and not taken.setdefault(key, False) and action.index in fired:
                if part.when is TRUE:
                    taken[key] = True
                else:
                    open_parts.append((key, part.when, action.guard))
    open_parts = [item for item in open_parts if not taken[item[0]]]
    if open_parts:
        for state in states(system):
            for key, when, guard in open_parts:
                taken[key] = taken[key] or (system.holds(guard, state) and system.holds(when, state))


@pytest.mark.slow
def test_every_step_of_the_model_is_taken_somewhere() -> None:
    """No step is dead code of the model, but for those that say why."""
    taken: dict[tuple[str, str], bool] = {}
    seen: set[str] = set()
    for row in default_rows():
        system = system_of(row)
        if system.digest not in seen:
            seen.add(system.digest)
            steps_taken(system, taken)
    assert {key for key, yes in taken.items() if not yes} == set(IMPOSSIBLE)


def test_pinned_counts_name_only_rows_that_exist() -> None:
    """A count for a revision that is no more would never be looked at."""
    names = {row.name for row in (*REVISIONS, *CONTROLS)}
    assert all(set(rows) <= names for rows in pinned_counts().values())


def test_a_property_without_an_expectation_is_told_where_it_belongs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who adds a property and forgets its expectation reads what to do."""
    from drainspecs.mirror import expectations

    monkeypatch.setattr(expectations, "PROPERTIES", (*PROPERTIES, PropertySpec("S99", "made up", "nowhere")))
    with pytest.raises(ModelError, match="no verdict on S99 is expected in mirror: write it down in drainspecs"):
        expectations.expected("ab27c3b5e7", find_scenario("mirror"), "S99")

"""What a run came to, as the value that reports are made from: nothing unknown is green, and every place is a line of the model's source."""

from __future__ import annotations

import importlib
import itertools
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from check_invariants.exit import ExitCode, of_answer, of_verdict
from draincheck.checking import check
from draincheck.errors import SourceLine
from draincheck.expr import FALSE, TRUE
from draincheck.location import files_below
from draincheck.model_file import ModelFile
from draincheck.properties import Always, Assertion, Breach, FaultKind
from draincheck.report.account import Account, Item, SearchCounts, Standing, Suite, standing_of, suite_of
from draincheck.revisions import find_revision
from draincheck.sorts import BOOL, IntSort
from draincheck.subject import Expectation
from draincheck.system import BoolVar, IntVar, TransitionSystem
from draincheck.verdict import Limits, Outcome
from drainspecs.mirror.code_base import CodeBase
from drainspecs.mirror.scenarios import find_scenario
from drainspecs.suite.account import suite_of_row
from drainspecs.suite.matrix import RowResult, Solver, default_rows
from tests.support.machines import Machine, counter
from tests.support.reports import waiting

EXPECTATIONS = [None, *(Expectation(outcome, "", derived=False) for outcome in Outcome if outcome.value != "unknown")]
CASES = list(itertools.product(Outcome, Breach, (True, False), EXPECTATIONS))


def account(*suites: Suite) -> Account:
    return Account(title="t", command="c", exit_code=0, seconds=0, suites=suites, version="1")


@pytest.mark.parametrize("compared", [False, True])
def test_a_standing_agrees_with_the_exit_code(compared: bool) -> None:
    """Red where the run ends with another code than 0, undecided where it is inconclusive."""
    for outcome, breach, matters, expectation in CASES:
        answered = of_answer(outcome, breach, matters, expectation)
        code = of_verdict(outcome, breach, expectation) if compared else answered
        found = standing_of(outcome, breach, expectation=expectation, matters=matters, compared=compared)
        assert found.bad is (code is not ExitCode.OK)
        assert (found is Standing.UNDECIDED) is (code is ExitCode.INCONCLUSIVE)


@pytest.mark.parametrize("outcome", [Outcome.UNKNOWN, Outcome.NEVER_ASKED])
def test_what_is_not_known_or_never_asked_is_never_fine(outcome: Outcome) -> None:
    """Whatever is expected, and whether it matters or not."""
    for _, breach, matters, expectation in CASES:
        for compared in (True, False):
            found = standing_of(outcome, breach, expectation=expectation, matters=matters, compared=compared)
            assert found is not Standing.FINE


def test_a_violation_points_at_the_step_that_violates() -> None:
    """Of QEMU's model, whose checks are written elsewhere, at the part of the last step that the story marks."""
    code_base = CodeBase.named("v2.6.0")
    s1 = {item.name: item for item in suite_of(code_base, check(code_base)).items}["S1"]
    assert s1.standing is Standing.WRONG
    assert s1.run is not None
    last = s1.run.system.actions[s1.run.steps[-1].action]
    assert [s1.place] == [part.line for part in last.parts if part.mark == "b"]


def test_a_check_beside_its_step_is_pointed_at() -> None:
    """The line that states what fails."""
    assert _items(failing_check())[0].place == SourceLine("machine.py", 2)


def failing_check() -> TransitionSystem:
    bit = BoolVar("bit", BOOL, (0,))
    machine = Machine(bit)
    machine.action("up", ~bit, bit.set())
    machine.action("down", bit, bit.clear(), checks=[("down is fine", ~bit)])
    return machine.system(Assertion("down is fine"))


@pytest.mark.parametrize(("name", "line"), [("small", 2), ("values in range", 2)])
def test_other_violations_point_at_the_last_step(name: str, line: int) -> None:
    """The last that was taken, or the one that cannot be."""
    number = IntVar("number", IntSort(0, 1), (0,))
    machine = Machine(number)
    machine.action("one", number.is_(0), number.inc())
    machine.action("two", number.is_(1), number.inc(), faults=[(FaultKind.RANGE, TRUE, "number leaves 0..1")])
    other = Machine(number)
    other.action("idle", FALSE)
    other.action("one", number.is_(0), number.inc())
    system = {"small": other.system(Always("small", number < 1)), "values in range": machine.system()}[name]
    assert {item.name: item.place for item in _items(system)}[name] == SourceLine("machine.py", line)


def test_what_is_wrong_from_the_start_points_at_the_model() -> None:
    """No step is to blame."""
    number = IntVar("number", IntSort(0, 1), (0,))
    machine = Machine(number)
    machine.action("one", number.is_(0), number.inc())
    assert _items(machine.system(Always("big", number > 0)))[0].place == SourceLine("machine.py", 1)


def test_a_property_without_a_trace_points_at_the_model() -> None:
    """At its check, or at the model's first step."""
    system = counter(3, "small")
    assert [item.place for item in _items(system)] == [SourceLine("machine.py", 1)]


def _items(system: TransitionSystem) -> list[Item]:
    return list(suite_of(ModelFile("machine.py", "counter", system), check(system)).items)


def test_counts_are_those_of_a_finished_search() -> None:
    """One that was stopped has none."""
    code_base = CodeBase.named("v2.6.0")
    assert suite_of(code_base, check(code_base)).counts == SearchCounts(*_pinned())
    assert suite_of(code_base, check(code_base, limits=Limits(10))).counts is None


def _pinned() -> tuple[int, int, int]:
    result = row_result()
    assert result.pinned is not None
    return result.pinned.states, result.pinned.transitions, result.pinned.depth


def row_result() -> RowResult:
    """A row with violations that are expected."""
    return next(Solver().decide(default_rows([find_revision("v2.6.0")], [find_scenario("mirror")])))


def test_a_row_as_expected_is_not_red() -> None:
    """Violations that are expected included, and nothing is built anew for it."""
    suite = suite_of_row(row_result())
    assert account(suite).bad == []
    assert {item.name for item in suite.items if item.outcome is Outcome.VIOLATED} >= {"S1", "S3"}
    assert all(item.standing is Standing.NOTED for item in suite.items if item.outcome is Outcome.NEVER_ASKED)


def test_a_row_with_other_counts_is_red() -> None:
    """Negative control: the delta is told."""
    result = row_result()
    wrong = replace(result, pinned=replace(result.counts, states=result.counts.states - 2))
    suite = suite_of_row(wrong)
    assert [item.name for _, item in account(suite).bad] == ["counts"]
    assert suite.delta == "+2 states"
    assert [item.name for _, item in account(suite_of_row(replace(result, pinned=None))).bad] == ["counts"]


def test_a_row_with_another_verdict_has_its_trace() -> None:
    """Negative control: the expectations of another code base, under which S1 holds."""
    result = row_result()
    other = replace(result.row, revision=replace(result.row.revision, name=find_revision("v2.9.0").name))
    bad = {item.name: item for _, item in account(suite_of_row(replace(result, row=other))).bad}
    assert bad["S1"].differs
    assert bad["S1"].run is not None
    assert bad["S1"].why.startswith("expected holds, found violated (shortest counterexample")


def test_a_row_that_nothing_is_said_of_is_red() -> None:
    """A verdict without an expectation fails."""
    result = row_result()
    unknown = replace(result.row, revision=replace(result.row.revision, name="nobody's"))
    suite = suite_of_row(replace(result, row=unknown))
    assert all(item.standing is Standing.WRONG for item in suite.items if item.name != "counts")


def test_a_model_at_fault_is_one_item() -> None:
    """Nothing else is known of it."""
    suite = suite_of_row(replace(row_result(), fault="machine.py:3: out of range"))
    assert [item.standing for item in suite.items] == [Standing.FAULT]
    assert suite.counts is None


def test_an_account_sums_up_what_it_has() -> None:
    """In the order of standings; nothing decided is said."""
    items = [Item(name=str(n), standing=standing) for n, standing in enumerate([*Standing, Standing.FINE])]
    said = "2 fine, 1 noted, 1 wrong, 1 undecided, 1 model fault, 1 configuration error"
    assert account(Suite(title="s", items=items)).summary == said
    assert account(Suite(title="s", items=[*items, *items])).summary.endswith("2 model faults, 2 configuration errors")
    assert account().summary == "nothing was decided"


def test_a_run_that_ends_badly_shows_something_red() -> None:
    """Nothing was selected, for instance; negative control: one that ends well shows nothing more."""
    assert [item.why for _, item in replace(account(), exit_code=10, why="nothing was selected").bad] == [
        "exit code 10: nothing was selected"
    ]
    assert list(account().items) == []


def test_what_an_exit_code_means_is_what_happened() -> None:
    """Each kind of trouble with its number, then what led to it; nothing of what is fine."""
    wrong: dict[str, Any] = {"standing": Standing.WRONG, "expected": Outcome.HOLDS}
    items = [
        Item(name="a", outcome=Outcome.VIOLATED, **wrong),
        Item(name="b", outcome=Outcome.VIOLATED, **wrong),
        Item(name="c", outcome=Outcome.NEVER_ASKED, **wrong),
        Item(name="counts", kind="pinned count", standing=Standing.WRONG),
        Item(name="d", outcome=Outcome.VIOLATED, standing=Standing.WRONG),
        Item(name="e", standing=Standing.UNDECIDED),
        Item(name="f", standing=Standing.MISCONFIGURED),
        Item(name="g", standing=Standing.FINE),
        Item(name="h", standing=Standing.NOTED),
    ]
    said = (
        "2 verdicts not as expected, 1 demand never asked, 1 pinned count not as expected, 1 violation, 1 undecided, "
        "1 configuration error; interrupted"
    )
    assert replace(account(Suite(title="s", items=items)), exit_code=130, why="interrupted").exit_meaning == said
    assert account(Suite(title="s", items=items[-2:])).exit_meaning == "nothing is wrong"
    known = Item(name="i", standing=Standing.FINE, outcome=Outcome.VIOLATED, expected=Outcome.VIOLATED)
    found = account(Suite(title="s", items=[*items[-2:], known]))
    assert (found.exit_meaning, found.summary) == (
        "all as expected, of them 1 violated",
        "1 fine, 1 violated as expected, 1 noted",
    )


def test_commands_are_typed_in_the_repositorys_folder() -> None:
    """One of its own, if an item has it, else that of the whole run; from below, if that is where it ran."""
    items = [Item(name="a", standing=Standing.WRONG, command="own"), Item(name="b", standing=Standing.WRONG)]
    whole = account(Suite(title="s", items=items))
    assert [whole.command_of(one) for one in items] == ["own", "c"]
    below = replace(whole, folder="my drains")
    assert [below.command_of(one) for one in items] == ["cd 'my drains' && own", "cd 'my drains' && c"]


def test_fingerprints_are_unique_and_know_no_lines() -> None:
    """Two suites of one title, too; a property that moves keeps its own."""
    suite = Suite(title="s", items=[Item(name=name, standing=Standing.WRONG) for name in ("a", "b", "a")])
    moved = Suite(title="s", items=[replace(item, place=SourceLine("m.py", 9), why="other") for item in suite.items])
    names = account(suite, suite).fingerprints
    assert len(set(names)) == 6
    assert account(moved, moved).fingerprints == names


def test_files_of_a_folder_are_known_by_their_paths_there(tmp_path: Path) -> None:
    """Of modules of packages; negative controls: those that are called so already, and those of another folder."""
    waiting()
    folder = Path(__file__).parents[1]
    assert files_below(folder)["tests/support/reports.py"] == "support/reports.py"
    assert "tests/support/reports.py" not in files_below(folder.parent)
    assert files_below(tmp_path) == {}


def test_installed_packages_are_in_no_repository(tmp_path: Path) -> None:
    """Even where their environment lies in the folder."""
    package = tmp_path / "site-packages" / "installed"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "model.py").write_text("from draincheck.location import caller_line\nLINE = caller_line()\n")
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(str(package.parent))
        assert str(importlib.import_module("installed.model").LINE) == "installed/model.py:2"
    assert files_below(tmp_path) == {}
    assert files_below(package) == {"installed/model.py": "model.py"}

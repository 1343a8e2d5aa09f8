"""`check` of a code base without a scenario: the answer over all default scenarios."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from click.testing import Result

from check_invariants.work import everywhere
from draincheck.revisions import find_revision
from drainspecs.mirror.answer import CONDITIONS, answering_scenarios
from drainspecs.mirror.impact import SAFE
from drainspecs.mirror.scenarios import SCENARIOS, base_scenario, find_scenario
from drainspecs.suite.matrix import Solver, decide_all, default_rows
from tests.golden.documents import validator
from tests.support.cli import run
from tests.support.samples import sampled

SCENARIOS_ASKED = answering_scenarios()
NAMES = [scenario.name for scenario in SCENARIOS_ASKED]


@cache
def without_trace(revision: str) -> Result:
    """What `check` says of a code base, asked once."""
    return run("check", "--revision", revision, "--no-trace")


@pytest.mark.parametrize("revision", sampled(["v2.6.0", "v2.5.0", "f871abd60f"], ["v2.5.0"]))
def test_the_matrix_says_the_same(revision: str) -> None:
    """Outcome and properties of each scenario are those of its row."""
    data = json.loads(run("check", "--revision", revision, "--json", "--no-trace").stdout)
    validator("check-scenarios").validate(data)
    rows = {
        result.row.key: result for result in Solver().decide(default_rows([find_revision(revision)], SCENARIOS_ASKED))
    }
    assert len(data["scenarios"]) == len(rows)
    for found in data["scenarios"]:
        row = rows[found["source"]["scenario"]]
        assert tuple(found["outcome"]) == row.consequences
        verdicts = {item["name"]: item["verdict"] for item in found["properties"]}
        assert verdicts == {cell.property_name: cell.verdict.outcome.value for cell in row.cells}


@pytest.mark.slow
def test_the_answer_is_the_first_and_the_last_line() -> None:
    """The same sentence, in `check` and around the matrix of the code base."""
    checked = without_trace("v2.7.0").stdout.splitlines()
    table = run("--revision", "v2.7.0").stdout.splitlines()
    assert checked[0] == checked[-1] == table[0] == table[-1]


@pytest.mark.parametrize(
    ("revision", "said"),
    [
        pytest.param(
            "v2.6.0",
            ", and in dataplane when the device is reset or the VM stopped, may also abort in the last three; otherwise safe with dataplane",
            marks=pytest.mark.slow,
        ),
        (
            "v4.2.0",
            "v4.2.0 hangs in timer and no-ioeventfd when the guest flushes; safe with mirror, dataplane and commit, otherwise also "
            "with timer and no-ioeventfd",
        ),
        ("v5.0.0", "safe with mirror, dataplane, commit, timer and no-ioeventfd"),
    ],
)
def test_conditions_are_decided(revision: str, said: str) -> None:
    """What goes wrong in a variant of a scenario alone is a condition of the answer, and of the exit code."""
    result = without_trace(revision)
    assert result.stdout.splitlines()[0].endswith(f"{said}, as far as modelled")
    assert result.exit_code == {"v2.6.0": 12, "v4.2.0": 11, "v5.0.0": 0}[revision]


@pytest.mark.long
def test_no_condition_is_missing() -> None:
    """Wherever a default scenario is safe and one that varies it is not, the answer has a condition."""
    rows = default_rows(scenarios=[scenario for scenario in SCENARIOS if scenario.jobs == 1])
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for result in decide_all(rows):
        found.setdefault(result.row.revision.name, {})[result.row.scenario.name] = result.consequences
    for words in found.values():
        wrong = {base_scenario(find_scenario(name)).name for name, outcome in words.items() if SAFE not in outcome}
        told = {base for name, (base, _) in CONDITIONS.items() if name in words and SAFE not in words[name]}
        assert {base for base in wrong if SAFE in words[base]} <= told


def test_a_scenario_that_cannot_run_is_left_out() -> None:
    """Mirror was not allowed with dataplane before b112a65c52."""
    data = json.loads(run("check", "--revision", "5a7e7a0bad", "--json", "--no-trace").stdout)
    assert [item["source"]["scenario"] for item in data["scenarios"]] == [
        n for n in NAMES if not n.startswith("dataplane")
    ]


@pytest.mark.slow
def test_other_engines_and_properties_are_answered_for_too() -> None:
    """The answer is about what was asked: each property by its verdict, with the scenarios."""
    result = run("check", "--revision", "v2.6.0", "--engine", "bmc", "--property", "S1", "--depth", "30", "--no-trace")
    assert result.stdout.splitlines()[0] == (
        "v2.6.0: violated: S1 in mirror, commit, timer, no-ioeventfd, mirror-flush, timer-flush and no-ioeventfd-flush; "
        "unknown: S1 in dataplane-stop; holds: S1 in dataplane and dataplane-flush"
    )
    assert result.exit_code == 12


@pytest.mark.slow
def test_what_was_not_asked_is_not_answered() -> None:
    """Of a rule inside QEMU alone nothing is said of safety; what is never asked is said, too."""
    result = run("check", "--revision", "v2.7.0", "--property", "S6", "--no-trace")
    assert result.stdout.splitlines()[0] == "v2.7.0: violated: S6 in all 10 scenarios"
    assert "safe" not in result.stdout and "guest sees" not in result.stdout
    result = run("check", "--revision", "v2.8.0", "--property", "L7s", "--no-trace")
    others = "dataplane, timer, no-ioeventfd, dataplane-stop, dataplane-flush, timer-flush and no-ioeventfd-flush"
    said = f"v2.8.0: violated: L7s in mirror, commit and mirror-flush; never asked: L7s in {others}"
    assert result.stdout.splitlines()[0] == result.stdout.splitlines()[-1] == said


@pytest.mark.slow
@pytest.mark.parametrize("name", ["F1", "L1"])
def test_a_property_is_asked_where_the_answer_comes_from(name: str) -> None:
    """v2.7.0 hangs where a device stops: who asks about the hang by its name is not told that it holds."""
    found = json.loads(run("check", "--revision", "v2.7.0", "--property", name, "--no-trace", "--json").stdout)
    assert [each["source"]["scenario"] for each in found["scenarios"]] == NAMES
    assert found["answer"].startswith(f"v2.7.0: violated: {name} in dataplane-stop; holds: {name} in mirror, ")


def test_liveness_is_asked_where_check_asks() -> None:
    """Of a code base that is named; of all of them the default scenarios are."""
    rows = json.loads(run("liveness", "--revision", "v2.7.0", "--json").stdout)["rows"]
    assert [row["table"] for row in rows] == NAMES
    assert {row["table"] for row in rows if "violated" in str(row["properties"])} == {"dataplane-stop"}


@pytest.mark.parametrize(
    "arguments", sampled([(), ("--scenario", "mirror")], [("--scenario", "mirror")]), ids=["everywhere", "mirror"]
)
@pytest.mark.parametrize(("name", "row"), [("v7.2.0", "v6.1.0"), ("3bb0~1", "v5.0.0"), ("v6.1.0", "")])
def test_the_answer_is_about_what_was_asked_for(name: str, row: str, arguments: tuple[str, ...]) -> None:
    """It begins with the name that was given, and says which row stands for it and why; a row itself needs no reason."""
    lines = run("check", "--revision", name, "--property", "S1", "--no-trace", *arguments).stdout.splitlines()
    called = "3bb0e2980a~1" if name == "3bb0~1" else name
    assert lines[0].startswith(called) and lines[-1] == lines[0]
    reasons = [line for line in lines if " behaves as " in line]
    assert [line.startswith(f"{called} behaves as {row} ") for line in reasons] == ([True] if row else [])


def test_strict_does_not_make_a_rule_visible() -> None:
    """With --strict a rule inside QEMU decides the exit code, and stays in its column."""
    result = run("check", "--revision", "v5.0.0", "--strict", "--no-trace")
    lines = [line for line in result.stdout.splitlines() if "  safe" in line]
    place = result.stdout[result.stdout.index("scenario ") :].index("violated inside QEMU")
    assert result.exit_code == 12
    assert len(lines) == 10 and {line.index(" S6") + 1 for line in lines} == {place}


@pytest.mark.slow
def test_the_commands_show_what_they_are_said_to_show() -> None:
    """A demand on whole runs is in no other trace: its command asks for it."""
    lines = run("check", "--revision", "v2.8.0", "--property", "L7s").stdout.splitlines()
    commands = [line.split() for line in lines if line.startswith("    check-invariants check ")]
    assert len(commands) == 3
    assert all("violation of 'L7s'" in run(*words[1:]).stdout for words in commands)


def test_the_worst_decides() -> None:
    """One scenario with a loss is enough; a code base that is safe everywhere ends with 0."""
    assert without_trace("v2.7.0").exit_code == 12
    assert without_trace("v5.0.0").exit_code == 0


def test_one_trace_is_shown_and_the_others_are_named() -> None:
    """The shortest of the worst, of the first scenario; commands for the rest."""
    lines = run("check", "--revision", "v2.6.0").stdout.splitlines()
    assert [line for line in lines if ": violation of " in line] == ["ab27c3b5e7 / mirror: violation of 'S3', 42 steps"]
    commands = [line.split() for line in lines if line.startswith("    check-invariants check ")]
    assert [words[words.index("--scenario") + 1] for words in commands] == NAMES
    assert run(*commands[0][1:]).stdout.count(": violation of ") == 4


def test_traces_go_to_a_directory(tmp_path: Path) -> None:
    """A file for each scenario and property; a file is refused before any work."""
    assert run("check", "--revision", "v2.6.0", "--property", "S3", "--trace-out", f"{tmp_path}/").exit_code == 12
    names = sorted(path.name for path in tmp_path.iterdir())
    places = ("commit", "dataplane-stop", "mirror", "no-ioeventfd", "timer")
    assert names == [f"{place}-S3.json" for place in places]
    assert run("trace", "show", str(tmp_path / names[0])).exit_code == 0
    assert run("check", "--trace-out", str(tmp_path / "one.json")).exit_code == 2


def test_knobs_that_no_code_base_could_have_are_refused() -> None:
    """In no scenario, so there is no answer."""
    assert (
        run("check", "--revision", "v2.6.0", "--set", "drain=yield_first", "--set", "drain_is_section=off").exit_code
        == 150
    )
    assert run("--revision", "v2.6.0", "--set", "drain=yield_first", "--set", "drain_is_section=off").exit_code == 150


@pytest.mark.slow
def test_the_matrix_takes_knobs() -> None:
    """The same answer as `check`, and nothing is expected."""
    change = ("--revision", "v2.6.0", "--set", "begin=before_check")
    table = run(*change)
    assert table.stdout.splitlines()[0] == run("check", *change, "--no-trace").stdout.splitlines()[0]
    assert "expected" not in table.stdout.partition("\n10 rows, ")[2] and "unexpected" not in table.stdout
    assert table.exit_code == 12


def test_what_is_unknown_is_not_unexpected() -> None:
    """A limit, or Ctrl-C, leaves verdicts open: nothing is said to be otherwise than expected."""
    answer, *lines = run("check", "--revision", "v2.6.0", "--max-states", "900", "--no-trace").stdout.splitlines()
    assert "unknown in mirror, dataplane" in answer and "not as expected" not in answer
    assert answer == lines[-1]


def test_scenarios_that_nobody_came_to_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does everything hold in them, whatever engine was asked before Ctrl-C."""

    def interrupted(told: Callable[[int], object], *_: object) -> Iterator[object]:
        yield told(NAMES.index("dataplane"))
        raise KeyboardInterrupt

    monkeypatch.setattr(everywhere, "in_processes", interrupted)
    result = run("check", "--revision", "9a0cec664e", "--engine", "simulation", "--depth", "1", "--no-trace")
    said = result.stdout.splitlines()[0]
    assert said.startswith(f"9a0cec664e: unknown: {NAMES[1]}, ") and "not as expected" not in said
    assert (result.exit_code, "in all" in said) == (130, False)

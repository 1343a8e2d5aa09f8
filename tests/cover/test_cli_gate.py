"""`gate` of the built-in story: each kind of trouble is one line and a code, and the last line says what was checked."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from msgspec.structs import replace

from draincheck.errors import ModelError
from draincheck.knobs import turned
from draincheck.lang import Process
from draincheck.qemu import World
from draincheck.revisions import find_revision
from draincheck.verdict import Limits, Outcome
from drainspecs import notify
from drainspecs.mirror import claims, expectations, facts, liveness_expectations
from drainspecs.mirror.claim import ClaimVerdict
from drainspecs.mirror.claims import find_claim
from drainspecs.mirror.scenarios import find_scenario
from drainspecs.mirror.spans import bad
from drainspecs.suite import liveness, matrix
from drainspecs.suite.matrix import Counts, Row, RowResult, Solver, all_rows, decide_all, default_rows
from tests.golden.documents import validator
from tests.support.cli import run
from tests.support.overflowing import Overflowing


def differences(result: Result, violated: int = 18) -> str:
    """What was printed above the last line, which says what was checked and agrees with that."""
    *lines, last = result.stdout.splitlines(keepends=True)
    assert all(line.startswith("    check-invariants ") for line in lines[1::2])
    lines = lines[::2]
    wrong = f"{len(lines)} not as expected\n"
    assert last.startswith("built-in story: ") and last.endswith(
        wrong if lines else f"; all as expected, of them {violated} violated\n"
    )
    return "".join(lines)


# -- gate -------------------------------------------------------------------------------------------


@pytest.mark.long
def test_the_gate_says_what_it_checked_when_nothing_differs() -> None:
    """The default rows with their pinned counts and their liveness, and all claims."""
    result = run("gate", "--quick")
    assert (differences(result, violated=1310), result.exit_code) == ("", 0)


@pytest.mark.long
def test_the_whole_gate() -> None:
    """Every code base in every scenario, with GSources in any order, too."""
    result = run("gate")
    assert (differences(result, violated=11_388), result.exit_code) == ("", 0)


@pytest.fixture
def two_rows(monkeypatch: pytest.MonkeyPatch) -> list[Row]:
    """The gate looks at two rows, one claim, and one row of the notify suite."""
    rows = [Row(find_revision(name), find_scenario("mirror")) for name in ("37989ced44", "ab27c3b5e7")]
    monkeypatch.setattr(matrix, "all_rows", lambda: rows)
    monkeypatch.setattr(matrix, "default_rows", lambda: rows)
    monkeypatch.setattr(claims, "CLAIMS", (find_claim("dataplane"),))
    monkeypatch.setattr(liveness, "ROWS", notify.ROWS[1:2])
    return rows


@pytest.mark.slow
def test_the_gate_looks_at_the_wide_matrix(two_rows: list[Row], monkeypatch: pytest.MonkeyPatch) -> None:
    """All rows without options, the default ones with --quick."""
    monkeypatch.setattr(matrix, "default_rows", lambda: two_rows[:1])
    assert [json.loads(run("gate", "--json", *options).stdout)["rows"] for options in ([], ["--quick"])] == [2, 1]


def test_two_rows_are_as_expected(two_rows: list[Row]) -> None:
    """What the negative controls below start from is clean."""
    result = run("gate")
    assert (differences(result), result.exit_code) == ("", 0)


def test_a_wrong_expectation_turns_the_gate_red(two_rows: list[Row], monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: a line with revision, scenario, property, both verdicts; code 10."""
    monkeypatch.setitem(expectations._MAIN_LOOP, "S8", (bad("5a7e7a0bad~1", "tampered with"),))
    expectations.expected.cache_clear()
    try:
        result = run("gate")
    finally:
        expectations.expected.cache_clear()
    assert differences(result) == "ab27c3b5e7 mirror S8: expected violated, found holds (exhaustive)\n"
    assert result.exit_code == 10


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Counts]]:
    """A copy of the pinned counts to tamper with."""
    copy = {scenario: dict(rows) for scenario, rows in matrix.pinned_counts().items()}
    monkeypatch.setattr(matrix, "pinned_counts", lambda: copy)
    return copy


def test_a_wrong_count_turns_the_gate_red(two_rows: list[Row], counts: dict[str, dict[str, Counts]]) -> None:
    """Negative control: one state more than there is."""
    right = counts["mirror"]["ab27c3b5e7"]
    counts["mirror"]["ab27c3b5e7"] = replace(right, states=right.states + 1)
    result = run("gate")
    assert (
        differences(result)
        == f"ab27c3b5e7 mirror counts: expected {replace(right, states=right.states + 1)}, found {right}\n"
    )
    assert result.exit_code == 10


def test_a_missing_count_turns_the_gate_red(two_rows: list[Row], counts: dict[str, dict[str, Counts]]) -> None:
    """A row that nobody has pinned is a difference, too."""
    right = counts["mirror"].pop("ab27c3b5e7")
    result = run("gate")
    assert (
        differences(result) == f"ab27c3b5e7 mirror counts: expected pinned counts, and there are none, found {right}\n"
    )
    assert result.exit_code == 10


def test_a_turned_knob_turns_the_gate_red(two_rows: list[Row]) -> None:
    """Negative control: the model of a code base is no longer the one that it should be."""
    row = two_rows[1]
    two_rows[1] = replace(row, revision=replace(row.revision, knobs=turned(row.revision.knobs, {"bandage": False})))
    result = run("gate")
    lines = differences(result).splitlines()
    assert [line.partition(" (")[0] for line in lines[:2]] == [
        "ab27c3b5e7 mirror S8: expected holds, found violated",
        "ab27c3b5e7 mirror A1: expected holds, found violated",
    ]
    assert lines[2].startswith("ab27c3b5e7 mirror counts: expected ")
    assert result.exit_code == 10


def test_a_wrong_claim_turns_the_gate_red(two_rows: list[Row], monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: a claim whose verdict is another one."""
    monkeypatch.setattr(claims, "CLAIMS", (replace(find_claim("dataplane"), expected=ClaimVerdict.REFUTED),))
    result = run("gate")
    assert differences(result) == "claim dataplane verdict: expected refuted, found confirmed\n"
    assert result.exit_code == 10


def test_a_wrong_expectation_of_liveness_turns_the_gate_red(
    two_rows: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A demand on whole runs is compared as well: exit code 10, and the line says which and how it was decided."""
    wrong = (bad("5a7e7a0bad~1", "tampered with"),)
    monkeypatch.setitem(liveness_expectations._EVERYWHERE, "L4", wrong)
    result = run("gate")
    assert result.exit_code == 10
    for row, line in zip(two_rows, differences(result).splitlines(), strict=True):
        assert line.startswith(f"{row.revision.name} mirror L4: expected violated, found holds (exhaustive, assuming ")


def test_a_wrong_row_of_the_notify_suite_turns_the_gate_red(
    two_rows: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So is QEMU's notify protocol."""
    monkeypatch.setattr(liveness, "ROWS", (replace(notify.ROWS[1], expected=Outcome.HOLDS),))
    result = run("gate")
    assert result.exit_code == 10
    assert differences(result).startswith(
        "aio_notify BUG notify served: expected holds, found violated (counterexample: 13"
    )


def test_an_unknown_verdict_is_inconclusive(two_rows: list[Row], monkeypatch: pytest.MonkeyPatch) -> None:
    """A verdict that was not reached is no pass; alone it is code 30."""
    (result,) = Solver(Limits(states=10)).decide([two_rows[1]])
    unknown = result.exploration.verdicts["S8"]
    assert unknown.outcome is Outcome.UNKNOWN
    (whole,) = Solver().decide([two_rows[1]])
    mixed = replace(
        whole, exploration=replace(whole.exploration, verdicts={**whole.exploration.verdicts, "S8": unknown})
    )
    monkeypatch.setattr(matrix, "decide_all", lambda *_: iter([mixed]))
    found = run("gate")
    line, _, last = found.stdout.splitlines()
    assert line.startswith("ab27c3b5e7 mirror S8: expected holds, found unknown (state limit 10 reached")
    assert last == "built-in story: 0 of 2 rows were compared, liveness and claims were not; 0 not as expected so far"
    assert found.exit_code == 30


@pytest.mark.slow
def test_the_gate_as_json(two_rows: list[Row], counts: dict[str, dict[str, Counts]]) -> None:
    """The document follows its schema, with and without differences."""
    for differences, code in ((0, 0), (1, 10)):
        result = run("gate", "--json")
        data = json.loads(result.stdout)
        validator("gate").validate(data)
        assert (data["rows"], len(data["differences"]), data["exit_code"], result.exit_code) == (
            2,
            differences,
            code,
            code,
        )
        counts["mirror"].pop("ab27c3b5e7", None)
    assert data["differences"][0]["kind"] == "counts"


def test_an_interrupted_gate(two_rows: list[Row], pinned_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C is no pass, in the document neither, and nothing is pinned."""

    def interrupted(rows: list[Row], _: int | None) -> Iterator[RowResult]:
        yield from decide_all(rows[:1], 1)
        raise KeyboardInterrupt

    monkeypatch.setattr(matrix, "decide_all", interrupted)
    monkeypatch.setattr(
        "check_invariants.work.gate_built_in.write_to", lambda *_: pytest.fail("nothing is to be pinned")
    )
    result = run("gate", "--pin", "--json")
    compared = "1 of 2 rows was compared, liveness and claims were not"
    assert result.stderr == f"Error: interrupted: {compared}\n"
    said = json.loads(result.stdout)
    assert said["answer"] == f"built-in story: {compared}; 0 not as expected so far"
    assert said["exit_code"] == result.exit_code == 130


def test_the_built_in_story_says_that_nothing_is_configured(two_rows: list[Row]) -> None:
    """Before it begins: a green of it is none of a project's. Who asks for the story by its name knows."""
    assert two_rows
    said = "there is no drain-gate.toml here"
    assert run("gate", "--list").stderr.startswith(said)
    assert said not in run("gate", "--built-in", "--list").stderr


# -- gate --pin -------------------------------------------------------------------------------------


@pytest.fixture
def pinned_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of counts.json to write to."""
    file = tmp_path / "counts.json"
    file.write_bytes(matrix.counts_path().read_bytes())
    monkeypatch.setattr(matrix, "counts_path", lambda: file)
    return file


def test_an_installed_copy_is_not_pinned(two_rows: list[Row], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What pip has written stays as it is; nothing is searched for it."""
    file = tmp_path / "site-packages" / "drainspecs" / "suite" / "matrix.py"
    monkeypatch.setattr(matrix, "__file__", str(file))
    monkeypatch.setattr(matrix, "decide_all", lambda *_: pytest.fail("nothing is to be decided"))
    result = run("gate", "--built-in", "--quick", "--pin")
    counts = file.parents[1] / "mirror" / "counts.json"
    said = f"--pin is for a checkout, and {counts} belongs to an installed copy: pip would not know of it"
    assert (result.stderr.splitlines()[-1], result.exit_code) == (f"Error: {said}", 2)


def test_pinning_what_is_pinned_changes_nothing(two_rows: list[Row], pinned_in: Path) -> None:
    """The committed file is exactly what --pin writes; rows that were not looked at stay."""
    before = pinned_in.read_bytes()
    result = run("gate", "--quick", "--pin")
    assert pinned_in.read_bytes() == before
    assert result.stderr == f"2 rows pinned, 0 of them changed, in {pinned_in}\n"
    assert (differences(result), result.exit_code) == ("", 0)


def test_pinning_writes_what_was_found(
    two_rows: list[Row], counts: dict[str, dict[str, Counts]], pinned_in: Path
) -> None:
    """A count that differs is replaced, and no longer a difference."""
    committed = pinned_in.read_bytes()
    counts["mirror"]["ab27c3b5e7"] = Counts(1, 2, 3)
    result = run("gate", "--quick", "--pin")
    assert result.stderr.startswith("2 rows pinned, 1 of them changed")
    assert (differences(result), result.exit_code) == ("", 0)
    assert pinned_in.read_bytes() == committed


def test_pinning_everything_forgets_rows_that_are_no_more(two_rows: list[Row], pinned_in: Path) -> None:
    """Without --quick all rows were looked at: what is not among them is dropped."""
    assert run("gate", "--pin").exit_code == 0
    assert {row: list(counts) for row, counts in json.loads(pinned_in.read_text()).items()} == {
        "mirror": ["37989ced44", "ab27c3b5e7"]
    }


def test_pinning_is_no_way_round_expectations(two_rows: list[Row], pinned_in: Path) -> None:
    """Counts are written down, verdicts are not: a wrong verdict is still reported."""
    row = two_rows[1]
    two_rows[1] = replace(row, revision=replace(row.revision, knobs=turned(row.revision.knobs, {"bandage": False})))
    result = run("gate", "--pin")
    assert "ab27c3b5e7 mirror A1: expected holds, found violated" in differences(result)
    assert "counts" not in differences(result)
    assert result.exit_code == 10


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_counts_that_may_not_be_written(two_rows: list[Row], pinned_in: Path) -> None:
    """In a read-only installation --pin says so."""
    pinned_in.chmod(0o444)
    result = run("gate", "--pin")
    assert f"{pinned_in} cannot be written: Permission denied" in result.stderr
    assert result.exit_code == 2


def test_counts_without_a_folder(two_rows: list[Row], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Counts that have no place to go are one message and code 2."""
    counts = matrix.pinned_counts()
    assert counts
    monkeypatch.setattr(matrix, "counts_path", lambda: tmp_path / "none" / "counts.json")
    result = run("gate", "--pin")
    assert "counts.json cannot be written: No such file or directory" in result.stderr
    assert result.exit_code == 2


def test_every_row_is_pinned() -> None:
    """The committed file names each row of the wide matrix."""
    missing = [row for row in all_rows() if row.revision.name not in matrix.pinned_counts().get(row.key, {})]
    assert missing == []


# -- a model at fault -------------------------------------------------------------------------------


@pytest.fixture
def overflowing(two_rows: list[Row], monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the two rows the second one's model is at fault."""
    monkeypatch.setattr(matrix, "DrainInvariant", Overflowing)


FAULT = (
    r"(?P<row>ab27c3b5e7 mirror) model: expected one without a fault, found \S+overflowing.py:\d+: value out of range: "
)


def test_a_model_at_fault_is_a_difference(overflowing: None) -> None:
    """One line that names row, place and fault, code 10; the other row is compared, and nothing more is said of this one."""
    result = run("gate")
    assert re.match(FAULT, differences(result)) and "counts too far" in differences(result)
    assert (len(differences(result).splitlines()), result.exit_code) == (1, 10)


@pytest.mark.slow
def test_a_model_at_fault_in_another_process_too(overflowing: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many rows, divided among processes: those whose code base has the bandage are at fault, no other one is hidden."""
    rows = [row for row in default_rows() if row.key == "mirror"]
    results = list(matrix.decide_all(rows, 2))
    at_fault = [result.row for result in results if result.fault]
    assert at_fault == [row for row in rows if row.revision.knobs.bandage] != []
    assert [line for result in results if not result.fault for line in matrix.deviations(result)] == []


def test_a_model_at_fault_as_json(overflowing: None) -> None:
    """The document follows its schema, and the kind says what it is."""
    data = json.loads(run("gate", "--json").stdout)
    validator("gate").validate(data)
    (found,) = data["differences"]
    assert (found["kind"], found["what"], data["exit_code"]) == ("fault", "model", 10)


def test_a_model_at_fault_keeps_its_pinned_counts(overflowing: None, pinned_in: Path) -> None:
    """There is nothing to pin: what was pinned for it stays, and the fault is still reported."""
    before = pinned_in.read_bytes()
    result = run("gate", "--pin")
    assert pinned_in.read_bytes() == before
    assert result.stderr.startswith("1 row pinned, 0 of them changed")
    assert re.match(FAULT, differences(result)) and result.exit_code == 10


def test_a_model_that_cannot_be_built_is_a_difference(two_rows: list[Row], monkeypatch: pytest.MonkeyPatch) -> None:
    """A model may be wrong before any search."""

    class Unbuildable(Overflowing):
        def job_defers(self, p: Process, w: World) -> None:
            if self.number is not None:
                w.m.bool("number")

    monkeypatch.setattr(matrix, "DrainInvariant", Unbuildable)
    result = run("gate")
    assert differences(result).startswith("ab27c3b5e7 mirror model: expected one without a fault, found ")
    assert (len(differences(result).splitlines()), result.exit_code) == (1, 10)


def test_a_fault_under_a_claim_or_in_liveness_is_a_difference(
    two_rows: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Claims and liveness have models of their own: a line for each, and none hides the others."""

    def at_fault(*_: object) -> None:
        raise ModelError("wrong on purpose")

    monkeypatch.setattr(facts, "explore", at_fault)
    facts._explored.cache_clear()
    monkeypatch.setattr(liveness, "verdicts", at_fault)
    result = run("gate")
    ending = " model: expected one without a fault, found wrong on purpose"
    assert differences(result).splitlines() == [
        f"{name}{ending}" for name in ("37989ced44 mirror", "ab27c3b5e7 mirror", "claim dataplane")
    ]
    assert result.exit_code == 10

"""`check-invariants parametric`: the table, the files it writes, and its exit codes."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from shutil import copy
from typing import Any

import pytest
from click.testing import Result
from msgspec.structs import replace

from check_invariants.own_models import select_from_source
from draincheck.revisions import find_revision
from draincheck.subject import Expectation
from draincheck.verdict import Outcome
from drainspecs.mirror.counted import Counted
from drainspecs.mirror.expectations import expected
from tests.golden.documents import validator
from tests.support.cli import run

HOLDS, VIOLATED = "9a0cec664e", "f3926945c8"


def parametric(*arguments: str) -> Result:
    """Run this command."""
    return run("parametric", *arguments)


def document(*arguments: str) -> dict[str, Any]:
    """The JSON document, checked against its schema."""
    result = parametric(*arguments, "--json")
    data: dict[str, Any] = json.loads(result.stdout)
    validator("parametric").validate(data)
    assert data["exit_code"] == result.exit_code
    return data


@cache
def one_of_each() -> dict[str, Any]:
    """The document about a code base in which S1 holds, and one in which it is violated."""
    return document("--revision", HOLDS, "--revision", VIOLATED)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """A folder that the files of both were written into, and what was said of the second."""
    folder = tmp_path_factory.mktemp("parametric") / "new"
    assert parametric("--revision", HOLDS, "-o", str(folder)).exit_code == 0
    return folder, parametric("--revision", VIOLATED, "-o", str(folder))


def copied(written: tuple[Path, Result], name: str, folder: Path) -> Path:
    """One of the files, to be changed."""
    return Path(copy(written[0] / name, folder / name))


@pytest.mark.slow
def test_one_violated_code_base_is_shown_with_its_trace(written: tuple[Path, Result]) -> None:
    """As a call tree, with the counted requests; which path of the shortest is z3's choice."""
    _, result = written
    assert result.exit_code == 12
    assert "  (b) submits every request" in result.stdout
    assert "violated in step 19: S1" in result.stdout


@pytest.mark.slow
def test_the_document_has_its_schema() -> None:
    """Certificates and counterexamples as numbers."""
    first, second = one_of_each()["rows"]
    assert (first["verdict"], first["expected"], first["writes"], first["steps"]) == ("holds", "holds", None, None)
    assert first["certificate_bytes"] > 10_000
    assert (second["verdict"], second["writes"], second["steps"]) == ("violated", 1, 19)
    assert second["certificate_bytes"] is None and second["file"] is None


@pytest.mark.slow
def test_the_schema_can_be_violated() -> None:
    """Negative control: a document without rows, or with a word that is no verdict, is not valid."""
    good = one_of_each()
    assert not validator("parametric").is_valid({key: value for key, value in good.items() if key != "rows"})
    assert not validator("parametric").is_valid({**good, "rows": [{**good["rows"][0], "verdict": "fine"}]})


# -- files ------------------------------------------------------------------------------------------


def test_certificates_can_be_checked_from_their_files(written: tuple[Path, Result], tmp_path: Path) -> None:
    """The file names the model, and both solvers accept it; changed knobs in it are another model."""
    path = copied(written, f"{HOLDS}.smt2", tmp_path)
    result = run("certificate", "check", "--solver", "both", str(path))
    assert result.exit_code == 0
    assert f"accepted by z3 and cvc5 (4 queries): S1 holds in {HOLDS} / any number of writes\n" in result.stdout
    path.write_text(path.read_text().replace('"settings": {}', '"settings": {"flush": "after_check"}'))
    result = run("certificate", "check", str(path))
    assert result.exit_code == 14
    assert "REJECTED: it was made for another model" in result.stdout


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('"settings": {}', '"settings": {"flush": "never"}', "unknown value of flush 'never'"),
        ('"settings": {}', '"settings": "flush"', "settings is not an object"),
        (f'"revision": "{HOLDS}", ', "", "'revision' is missing"),
        (f'"revision": "{HOLDS}"', '"revision": "9a0cec664f"', "unknown revision '9a0cec664f'"),
        ('"parametric": "any number of writes"', '"parametric": "many"', "parametric is 'many', and should be"),
    ],
)
def test_a_source_that_names_no_model_is_malformed(
    written: tuple[Path, Result], tmp_path: Path, before: str, after: str, words: str
) -> None:
    """One error that says what is wrong, and exit code 150."""
    path = copied(written, f"{HOLDS}.smt2", tmp_path)
    assert before in path.read_text()
    path.write_text(path.read_text().replace(before, after))
    result = run("certificate", "check", str(path))
    assert result.exit_code == 150
    assert words in result.stdout


def test_traces_can_be_shown_and_explained_from_their_files(written: tuple[Path, Result]) -> None:
    """They belong to the finite member of the family, whose states can be listed."""
    folder, result = written
    path = str(folder / f"{VIOLATED}.json")
    assert f"written: {path}\n" in result.stdout
    shown = run("trace", "show", path)
    assert shown.exit_code == 0
    assert "violated in step 19: S1" in shown.stdout
    explained = run("explain", path)
    assert explained.exit_code == 0
    assert "S1 is violated in step 19" in explained.stdout


def test_a_counted_trace_cannot_be_replayed(written: tuple[Path, Result]) -> None:
    """The core has requests with names: one clear error that says what to do instead."""
    result = run("replay", str(written[0] / f"{VIOLATED}.json"))
    assert result.exit_code == 2
    assert "counted requests" in result.stderr and ": check-invariants trace show " in result.stderr


def test_a_number_of_writes_that_is_none_is_malformed(written: tuple[Path, Result], tmp_path: Path) -> None:
    """As in any damaged trace file: exit code 150."""
    path = copied(written, f"{VIOLATED}.json", tmp_path)
    path.write_text(path.read_text().replace('"parametric": "1"', '"parametric": "many"'))
    result = run("trace", "show", str(path))
    assert result.exit_code == 150
    assert "parametric is 'many', and should be" in result.stderr


@pytest.mark.slow
def test_what_is_known_without_a_certificate_writes_no_file(tmp_path: Path) -> None:
    """S1 holds there because its pairs of values exclude every violation: no inductive invariant, no file."""
    settings = ("--set", "drain=nested", "--set", "begin=none", "-o", str(tmp_path))
    (row,) = document("--revision", HOLDS, *settings)["rows"]
    assert (row["verdict"], row["certificate_bytes"], row["file"]) == ("holds", None, None)
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    """Before anything is decided: exit code 2."""
    (tmp_path / "file").write_text("")
    result = parametric("--revision", HOLDS, "-o", str(tmp_path / "file"))
    assert result.exit_code == 2
    assert "cannot be made" in result.stderr


# -- exit codes -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_turned_knobs_have_no_expectation() -> None:
    """The verdict itself is the exit code: 12 for a violation, 0 where S1 holds."""
    result = parametric("--revision", HOLDS, "--set", "is_external=off")
    assert result.exit_code == 12
    assert "expected" not in result.stdout
    assert result.stdout.endswith("\nS1 for any number of writes: violated: 9a0cec664e+is_external=off\n")
    kept = document("--revision", HOLDS, "--set", "is_external=on")
    assert (kept["rows"][0]["verdict"], kept["rows"][0]["expected"], kept["exit_code"]) == ("holds", None, 0)


def test_a_verdict_that_is_not_expected_is_exit_code_10(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control of the comparison: another expectation, and the row is marked."""
    real = expected

    def turned(*arguments: Any) -> Expectation:
        expectation = real(*arguments)
        assert expectation is not None
        return replace(expectation, outcome=Outcome.VIOLATED)

    monkeypatch.setattr("drainspecs.mirror.counted.expected", turned)
    result = parametric("--revision", HOLDS)
    assert result.exit_code == 10
    assert "holds!" in result.stdout
    assert result.stdout.endswith(f"\nS1 for any number of writes: not as expected: {HOLDS}\n")


@pytest.mark.usefixtures("hurry")
def test_no_time_is_unknown() -> None:
    """Exit code 30; what was not decided is counted, and not reported as holding."""
    result = parametric("--revision", "ab27c3b5e7", "--timeout", "1000")
    assert result.exit_code == 30
    assert "time limit 1000 s reached: 0 code bases of 1 decided" in result.stderr
    assert "holds" not in result.stdout
    assert result.stdout.endswith("\nS1 for any number of writes: 1 code base not decided\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--revision", "9a0cec664f"), "did you mean 9a0cec664e"),
        (("--set", "order=any"), "in the order of attachment only"),
        (("--set", "drain=nested", "--set", "drain=yield_late"), "--set gives drain two values"),
        (("--set", "drain=never"), "unknown value of drain"),
    ],
)
def test_wrong_arguments(arguments: tuple[str, ...], words: str) -> None:
    """Exit code 2, and the message says what is wrong."""
    result = parametric(*arguments)
    assert result.exit_code == 2
    assert words in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--revision", "9a0cec664e", "--set", "exit=inline", "--set", "begin=after_release"), "leaves no time"),
        (
            ("--revision", "5a7e7a0bad", "--set", "drain=yield_first"),
            "only a bdrv_drain that is a section ends that again",
        ),
    ],
)
def test_knobs_that_make_no_model_are_malformed(arguments: tuple[str, ...], words: str) -> None:
    """A section that ends before it begins, or never: exit code 150, with the reason."""
    result = parametric(*arguments)
    assert result.exit_code == 150
    assert f"no code base could be like {arguments[1]}+" in result.stderr
    assert words in result.stderr


@pytest.mark.parametrize("writes", [None, 12])
def test_a_source_is_read_as_it_was_written(writes: int | None) -> None:
    """The code base, its turned knobs and the number of writes survive the way through a file."""
    model = Counted(find_revision("cf3129323f"), {"park_requests": False, "flush": "before_check"}, writes)
    assert select_from_source(json.loads(json.dumps(model.source())), model=None, settings=()) == model


@pytest.mark.slow
def test_a_trace_says_how_to_see_it_again(tmp_path: Path) -> None:
    """By the command that counts requests, with the knobs that were turned."""
    turned = ("--revision", "ab27c3b5e7", "--set", "walk_checks_external=off")
    assert parametric(*turned, "-o", str(tmp_path)).exit_code == 12
    (file,) = tmp_path.glob("*.json")
    lines = run("trace", "show", str(file)).stdout.splitlines()
    assert f"reproduce: check-invariants parametric {' '.join(turned)}" in lines
    assert any(line.startswith("scenario: ") and "; 1 write, counted" in line for line in lines)

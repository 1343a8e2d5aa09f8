"""The main job: the matrix as a table, its options, its marks, its JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from draincheck.verdict import Limits
from drainspecs.mirror import expectations
from drainspecs.mirror.properties import PROPERTIES
from drainspecs.mirror.spans import bad
from drainspecs.suite import matrix
from drainspecs.suite.matrix import Row, Solver, all_rows, decide_all, default_rows
from tests.golden.documents import validator
from tests.support.cli import run
from tests.support.overflowing import Overflowing


@pytest.fixture
def tampered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One expectation is wrong: S10 is said to be violated everywhere."""
    monkeypatch.setitem(expectations._EVERYWHERE, "S10", (bad("5a7e7a0bad~1", "tampered with"),))
    expectations.expected.cache_clear()
    yield
    expectations.expected.cache_clear()


TWO = ("--revision", "37989ced44", "--revision", "v2.6.0", "--scenario", "mirror")


def test_a_line_a_code_base() -> None:
    """Name, date, the outcome in words, a sign for each property in a column of its own, states and what changed."""
    lines = run(*TWO).stdout.splitlines()[3:]
    assert lines[0] == "mirror: mirror job, virtio disk in the main loop, host notifiers"
    header, before, after = lines[2:5]
    for name, sign in {"S1": "x", "S8": ".", "S10": ".", "A1": ".", "R1": "."}.items():
        assert after[header.index(f" {name} ") + 1 :].split()[0] == sign
    assert before[header.index(" A1 ") + 1] == "x"
    assert before.startswith("37989ced44  2016-04-22  silent loss, abort  ")
    assert after.startswith("ab27c3b5e7  2016-04-22  silent loss         ")
    assert after.endswith("the bandage: external events of iohandler_ctx are disabled around mirror_exit")


def test_a_name_without_a_row_is_answered_for() -> None:
    """A release without a change of its own: its row comes once, the answer is about it, and why is said; not so of a row that was named."""
    release = run("--revision", "v7.2.0", "--revision", "v7.1.0", "--scenario", "mirror").stdout.splitlines()
    assert len([line for line in release if line.startswith("3bb0e2980a  ")]) == 1
    assert [line.split()[0] for line in release if " behaves as v6.1.0 " in line] == ["v7.2.0", "v7.1.0"]
    assert release[0].startswith("v7.1.0 ")
    document = json.loads(run("--revision", "3bb0e2980a", "--scenario", "mirror", "--json").stdout)
    assert document["substitutes"] == [] and document["answers"][0].startswith("v6.1.0 ")


def test_the_summary_counts_everything() -> None:
    """Rows, verdicts by kind, distinct systems, states; the rest of the line is time."""
    result = run(*TWO)
    *_, last, first, second = result.stdout.splitlines()
    verdicts = 2 * len(PROPERTIES)
    assert re.fullmatch(
        rf"2 rows, {verdicts} verdicts \(\d+ hold, 18 violated, 2 never asked\), all as expected; 2 distinct systems, \d+ states, \d+\.\d\d s",
        last,
    )
    assert [first, second] == result.stdout.splitlines()[:2]
    assert first == "37989ced44 loses acknowledged writes silently in mirror, may also abort there"
    assert second == "v2.6.0 loses acknowledged writes silently in mirror"
    assert result.exit_code == 12


def test_without_a_command_or_with_it_is_the_same() -> None:
    """`matrix` is what runs without a command."""
    assert untimed(run("matrix", *TWO).stdout) == untimed(run(*TWO).stdout)


def untimed(text: str) -> str:
    """The text without its times, and without the width of their column."""
    return re.sub(r" +ms(?=  )", " ms", re.sub(r" +\d+\.\d+(?= |\n)", " T", text))


def test_times_of_any_width_are_left_out() -> None:
    """A slow row makes the column wider: that is no difference."""
    assert untimed("states   ms  what\n   868  9.5  the\n") == untimed("states    ms  what\n   868  12.5  the\n")


def test_controls_stand_apart() -> None:
    """Code bases that never existed have a table of their own, after those that did."""
    lines = run(
        "--revision", "ab27c3b5e7-nested-drain", "--revision", "ab27c3b5e7", "--scenario", "mirror"
    ).stdout.splitlines()
    headers = [number for number, line in enumerate(lines) if line.startswith("revision ")]
    assert len(headers) == 2
    assert lines[headers[1] + 1].startswith("ab27c3b5e7-nested-drain")


def test_an_unexpected_verdict_is_marked(tampered: None) -> None:
    """The sign gets a mark, a line says what was expected, and the summary counts it."""
    result = run("--revision", "ab27c3b5e7", "--scenario", "mirror")
    lines = result.stdout.splitlines()[2:]
    assert lines[3][lines[2].index(" S10 ") + 1 :].startswith(".! ")
    assert "unexpected: ab27c3b5e7 mirror S10: expected violated, found holds (exhaustive)" in lines
    assert ", 1 not as expected;" in lines[-2]
    assert result.exit_code == 12


def test_other_properties_do_not_count(tampered: None) -> None:
    """With --property only the chosen columns are shown and judged."""
    result = run("--revision", "ab27c3b5e7", "--scenario", "mirror", "--property", "S1", "--property", "A1")
    assert result.stdout.splitlines()[4].split()[:5] == ["revision", "date", "outcome", "S1", "A1"]
    assert ", all as expected;" in result.stdout


def test_full_has_a_line_a_property() -> None:
    """Scenario, property, verdict and expectation, written out."""
    lines = run("--full", "--revision", "ab27c3b5e7", "--scenario", "mirror").stdout.splitlines()
    rows = [line for line in lines if line.startswith("ab27c3b5e7  ")]
    assert len(rows) == len(PROPERTIES)
    assert rows[0].split()[:6] == ["ab27c3b5e7", "2016-04-22", "mirror", "S1", "violated", "violated"]


def test_any_scenario_can_be_named() -> None:
    """A scenario that is not among the default ones runs when it is asked for."""
    result = run("--revision", "ab27c3b5e7", "--scenario", "mirror-read", "--json")
    assert [row["scenario"] for row in json.loads(result.stdout)["rows"]] == ["mirror-read"]


def test_all_has_both_orders() -> None:
    """The wide matrix adds GSources in any order, under the same name."""
    result = run("--all", "--revision", "f3926945c8", "--scenario", "mirror")
    assert "\nmirror order=any: " in result.stdout
    assert result.exit_code == 12


@pytest.mark.parametrize(
    ("options", "orders"),
    [
        ([], ["attach"]),
        (["--order", "any"], ["any"]),
        (["--order", "attach"], ["attach"]),
        (["--all"], ["attach", "any"]),
        (["--all", "--order", "any"], ["any"]),
        (["--all", "--order", "attach"], ["attach"]),
    ],
    ids=str,
)
def test_the_order_can_be_chosen(options: list[str], orders: list[str]) -> None:
    """--order any replaces attach order, once, whatever else is selected."""
    result = run("--json", "--revision", "ab27c3b5e7", "--scenario", "mirror", *options)
    assert [row["order"] for row in json.loads(result.stdout)["rows"]] == orders
    assert result.exit_code == 12


def test_json_has_everything() -> None:
    """The document follows its schema and carries rows, verdicts, expectations and their arguments."""
    result = run("--json", *TWO)
    data = json.loads(result.stdout)
    validator("matrix").validate(data)
    row = data["rows"][1]
    assert (row["revision"], row["outcome"], row["states"]) == ("ab27c3b5e7", ["silent loss"], row["pinned"][0])
    by_name = {item["name"]: item for item in row["properties"]}
    assert list(by_name) == [item.name for item in PROPERTIES]
    assert by_name["S1"]["verdict"] == by_name["S1"]["expected"] == "violated"
    assert data["exit_code"] == result.exit_code == 12


def test_json_says_what_is_unexpected(tampered: None) -> None:
    """Summary and exit code of the document are those of the run."""
    result = run("--json", "--revision", "ab27c3b5e7", "--scenario", "mirror")
    data = json.loads(result.stdout)
    assert (data["summary"]["unexpected"], data["exit_code"], result.exit_code) == (1, 12, 12)


def test_the_schema_is_not_a_sieve() -> None:
    """Negative control: a document with a wrong verdict, or with something more in it, does not pass."""
    schema: Draft202012Validator = validator("matrix")
    data: dict[str, Any] = json.loads(run("--json", "--revision", "ab27c3b5e7", "--scenario", "mirror").stdout)
    data["rows"][0]["properties"][0]["verdict"] = "passed"
    assert not schema.is_valid(data)
    data["rows"][0]["properties"][0]["verdict"] = "holds"
    assert schema.is_valid(data)
    assert not schema.is_valid({**data, "more": 1})


def test_an_interrupted_run_shows_what_it_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows decided before Ctrl-C are printed, the others are said to be unknown."""

    def interrupted(rows: list[Row], _: int | None) -> Iterator[object]:
        yield from decide_all(rows[:1], 1)
        raise KeyboardInterrupt

    monkeypatch.setattr(matrix, "decide_all", interrupted)
    result = run(*TWO)
    assert "\n37989ced44 " in result.stdout
    assert result.stderr == "Error: interrupted: 1 of 2 rows was decided; the others are unknown\n"
    assert result.exit_code == 130


def test_what_is_unknown_is_neither_expected_nor_unexpected(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that was left half-way is told as unknown, and not counted among those that are otherwise."""
    monkeypatch.setattr(matrix, "decide_all", lambda rows, _: Solver(Limits(states=10)).decide(rows))
    lines = run(*TWO).stdout.splitlines()
    assert [
        line for line in lines if line.startswith("unknown: ab27c3b5e7 mirror S1: expected violated, found unknown")
    ]
    assert not [line for line in lines if line.startswith("unexpected: ")]
    assert [line for line in lines if "unknown), 0 not as expected; " in line]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--revision", "ab28"], "unknown revision 'ab28'; did you mean"),
        (["--revision", "37989ced45"], "did you mean 37989ced44"),
        (
            ["--revision", "v2.6.1"],
            "v2.6.1 is not modelled, and nothing is said of it: v2.6.0 is the nearest before it",
        ),
        (["--scenario", "miror"], "unknown scenario 'miror'; did you mean mirror"),
        (["--property", "s1"], "unknown property 's1'; did you mean S1"),
        (["--property", "case 1"], "unknown property 'case 1'"),
        (["--processes", "0"], "0 is not in the range"),
    ],
)
def test_unknown_names_get_the_nearest(arguments: list[str], message: str) -> None:
    """One message with the nearest names, and code 2."""
    result = run(*arguments)
    assert message in result.stderr
    assert (result.exit_code, result.stdout) == (2, "")


def test_a_model_at_fault_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its line has no verdict, another says what is wrong and where; the other code base is checked; code 10."""
    monkeypatch.setattr(matrix, "DrainInvariant", Overflowing)
    result = run(*TWO)
    before, after = result.stdout.splitlines()[6:8]
    assert before.startswith("37989ced44  2016-04-22  silent loss, abort  x ")
    assert after.startswith("ab27c3b5e7  2016-04-22  model fault         ?!")
    (said,) = [line for line in result.stdout.splitlines() if line.startswith("unexpected: ")]
    assert re.match(
        r"unexpected: ab27c3b5e7 mirror model: .* found \S+\.py:\d+: value out of range: .*counts too far", said
    )
    assert result.exit_code == 12


def test_a_model_at_fault_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """The document follows its schema: the fault in words, unknown verdicts, no digest."""
    monkeypatch.setattr(matrix, "DrainInvariant", Overflowing)
    data = json.loads(run("--json", *TWO).stdout)
    validator("matrix").validate(data)
    sound, wrong = data["rows"]
    assert (sound["fault"], wrong["outcome"], wrong["digest"], wrong["states"]) == ("", ["model fault"], "", 0)
    assert "value out of range" in wrong["fault"]
    assert {cell["verdict"] for cell in wrong["properties"]} == {"unknown"}
    assert (data["summary"]["systems"], data["exit_code"]) == (1, 12)


# -- what the command rests on in drainspecs.suite.matrix -------------------------------------------------


@pytest.mark.slow
def test_processes_change_nothing_but_time() -> None:
    """Rows that are divided among processes come back in their order, with the same results."""
    rows = [row for row in default_rows() if row.scenario.name in ("mirror", "dataplane")][42:62]
    alone, together = list(decide_all(rows, 1)), list(decide_all(rows, 2))
    assert len({row.scenario.name for row in rows}) == 2
    assert [(r.row, r.digest, r.exploration, r.pinned) for r in together] == [
        (r.row, r.digest, r.exploration, r.pinned) for r in alone
    ]


def test_an_error_in_another_process_is_raised_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes wrong in a process is not lost and does not hang."""

    def broken(*_: object, **_more: object) -> None:
        raise ZeroDivisionError("unforeseen")

    monkeypatch.setattr(matrix, "decide", broken)
    with pytest.raises(ZeroDivisionError, match="unforeseen"):
        list(decide_all(default_rows()[:40], 2))


def test_a_search_is_shared_by_code_bases_that_cannot_be_told_apart() -> None:
    """Equal systems are searched once, however they came about; the second one costs no time."""
    rows = [row for row in default_rows() if row.key == "mirror" and row.revision.name in ("39bf92dd70", "14560d69e7")]
    first, second = decide_all(rows, 1)
    assert first.digest == second.digest
    assert first.exploration is second.exploration
    assert (first.milliseconds > 0, second.milliseconds) == (True, 0)


@pytest.mark.parametrize(
    ("revision", "scenario", "words"),
    [
        ("5a7e7a0bad~1", "mirror", ("safe",)),
        ("5a7e7a0bad", "commit", ("silent loss", "crash")),
        ("3f09bfbc7b", "mirror", ("abort",)),
        ("59c9f437c5", "dataplane", ("hang",)),
        ("6ee4ce1ee7", "mirror-read", ("stray request",)),
    ],
)
def test_consequences_in_words(revision: str, scenario: str, words: tuple[str, ...]) -> None:
    """What a pattern of verdicts means for the owner of the data."""
    (row,) = [row for row in all_rows() if (row.revision.name, row.key) == (revision, scenario)]
    (result,) = decide_all([row], 1)
    assert result.consequences == words

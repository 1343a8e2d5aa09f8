"""The Markdown report, read by a Markdown parser: names are names, tables have their cells, traces are whole."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from draincheck.escape import harmless
from draincheck.report.account import Standing
from draincheck.report.markdown import SIGNS, code, fenced, markdown_report, prose
from draincheck.report.text import render_trace
from tests.support.reports import NASTY, account, everything, item, nasty, scripted_run


def tokens(text: str) -> list[Token]:
    """CommonMark with tables and struck text, as GitHub and GitLab have it."""
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)


def one_line(text: str) -> str:
    return " ".join(harmless(text).split())


def cells(text: str) -> list[list[str]]:
    """The rows of all tables, each cell as a reader sees it."""
    rows, inside = list[list[str]](), False
    for token in tokens(text):
        if token.type == "tr_open":
            rows.append([])
        inside = token.type in ("td_open", "th_open") or (inside and token.type == "inline")
        if inside and token.type == "inline":
            rows[-1].append("".join(child.content for child in token.children or ()))
    return rows


def kinds(text: str) -> set[str]:
    """What stands in the running text but text."""
    return {child.type for token in tokens(text) for child in token.children or ()} - {"text"}


@settings(max_examples=100)
@given(st.text())
@example(NASTY)
def test_any_sentence_is_read_as_it_is(text: str) -> None:
    """In a table's cell; nothing of it is markup."""
    table = f"| a | b |\n| --- | --- |\n| {prose(text)} | x |\n"
    assert cells(table)[1] == [one_line(text).strip(), "x"]
    assert kinds(table) <= {"text_special"}


@settings(max_examples=100)
@given(st.text())
@example(NASTY)
def test_any_name_is_read_as_it_is(text: str) -> None:
    """In a code span, in a cell."""
    table = f"| a | b |\n| --- | --- |\n| {code(text)} | x |\n"
    assert cells(table)[1][0].strip() == one_line(text).strip()
    assert kinds(table) == {"code_inline"}


@pytest.mark.parametrize("text", ["*a*", "`b`", "<b>", "[c](d)", "~~e~~", "a|b", "&amp;"])
def test_what_stands_there_by_itself_would_be_markup(text: str) -> None:
    """Negative control: unescaped, a parser reads something else."""
    table = f"| a | b |\n| --- | --- |\n| {text} | x |\n"
    assert cells(table)[1] != [text, "x"] or kinds(table)


@settings(max_examples=50)
@given(st.text())
@example("```\nx\n````\n")
@example(NASTY)
def test_any_text_stays_in_its_fence(text: str) -> None:
    """Whatever fences it has itself, and line for line."""
    (found,) = tokens(fenced(text, "text"))
    assert (found.type, found.content) == ("fence", harmless(text).rstrip() + "\n")


@pytest.mark.parametrize(
    ("standings", "sign"),
    [
        ([Standing.FINE, Standing.NOTED], Standing.FINE),
        ([Standing.NOTED], Standing.NOTED),
        ([Standing.FINE, Standing.UNDECIDED], Standing.UNDECIDED),
        ([Standing.UNDECIDED, Standing.WRONG], Standing.WRONG),
        ([Standing.WRONG, Standing.FAULT], Standing.FAULT),
    ],
)
def test_the_report_begins_with_the_worst(standings: list[Standing], sign: Standing) -> None:
    """So that what is undecided is never below a green sign."""
    assert markdown_report(account(*map(item, standings))).startswith(f"## {SIGNS[sign]} gate\n")


def test_the_report_has_a_row_for_each_thing_to_look_at() -> None:
    """And one for each suite, with its numbers."""
    found = everything()
    rows = cells(markdown_report(found))
    assert [row[0] for row in rows if row[0]] == [
        *(SIGNS[one.standing] for _, one in found.bad),
        *(SIGNS[standing] for standing in (Standing.MISCONFIGURED, Standing.WRONG)),
    ]
    assert {len(row) for row in rows} == {7, 9}


def test_the_report_has_every_counterexample() -> None:
    """Whole, as `trace show` prints it."""
    fences = [token.content for token in tokens(markdown_report(everything())) if token.type == "fence"]
    assert render_trace(scripted_run()) in fences
    assert len(fences) == 1 + sum(one.run is not None for _, one in everything().bad)


def test_numbers_are_said_once() -> None:
    """Where the exit code's meaning begins with them, it says them alone."""
    lines = markdown_report(everything()).splitlines()
    assert lines[2].startswith(
        "1 fine, 1 noted, 5 wrong, 1 undecided, 1 model fault, 1 configuration error; exit code 12: 3 v"
    )
    lines = markdown_report(account(item(Standing.UNDECIDED), exit_code=30, why="time limit 1 s reached")).splitlines()
    assert lines[2].startswith("exit code 30: 1 undecided; time limit 1 s reached; ")


def test_nasty_names_leave_the_report_as_it_is() -> None:
    """The same blocks and columns as with other names."""
    rows = cells(markdown_report(nasty()))
    assert {len(row) for row in rows} == {7, 9}
    assert one_line(NASTY) in rows[1][1]
    assert "html_inline" not in kinds(markdown_report(nasty()))


def test_a_suite_of_what_is_noted_alone_is_not_green() -> None:
    """One in which something holds as well is."""
    assert SIGNS[Standing.FINE] not in markdown_report(account(item(Standing.NOTED)))
    assert SIGNS[Standing.FINE] in markdown_report(account(item(Standing.NOTED), item(Standing.FINE)))

"""GitHub's annotations and summaries: read as the runner reads them, within its limits, and no name is a command or markup."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from draincheck.errors import SourceLine
from draincheck.escape import harmless
from draincheck.report.account import Account, Standing, Suite
from draincheck.report.github import LONGEST_SUMMARY, github_annotations, github_summary
from draincheck.report.markdown import markdown_report
from tests.support.github import commands
from tests.support.reports import NASTY, account, everything, item, nasty, scripted_run


def test_each_thing_to_look_at_is_an_annotation() -> None:
    """What is fine or noted is none; a rule that does not matter is a warning."""
    found = account(*map(item, Standing), item(Standing.WRONG, name="rule", matters=False))
    assert [(one.name, one.properties["title"].split(" in ")[0]) for one in commands(github_annotations(found))] == [
        ("error", "wrong"),
        ("error", "undecided"),
        ("error", "model fault"),
        ("error", "configuration error"),
        ("warning", "rule"),
    ]


def test_an_annotation_has_its_line_and_its_reason() -> None:
    """The file as the model's source has it."""
    found = commands(github_annotations(account(item(Standing.WRONG, meaning="no request"))))[0]
    assert (found.properties["file"], found.properties["line"]) == ("models/m.py", "3")
    assert found.message == "no request\nbecause it is wrong\nshown by: check-invariants gate"


def test_more_annotations_than_are_shown_are_announced() -> None:
    """Before them, because GitHub shows the first ten; ten are not announced."""
    many = [item(Standing.WRONG, name=str(number)) for number in range(11)]
    assert "11 wrong" in commands(github_annotations(account(*many)))[0].message
    assert len(commands(github_annotations(account(*many[:10])))) == 10


@settings(max_examples=15)
@given(st.text())
@example(NASTY)
def test_any_name_stays_one_annotation(name: str) -> None:
    """And is read as it is written, but for what a terminal would obey."""
    place = SourceLine(name, 7)
    text = github_annotations(account(item(Standing.WRONG, name=name, why=name, place=place)))
    (found,) = commands(text)
    assert found.message == "\n".join(filter(None, [harmless(name), "shown by: check-invariants gate"]))
    assert found.properties["file"] == harmless(name)
    assert text.count("\n") == 1


def test_a_summary_has_the_table_the_delta_and_one_diagram() -> None:
    """What GitHub draws: a table, Mermaid; and the trace as text."""
    found = github_summary(everything())
    assert found.count("```mermaid") == 1
    assert "**+2 states, -1 transition** since they were pinned" in found
    assert "| ❓ |" in found
    assert "never true: flag" in found


def test_a_summary_shows_what_matters_first_and_the_shortest_of_it() -> None:
    """A rule inside gives way; so does a longer trace."""
    run = scripted_run()
    rule = item(Standing.WRONG, name="rule", matters=False, run=run)
    matters = item(Standing.WRONG, name="matters", run=run)
    assert "### How `matters` comes about" in github_summary(account(rule, matters))
    assert "### How `rule` comes about" in github_summary(account(rule))


def large() -> Account:
    """More rows than a summary holds."""
    items = [item(standing, name=f"{standing.value} ü {NASTY}") for standing in Standing]
    return account(suites=[Suite(title=f"suite {number}", items=items) for number in range(1500)], exit_code=12)


def test_a_summary_is_never_longer_than_github_shows() -> None:
    """One that is, is not shown at all; negative control: this account makes a longer report."""
    assert len(markdown_report(large()).encode()) > LONGEST_SUMMARY
    assert len(github_summary(large()).encode()) <= LONGEST_SUMMARY


@pytest.mark.parametrize("limit", [200, 600, 1000, 2000, 4000, 8000])
def test_what_is_left_out_is_said(limit: int) -> None:
    """Whole rows and whole blocks: no fence stays open."""
    found = github_summary(everything(), limit)
    whole = github_summary(everything())
    assert len(found.encode()) <= limit or found == whole
    assert found.count("```") % 2 == 0
    assert ("left out" in found) is (found != whole)
    assert found.startswith("## 🔧 gate\n")


def test_nothing_unknown_or_never_asked_is_green() -> None:
    """The green sign stands beside what is fine alone."""
    for standing in Standing:
        found = github_summary(account(item(standing)))
        assert ("✅" in found) is (standing is Standing.FINE)
    assert "✅" not in github_summary(account(suites=[]))


def test_a_nasty_summary_draws_no_other_diagram() -> None:
    """Names open no fences."""
    assert github_summary(nasty()).count("```mermaid") == 1

"""Traces for others: six lines on what they show, as text and as Markdown, and short ones."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from check_invariants.main import cli
from draincheck import __version__
from draincheck.revisions import find_revision
from drainspecs.mirror.properties import meaning_of
from drainspecs.mirror.terms import MARKS

S1 = ("--revision", "ab27c3b5e7", "--property", "S1")
OWN = (f"{Path(__file__).parents[2] / 'examples' / 'lost_wakeup.py'}:lost_wakeup", "--property", "no deadlock")


def run(*arguments: str, code: int = 0) -> Result:
    """A command that ends with this code."""
    result = CliRunner().invoke(cli, arguments, prog_name="check-invariants")
    assert result.exit_code == code, result.output
    return result


def text(*arguments: str) -> str:
    """A trace as text."""
    return run("trace", "export", "--format", "text", *arguments).stdout


def facts(shown: str) -> dict[str, str]:
    """The lines above the first empty one, by name."""
    pairs = (line.partition(": ") for line in shown.partition("\n\n")[0].splitlines())
    return {name: said for name, _, said in pairs}


def tree_of(shown: str) -> str:
    """What stands between the six lines and the last, which is the first of them again."""
    answer = shown.partition("\n")[0]
    assert shown.endswith(f"\n\n{answer}\n")
    return shown.partition("\n\n")[2].removesuffix(f"\n{answer}\n")


def test_six_lines_say_what_a_trace_of_a_code_base_is() -> None:
    """What is violated in words, release and date, scenario, version, command, legend."""
    said = facts(text(*S1))
    row = find_revision("ab27c3b5e7")
    assert list(said) == ["violated", "code base", "scenario", "found by", "reproduce", "signs"]
    assert said["violated"] == f"S1: {meaning_of('S1')}"
    assert row.release in said["code base"] and row.date in said["code base"]
    assert "virtio disk in the main loop" in said["scenario"]
    assert __version__ in said["found by"]


def test_the_legend_has_the_letters_of_the_trace_and_no_others() -> None:
    """The counterexample to S1 ends before (a)."""
    legend = facts(text(*S1))["signs"]
    assert [letter for letter in MARKS if f"({letter}) {MARKS[letter]}" in legend] == ["w", "b"]
    assert "~ the world outside" in legend


@pytest.mark.parametrize("asked", [S1, OWN], ids=["code base", "own model"])
def test_the_command_shows_it_again(asked: tuple[str, ...]) -> None:
    """Run as it stands there, it finds the same violation by the same tree."""
    shown = text(*asked)
    command = shlex.split(facts(shown)["reproduce"])
    again = CliRunner().invoke(cli, command[1:], prog_name=command[0])
    assert again.exit_code in (11, 12)
    assert tree_of(shown).strip() in again.stdout


def test_a_trace_of_ones_own_model_names_file_and_function() -> None:
    """And who takes part."""
    said = facts(text(*OWN))
    assert list(said)[1] == "model" and OWN[0] in said["model"]
    assert said["scenario"].startswith("what ")


def test_a_short_trace_has_the_steps_that_change_something(tmp_path: Path) -> None:
    """All of these, no others but the last, and how many are missing."""
    whole, short = text(*S1), text(*S1, "--short")
    number = re.compile(r"^ ?(\d+) ", re.MULTILINE)
    kept = {int(found) for found in number.findall(short)}
    changing = {int(m[1]) for m in re.finditer(r"^ ?(\d+) .*  \S+=", whole, re.MULTILINE)}
    assert changing <= kept < {int(found) for found in number.findall(whole)}
    assert f"left out: {26 - len(kept)} steps that change nothing that is shown" in short
    assert "left out: " not in whole
    file = tmp_path / "S1.json"
    run("trace", "export", *S1, "-o", str(file))
    assert run("trace", "show", str(file), "--short").stdout == short


def test_markdown_has_the_same_six_lines_and_the_trace() -> None:
    """A list, the command in a code span, and the tree in a fence."""
    shown = run("trace", "export", *S1, "--format", "markdown").stdout
    assert re.findall(r"^- \*\*(.*?):\*\* ", shown, re.MULTILINE) == list(facts(text(*S1)))
    assert f"- **reproduce:** `{facts(text(*S1))['reproduce']}`\n" in shown
    assert tree_of(text(*S1)) in shown.partition("```text\n")[2]


@pytest.mark.parametrize(
    "arguments",
    [
        ("trace", "export", *S1, "--short"),
        ("trace", "export", *S1, "--json", "--format", "markdown"),
        ("trace", "show", "x.json", "--outline", "--short"),
        ("trace", "show", "x.json", "--json", "--format", "markdown"),
    ],
    ids=" ".join,
)
def test_forms_that_exclude_each_other_are_refused(arguments: tuple[str, ...]) -> None:
    """One message, code 2."""
    assert "--" in run(*arguments, code=2).stderr.splitlines()[-1]

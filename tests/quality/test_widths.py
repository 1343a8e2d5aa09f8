"""At every width, on a terminal and in a pipe: nothing is cut, no word is broken, nothing is left out."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner

from check_invariants.main import cli
from tests.cover.test_cli_output import on_a_terminal
from tests.support.samples import sampled

EXAMPLE = Path(__file__).parents[2] / "examples" / "lost_wakeup.py"

OTHER_TRACE = Path(__file__).parents[1] / "golden" / "traces" / "0ff841f6d1-mirror-R1.json"

COMMANDS = (
    ("list", "terms"),
    ("list", "revisions"),
    ("--scenario", "mirror", "--revision", "v2.6.0"),
    ("check", "--revision", "v2.6.0", "--scenario", "mirror"),
    ("trace", "export", "--revision", "ab27c3b5e7", "--property", "S4", "--format", "text"),
    ("explain", "{trace}"),
    ("check", str(EXAMPLE)),
    ("--scenario", "mirror", "--processes", "1"),
    ("list", "scenarios"),
    ("list", "properties"),
    ("list", "knobs"),
    ("list", "claims"),
    ("list", "mitigations"),
    ("--scenario", "dataplane", "--full", "--processes", "1"),
    ("check", "--revision", "v2.6.0"),
    ("check", "--revision", "91af091f92", "--scenario", "dataplane", "--property", "L2"),
    ("check", f"{EXAMPLE}:lost_wakeup", "--traces"),
    ("compare", "v2.6.0", "--set", "begin=before_check", "--scenario", "mirror"),
    ("claims",),
    ("liveness", "--scenario", "mirror"),
    ("liveness", "--notify"),
    ("why", "--revision", "ab27c3b5e7"),
    ("repair", "--revision", "ab27c3b5e7"),
    ("sweep", "--knob", "is_external", "--knob", "bandage"),
    ("parametric", "--revision", "f3926945c8", "--revision", "9a0cec664e"),
    ("trace", "show", "{trace}"),
    ("trace", "show", "{trace}", "--short"),
    ("trace", "show", "{trace}", "--outline"),
    ("trace", "diff", "{trace}", str(OTHER_TRACE)),
    ("trace", "minimize", "{trace}", "-o", os.devnull),
    ("replay", "{trace}"),
    ("simulate", "--revision", "ab27c3b5e7", "--runs", "50"),
    ("gate", "--list"),
    ("prove", "--revision", "9a0cec664e", "--property", "S1", "--output", os.devnull),
    ("trace", "show", "nothing-of-this-name-is-here-and-the-message-is-a-rather-long-one.json"),
)

#: what a line may be wider for: a command to copy
COPIED = re.compile(r"check-invariants |`")
#: what differs between two runs
VARYING = re.compile(r"\d+\.\d+|[\d,]+ a second|\d+ (?:s|MB)\b")


@pytest.fixture(scope="module", name="trace")
def a_trace(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A trace file."""
    file = str(tmp_path_factory.mktemp("widths") / "S4.json")
    CliRunner().invoke(cli, ["trace", "export", "--revision", "ab27c3b5e7", "--property", "S4", "-o", file])
    return file


def in_a_pipe(*arguments: str, columns: int | None) -> str:
    """What a command says where no terminal is, with standard error."""
    environment = {"COLUMNS": None if columns is None else str(columns)}
    return CliRunner(env=environment).invoke(cli, arguments, prog_name="check-invariants").output


@cache
def whole(*arguments: str) -> str:
    """What it says where there is room for all."""
    return in_a_pipe(*arguments, columns=None)


def at_a_terminal(*arguments: str, columns: int) -> str:
    """What it says on a terminal, without colours."""
    return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", on_a_terminal(*arguments, columns=columns)[0])


def words(text: str) -> set[str]:
    """The words of a text; a name before a colon, or a list's item, is the word itself."""
    return {word.strip(":;,|") for word in VARYING.sub(" ", text).split()}


def wider(text: str, columns: int) -> list[str]:
    """The lines that are too wide, though they could be broken: of more than a word, and no command."""
    long = (line for line in text.splitlines() if len(line) > columns and not COPIED.search(line))
    return [line for line in long if len(line.split()) > 1]


@pytest.mark.parametrize("command", sampled(COMMANDS, COMMANDS[1:3], 11), ids=" ".join)
@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("shown", [in_a_pipe, at_a_terminal])
def test_nothing_is_cut_and_nothing_is_missing(
    command: tuple[str, ...], columns: int, shown: Callable[..., str], trace: str
) -> None:
    """No line is wider than there is room, and every word is there that stands where there is room for all."""
    arguments = [trace if word == "{trace}" else word for word in command]
    if shown is at_a_terminal and not hasattr(os, "openpty"):
        pytest.skip("there are no terminals here")
    narrow = shown(*arguments, columns=columns)
    assert wider(narrow, columns) == []
    assert words(whole(*arguments)) - words(narrow) == set()


def test_the_comparison_sees_what_is_cut_broken_or_missing() -> None:
    """Negative control: a line too wide, a word in two, a word that is not there."""
    assert wider("two words\n", 8) and not wider("two words\n", 9) and not wider("see: check-invariants check\n", 8)
    assert words("a window") - words("a win\ndow") == {"window"}
    assert words("name: value") - words("name") == {"value"}

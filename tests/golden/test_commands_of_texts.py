"""Each command that a text shows, as it stands there: it runs, and ends with the code that is said here; options that a text names, a command has."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

import click
import pytest
from click.testing import Result

from check_invariants.main import COMMANDS, cli
from tests.support.cli import run
from tests.support.house import ROOT
from tests.support.samples import sampled

PAGES = [
    *(Path(name) for name in ("README.md", "PYTHON.md", "LANGUAGE.md", "CONTRIBUTING.md", "specs/README.md")),
    *sorted(path.relative_to(ROOT) for path in (ROOT / "examples").glob("*.py")),
]
#: what a page leaves to the reader, and what it is here; the models are those that the page shows
PLACEHOLDERS = {"HASH": "ab27c3b5e7", "FILE.py:build": "shown.py:build", "queue_resume.py": "shown.py"}
#: what a text says where it speaks of a command and does not type it in
NAMES = {*COMMANDS, "certificate check", "trace show"}


class Shown(NamedTuple):
    """A command, and the page that shows it."""

    page: Path
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}: {self.text}"

    @property
    def words(self) -> list[str]:
        """The arguments as a shell takes them, without patterns."""
        text = self.text
        for name, here in PLACEHOLDERS.items():
            text = text.replace(name, here)
        return shlex.split(text)


def commands_of(page: Path) -> Iterator[Shown]:
    """Those on lines of their own, and those with arguments in the text; a comment stands behind two spaces."""
    text = (ROOT / page).read_text(encoding="utf-8")
    lines = re.findall(r"^    check-invariants\b(.*?)(?:  +#.*)?$", text, re.MULTILINE)
    inline = re.findall(r"`check-invariants( [^`]*)`", text)
    meant = [found.strip() for found in inline if found.strip() not in NAMES]
    yield from (Shown(page, found) for found in dict.fromkeys((*(line.strip() for line in lines), *meant)))


SHOWN = [command for page in PAGES for command in commands_of(page)]

#: what does not end with 0, and why
ENDS = {
    "check --revision v2.6.0": 12,  # acknowledged writes are lost
    "--revision v2.6.0": 12,
    "check --revision ab27c3b5e7 --scenario mirror --property S1": 12,
    "check --property S1 --scenario mirror --revision ab27c3b5e7 --set walk_checks_external=off": 12,  # the bandage is inert
    "check --property S1 --scenario mirror --revision f3926945c8 --order any": 12,
    "replay S4.json": 12,  # the write is lost on the core
    "check --revision 91af091f92 --scenario dataplane --property L2": 13,
    "check --revision bdffb31d8e --property L7s": 13,
    "compare v2.6.0 v2.7.0": 12,  # a hang is new
    "check --revision v2.6.0 --scenario mirror --writes 3": 12,
    "check --revision HASH": 12,
    "check --revision 9a0cec664e --set drain=nested --set begin=after_release": 12,  # a timer is no external event
    "check queue_resume.py:queue_resume": 12,
    "check queue_resume.py:queue_resume --set count=early": 11,
    "check examples/lost_wakeup.py:lost_wakeup --set items=1..3 --set recheck=on,off": 13,  # the bug: an item waits for ever
    "check examples/lost_wakeup.py:lost_wakeup --set items=1..3": 13,
    "check examples/lost_wakeup.py:lost_wakeup:bug, three items": 13,
    "check examples/deadlock.py:deadlock": 13,  # a deadlock, too, but a demand on whole runs comes first
    "check examples/event_loop.py:event_loop": 12,
}

#: what takes more than a second or two
LONG = {"check --revision v2.7.0 --scenario mirror --writes 0 --reads 1 --jobs 2", "parametric", "--full", "gate --quick", "why --revision 9a0cec664e",
        "repair --revision 14560d69e7~1", "certificate check proofs/*.smt2 --solver both", "compare v2.6.0 v2.7.0",
        "certificate check 9a0cec664e.smt2 --solver both", "--revision v2.6.0",
        "parametric --revision d4a92a8420 --revision 9a0cec664e -o proofs"}  # fmt: skip
#: what writes into the repository, and what other tests run in parts: it takes a minute
NOT_RUN = {"gate --pin", "--all"}
RUN = [command for command in SHOWN if command.text not in NOT_RUN]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what somebody has who reads the pages."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def prepare(command: Shown, folder: Path) -> None:
    """Write the model that the page shows, and run what makes the files that the command reads."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / command.page).read_text(encoding="utf-8"), re.DOTALL)
    for block in (block for block in blocks if re.search(r"^def \w+\(.*Model:$", block, re.MULTILINE)):
        (folder / "shown.py").write_text(block, encoding="utf-8")
    for other in SHOWN:
        made = re.findall(r" -o (\S+)", other.text)
        if other != command and any(word in made or Path(word).parts[0] in made for word in command.words):
            typed(other, folder)


def typed(command: Shown, folder: Path) -> Result:
    """What comes of a command, with what it needs before it, and patterns as a shell expands them."""
    prepare(command, folder)
    return run(*(name for word in command.words for name in _expanded(word, folder)))


def _expanded(word: str, folder: Path) -> Sequence[str]:
    if "*" not in word:
        return [word]
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
    return [name for name in files if fnmatch(name, word)]


def ending(command: Shown) -> int:
    """The code that is expected."""
    return ENDS.get(command.text.replace('"', ""), 0)


@pytest.mark.parametrize("command", sampled(RUN, [command for command in RUN if command.text not in LONG]), ids=str)
def test_a_command_ends_as_it_says(command: Shown, desk: Path) -> None:
    """As somebody types it in who has followed the page up to there."""
    result = typed(command, desk)
    assert result.exit_code == ending(command), result.output[-2000:]


def test_every_page_that_shows_commands_is_read() -> None:
    """Negative control: so many on each; what is said of one is said of one that is there."""
    found = {str(page): sum(command.page == page for command in SHOWN) for page in PAGES}
    assert found["README.md"] > 30 and found["CONTRIBUTING.md"] >= 5 and found["LANGUAGE.md"] == 1
    assert all(found[f"examples/{name}.py"] == 3 for name in ("deadlock", "event_loop", "lost_wakeup"))
    known = {command.text.replace('"', "") for command in SHOWN}
    assert set(ENDS) - known == set() and known >= NOT_RUN


# -- what is named without being typed in --------------------------------------------------------------


def options_of(words: Sequence[str]) -> set[str]:
    """The options of the command that these words begin with."""
    found: click.Command = cli
    for word in words:
        inner = found.get_command(click.Context(found), word) if isinstance(found, click.Group) else None
        found = inner or found
    return {option for item in found.params for option in (*item.opts, *item.secondary_opts)}


def unknown_options(text: str) -> list[str]:
    """Options in spans of code that begin with a command, which that command does not have."""
    spans = [span.split() for span in re.findall(r"`([^`\n]+)`", text)]
    of_commands = [words for words in spans if words and words[0] in COMMANDS]
    return [
        " ".join(words)
        for words in of_commands
        if {word.partition("=")[0] for word in words if word.startswith("--")} - options_of(words)
    ]


@pytest.mark.parametrize("page", [*PAGES, Path("ARCHITECTURE.md"), Path("tests/README.md")], ids=str)
def test_an_option_that_is_named_is_there(page: Path) -> None:
    """Of the command before it: `trace show --short`."""
    assert unknown_options((ROOT / page).read_text(encoding="utf-8")) == []


def test_an_option_that_is_not_there_is_noticed() -> None:
    """Negative control."""
    assert unknown_options("`trace show --short`, `sweep --shorter` and `check`") == ["sweep --shorter"]

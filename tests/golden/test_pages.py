"""What README and the documentation show is what happens: commands as they stand there, what they print, files, Python (tests/support/pages.py)."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import click
import pytest

from check_invariants.main import COMMANDS, cli
from tests.support.desk import Desk, NotAsShown, fits
from tests.support.house import ROOT
from tests.support.pages import PAGES, Command, Page, Unreadable, text_of
from tests.support.samples import sampled

#: the pictures of the documentation; `UPDATE_GOLDEN=1 pytest tests/golden/test_pages.py` makes those of commands anew
PICTURES, BY_HAND = ROOT / "docs/pictures", {"window.svg"}
UPDATE = "UPDATE_GOLDEN" in os.environ
#: a page, with what it shows
READ = {str(path): Page.read(path) for path in PAGES}
#: those of which some takes long, or needs parts
SLOW = [name for name, page in READ.items() if any(step.slow for step in page.steps)]
PARTS = {name: needs for name, page in READ.items() if (needs := {part for step in page.steps for part in step.needs})}
#: those that show anything; and those of which that takes more than half a second, which is left to the large tests, all but README
SHOWN_BY = [name for name, page in READ.items() if page.steps]
DEAR = {f"docs/how-to/{name}.md" for name in ("safe-patch", "bug-report", "sizes", "ci", "pictures")} | {
    "CONTRIBUTING.md"
}
#: pages of which some takes too long for CI
LONG = {"docs/how-to/certificate.md", "docs/how-to/ci.md"}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """That of somebody who has cloned the project."""
    monkeypatch.chdir(tmp_path)
    return Desk.laid(tmp_path)


def outdated(drawn: Path, pictures: Path) -> list[str]:
    """Pictures that have been drawn and are others than those of the documentation; with UPDATE_GOLDEN=1 these are made anew first."""
    both = [(file, pictures / file.name) for file in sorted(drawn.glob("*.svg")) if (pictures / file.name).exists()]
    if UPDATE:
        for file, kept in both:
            shutil.copyfile(file, kept)
    return [file.name for file, kept in both if file.read_bytes() != kept.read_bytes()]


@pytest.mark.parametrize("name", sampled(SHOWN_BY, [name for name in SHOWN_BY if name not in DEAR]))
def test_what_a_page_shows_is_what_happens(name: str, desk: Desk) -> None:
    """Step by step, as somebody does it who follows the page from its top; the pictures that it shows are those that come of that."""
    desk.follow(READ[name].steps)
    assert outdated(desk.folder, PICTURES) == []


def test_a_picture_that_is_another_is_noticed(tmp_path: Path) -> None:
    """Negative control: of two that are shown one is drawn otherwise; a third one is shown nowhere."""
    (tmp_path / "kept").mkdir()
    for name, drawn, kept in (("a.svg", "1", "1"), ("b.svg", "2", "3"), ("c.svg", "4", None)):
        (tmp_path / name).write_text(drawn, encoding="utf-8")
        if kept:
            (tmp_path / "kept" / name).write_text(kept, encoding="utf-8")
    assert UPDATE or outdated(tmp_path, tmp_path / "kept") == ["b.svg"]


def test_each_picture_comes_of_a_page() -> None:
    """Some command of a page writes it, but for the one that is drawn by hand."""
    texts = [step.does.text for page in READ.values() for step in page.steps if isinstance(step.does, Command)]
    kept = {file.name for file in PICTURES.glob("*.svg")} - BY_HAND
    assert {name for name in kept if not any(text.endswith(f" -o {name}") for text in texts)} == set()


@pytest.mark.slow
@pytest.mark.parametrize("name", sampled(SLOW, [name for name in SLOW if name not in LONG], 0))
def test_also_what_takes_long_is_what_happens(name: str, desk: Desk) -> None:
    """The same, with the steps that the quick run leaves out."""
    desk.follow(READ[name].steps, slow=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.needs(*sorted(PARTS[name]))) for name in PARTS])
def test_also_what_needs_parts_is_what_happens(name: str, desk: Desk) -> None:
    """The same, with the steps that need other programs."""
    desk.follow(READ[name].steps, parts=True)


def test_every_page_is_read() -> None:
    """Negative control: so many commands on each at the least; and all that is there is one of them."""
    found = {name: sum(isinstance(step.does, Command) for step in page.steps) for name, page in READ.items()}
    assert found["README.md"] >= 8 and found["CONTRIBUTING.md"] == 5
    assert all(found[f"examples/{name}.py"] == 3 for name in ("deadlock", "event_loop", "lost_wakeup"))
    typed = sum(len(re.findall(r"^(?:\$ )?check-invariants ", page.text, re.MULTILINE)) for page in READ.values())
    assert sum(found.values()) >= typed - 5
    assert {command for _, command in INLINE} >= ENDS.keys()


# -- the reader itself ---------------------------------------------------------------------------------

SHOWN = "```console\n$ check-invariants list claims  # 0\nclaim ...\n...\n```\n"


@pytest.mark.parametrize(
    ("change", "to"),
    [
        ("claim ...", "clam ..."),
        ("# 0", "# 12: as if"),
        ("...\n```", "```"),
        ("list claims", "list clams"),
        ("claim ...\n...", "..." + "\nno such line" * 2),
    ],
)
def test_another_output_is_noticed(change: str, to: str, desk: Desk) -> None:
    """Negative control: what is as shown passes, and no change of the page does."""
    desk.follow(Page("shown", SHOWN).steps)
    assert change in SHOWN
    with pytest.raises(NotAsShown, match="shown:1"):
        desk.follow(Page("shown", SHOWN.replace(change, to)).steps)


def test_an_excerpt_leaves_out_nothing_unsaid() -> None:
    """Negative control of the comparison: a gap that is not marked, another order, another line."""
    whole = "a\nb\nc\nd e f\n"
    assert all(fits(part, whole) for part in ("a\n...", "...\nc\n...", "a\nb\nc\nd ... f", "...", "...\nd ...", whole))
    assert not any(
        fits(part, whole) for part in ("a\nb", "b\n...", "...\nc", "...\nb\na\n...", "a\nx\n...", "", "a ...")
    )


@pytest.mark.parametrize(
    "text",
    [
        "Text.\n\n    check-invariants list knobs\n",
        "```\ncheck-invariants list knobs\n```\n",
        "```bash\ncheck-invariants list knobs\n```\n",
        "```console\ncheck-invariants list knobs\n```\n",
        '```toml\nfile = "queue.py"\n```\n',
        "<!-- not run -->\n```bash\ntrue\n```\n",
    ],
)
def test_a_block_that_nobody_would_execute_is_refused(text: str) -> None:
    """An indented one, one without a language that means something, a file without a name, a mark without a reason."""
    with pytest.raises(Unreadable, match=r"shown:\d"):
        _ = Page("shown", text).steps


def test_what_is_not_run_has_a_reason() -> None:
    """Then the block is left out."""
    assert Page("shown", "<!-- not run: it needs the network -->\n```sh\nfalse\n```\n").steps == []


def test_programs_sessions_and_files_are_done(desk: Desk) -> None:
    """A program that fails, an answer that is another, and a file that a later command reads."""
    with pytest.raises(ZeroDivisionError):
        desk.follow(Page("shown", "```python\n1 / 0\n```\n").steps)
    desk.follow(Page("shown", "```python\n>>> n = 1\n```\n\n```python\n>>> n + 1\n2\n```\n").steps)
    with pytest.raises(NotAsShown):
        desk.follow(Page("shown", "```python\n>>> n + 1\n3\n```\n").steps)
    desk.follow(
        Page("shown", "```python\n# own.py\nx = 1\n```\n\n```console\n$ cat own.py | tail -n 1\nx = 1\n```\n").steps
    )


# -- what is named without being typed in --------------------------------------------------------------

#: what a sentence leaves to the reader, and what it is here
PLACEHOLDERS = {"HASH": "ab27c3b5e7", "FILE.py:build": "shown.py:build"}
#: what a sentence names that does not end with 0
ENDS = {"--revision v2.7.0": 12, "check --revision HASH": 12}
#: what writes into the repository, or runs for minutes
NOT_RUN = {"gate --pin", "--all", "--full", "gate --quick"}


def is_a_name(words: Sequence[str]) -> bool:
    """Whether these words are a command's name alone: `trace show`."""
    found: click.Command | None = cli
    for word in words:
        found = found.get_command(click.Context(found), word) if isinstance(found, click.Group) else None
    return found is not None


INLINE = [
    (name, each)
    for name, page in READ.items()
    for each in page.inline
    if each not in NOT_RUN and not is_a_name(each.split())
]


@pytest.mark.parametrize(("name", "command"), INLINE)
def test_a_command_that_a_sentence_names_ends_as_it_says(name: str, command: str, desk: Desk) -> None:
    """With 0 if nothing else is said here; the model that it names is the page's."""
    text = command
    for placeholder, here in PLACEHOLDERS.items():
        text = text.replace(placeholder, here)
    program = re.search(r"```python\n(.*?)```", READ[name].text, re.DOTALL)
    (desk.folder / "shown.py").write_text(program[1] if program else "", encoding="utf-8")
    code, printed = desk.come_of(f"check-invariants {text}")
    assert code == ENDS.get(command, 0), printed[-2000:]


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
    assert unknown_options(text_of(page)) == []


def test_an_option_that_is_not_there_is_noticed() -> None:
    """Negative control."""
    assert unknown_options("`trace show --short`, `sweep --shorter` and `check`") == ["sweep --shorter"]

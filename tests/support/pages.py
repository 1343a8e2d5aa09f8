"""What a page of the documentation shows to be done: its fenced blocks, read as the steps of somebody who follows it.

What a fence means is said by its language:

    sh       a command a line; it ends with 0, or with the code that a comment behind it begins with: `  # 12: a write is lost`
    console  lines `$ command`, each with exactly what it prints; `...` on a line of its own stands for lines that are left out, inside a line
             for some of it; ends as in sh
    python   with `>>>`: a session, as doctest reads it; else a program that runs
    python, toml, yaml whose first line is `# name.py`: a file, written under that name
    text, json and directives (`{...}`) claim nothing

An HTML comment before a fence says what else is to know: `<!-- slow -->`: only the full test run takes the time; `<!-- needs spin gcc -->`: parts that
do not come with Python; `<!-- not run: reason -->`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.support.house import ROOT

__all__ = ["PAGES", "Command", "File", "Page", "Program", "Session", "Step", "Unreadable", "text_of"]

#: languages of which nothing is claimed
SILENT = {"text", "json"}
#: languages that can be a file alone
FILES = {"toml", "yaml"}
NAME = re.compile(r"# ([\w./-]+\.(?:py|toml|yml|yaml))\n")
COMMENT = re.compile(r"(?P<command>.*?)(?:\s{2,}# ?(?:(?P<code>\d+)(?:: .*)?|.*))?")

PAGES = [
    *(Path(name) for name in ("README.md", "PYTHON.md", "LANGUAGE.md", "CONTRIBUTING.md", "specs/README.md")),
    *sorted(path.relative_to(ROOT) for path in (ROOT / "docs").rglob("*.md")),
    *sorted(path.relative_to(ROOT) for path in (ROOT / "examples").glob("*.py")),
]


class Unreadable(Exception):
    """A block that nobody would execute: where it is, and what to write instead."""


class Command(NamedTuple):
    """A command that somebody types in.

    Attributes:
        code: what it ends with.
        printed: what it prints, as the page shows it; None where the page shows nothing of it.
    """

    text: str
    code: int
    printed: str | None


class File(NamedTuple):
    """A file that somebody writes."""

    name: str
    text: str


class Session(NamedTuple):
    """Examples at Python's prompt."""

    text: str


class Program(NamedTuple):
    """Python code that runs."""

    text: str


class Step(NamedTuple):
    """One of the above, and where it stands.

    Attributes:
        needs: parts that it cannot do without.
    """

    place: str
    does: Command | File | Session | Program
    slow: bool
    needs: tuple[str, ...]


class Page(NamedTuple):
    """A page: its name, and its text in Markdown."""

    name: str
    text: str
    #: a docstring shows its commands by indentation
    indented: bool = False

    @classmethod
    def read(cls, path: Path) -> Page:
        """A page of the repository: a Markdown file, or the docstring of a program."""
        return cls(str(path), text_of(path), indented=path.suffix == ".py")

    @property
    def steps(self) -> list[Step]:
        """What it shows, in order.

        Raises:
            Unreadable: there is a block of which nobody knows what to do with it.
        """
        mark = ""
        found = list[Step]()
        for token in MarkdownIt("commonmark").parse(self.text):
            if token.type in ("fence", "code_block"):
                found += self._steps_of(token, mark)
            mark = token.content.strip() if token.type == "html_block" else ""
        return found

    def _steps_of(self, token: Token, mark: str) -> Iterator[Step]:
        """Those of a block, with the comment before it."""
        assert token.map is not None
        place = f"{self.name}:{token.map[0] + 1}"
        language = token.info.split()[0] if token.info.strip() else "sh" if self.indented else ""
        if language in SILENT or language.startswith("{") or re.fullmatch(r"<!-- not run: .{5,} -->", mark, re.DOTALL):
            return
        if token.type == "code_block" and not self.indented:
            raise Unreadable(f"{place}: an indented block; write a fence, ```sh or ```console")
        needs = re.fullmatch(r"<!-- needs (.*) -->", mark)
        if mark.startswith("<!-- n") and not needs:
            raise Unreadable(f"{place}: {mark} means nothing; say `needs PART`, or `not run: ` and the reason")
        parts = tuple(needs[1].split()) if needs else ()
        yield from (
            Step(place, each, mark == "<!-- slow -->", parts) for each in _shown(place, language, token.content)
        )

    @property
    def inline(self) -> list[str]:
        """The commands with arguments that its sentences name, without the program's name."""
        prose = [token.content for token in MarkdownIt("commonmark").parse(self.text) if token.type == "inline"]
        spans = (span for text in prose for span in re.findall(r"`check-invariants (-[^`]+|[^`]* [^`]+)`", text))
        return list(dict.fromkeys(spans))


def text_of(path: Path) -> str:
    """What a page says: a Markdown file as it is, of a program its docstring."""
    text = (ROOT / path).read_text(encoding="utf-8")
    return text if path.suffix == ".md" else ast.get_docstring(ast.parse(text)) or ""


def _shown(place: str, language: str, text: str) -> Iterator[Command | File | Session | Program]:
    named = NAME.match(text)
    if language == "sh":
        yield from (_command(line, None) for line in text.splitlines() if line and not line.startswith("#"))
    elif language == "console":
        yield from _dialogue(place, text)
    elif named and language in {"python", *FILES}:
        yield File(named[1], text)
    elif language == "python":
        yield Session(text) if ">>> " in text else Program(text)
    elif language in FILES:
        raise Unreadable(f"{place}: a file without a name; begin it with `# name.{language}`, or say why it is not run")
    else:
        raise Unreadable(f"{place}: a block of {language or 'no language'}; say what it is: sh, console, python, text")


def _dialogue(place: str, text: str) -> Iterator[Command]:
    """Commands and what each prints."""
    head, *parts = re.split(r"^\$ ", text, flags=re.MULTILINE)
    if head or not parts:
        raise Unreadable(f"{place}: a console begins with `$ `")
    for part in parts:
        line, _, printed = part.partition("\n")
        yield _command(line, printed.rstrip("\n"))


def _command(line: str, printed: str | None) -> Command:
    found = COMMENT.fullmatch(line)
    assert found is not None
    return Command(found["command"], int(found["code"] or 0), printed)

"""The files that a run leaves for others (`options.reports`): each made of one account, each written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final, TypedDict, Unpack

import click
from msgspec import Struct
from msgspec.structs import replace

from check_invariants import standard
from check_invariants.exit import NotWritable
from check_invariants.options import STDOUT
from check_invariants.output import check_output, emit, write_to
from draincheck.location import files_below
from draincheck.report.account import Account
from draincheck.report.github import github_annotations, github_summary, without_commands
from draincheck.report.gitlab import code_quality
from draincheck.report.junit import junit_xml
from draincheck.report.markdown import markdown_report
from draincheck.report.sarif import sarif_log

__all__ = ["ReportOptions", "Reports"]

#: where GitHub wants the summary of a step
SUMMARY: Final = "GITHUB_STEP_SUMMARY"

#: the folder in which the one and the other have the repository
GITHUB, GITLAB = "GITHUB_WORKSPACE", "CI_PROJECT_DIR"

#: by option what makes the file
_WRITERS: Final[Mapping[str, Callable[[Account], str]]] = {
    "junit": junit_xml,
    "sarif": sarif_log,
    "gitlab": code_quality,
    "markdown": markdown_report,
}


class ReportOptions(TypedDict):
    """The options, as click gives them."""

    junit: str | None
    sarif: str | None
    gitlab: str | None
    markdown: str | None
    github: bool


class Reports(Struct, frozen=True):
    """What is wanted: files by their kind, a document on standard output, GitHub's commands."""

    files: Mapping[str, str]
    as_json: bool
    github: bool

    @classmethod
    def of(cls, as_json: bool, config: str | None, **options: Unpack[ReportOptions]) -> Reports:
        """What the options say. Raises UsageError for two that go to one place, and NotWritable for a place that takes no file.

        The configuration, if there is one, is no place for a report.
        """
        given = {kind: options[kind] for kind in ("junit", "sarif", "gitlab", "markdown")}
        found = cls({kind: path for kind, path in given.items() if path is not None}, as_json, options["github"])
        found._refuse_two_in_one_place(config)
        for path in found._outputs:
            check_output(path)
        return found

    @property
    def wanted(self) -> bool:
        """Whether an account is needed."""
        return bool(self.files) or self.github

    @property
    def takes_text(self) -> bool:
        """Whether standard output is free for people to read."""
        return not self.as_json and STDOUT not in self.files.values()

    @property
    def _summary(self) -> str:
        return os.environ.get(SUMMARY, "") if self.github else ""

    @property
    def _outputs(self) -> Iterator[str]:
        yield from self.files.values()
        if self._summary:
            yield self._summary

    def _refuse_two_in_one_place(self, config: str | None) -> None:
        taken = {STDOUT: "--json"} if self.as_json else {}
        if config is not None:
            taken[os.path.realpath(config)] = "the configuration"
        for kind, path in self.files.items():
            place = path if path == STDOUT else os.path.realpath(path)
            if place in taken:
                raise click.UsageError(f"{taken[place]} and --{kind} cannot share {path}: name a file for each")
            taken[place] = f"--{kind}"

    def show(self, text: str) -> None:
        """Print what people read, with nothing in it that GitHub takes for a command."""
        if self.takes_text:
            emit(without_commands(text) if self.github else text)

    def write(self, account: Account) -> None:
        """Write all of them; annotations go to standard error where standard output is a document. Raises NotWritable."""
        account = _in_repository(account)
        for kind, path in self.files.items():
            write_to(path, _WRITERS[kind](account))
        if self.github:
            (emit if self.takes_text else standard.note)(github_annotations(account))
        if self._summary:
            _append(self._summary, github_summary(account))


def _in_repository(account: Account) -> Account:
    """Files as the repository calls them that GitHub or GitLab has checked out, wherever in it the command runs; below the folder elsewhere."""
    root, here = Path(os.environ.get(GITHUB) or os.environ.get(GITLAB) or ".").resolve(), Path.cwd()
    files = files_below(root)
    for line in (account.place, *(item.place for _, item in account.items)):
        if line is not None and (path := Path(line.file).absolute()).is_relative_to(root) and path.is_file():
            files.setdefault(line.file, path.relative_to(root).as_posix())
    folder = here.relative_to(root).as_posix() if here.is_relative_to(root) and here != root else ""
    return replace(account, files=files, folder=folder)


def _append(path: str, text: str) -> None:
    try:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise NotWritable(f"{path} ({SUMMARY}) cannot be written: {error.strerror}") from error

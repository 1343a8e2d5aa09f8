"""The files that a run leaves for others (`options.reports`): each made of one account, each written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final, Protocol, TypedDict, Unpack

import click
from msgspec import Struct
from msgspec.structs import replace

from check_invariants import github_log, standard
from check_invariants.exit import NotWritable
from check_invariants.files import apart, check_output, place_of, write_to
from check_invariants.options import STDOUT
from check_invariants.output import emit
from draincheck.elsewhere import loaded
from draincheck.location import files_below
from draincheck.report.account import Account
from draincheck.report.github import github_annotations, github_summary

__all__ = ["ReportOptions", "Reports"]

#: where GitHub wants the summary of a step
SUMMARY: Final = "GITHUB_STEP_SUMMARY"

#: the folder in which the one and the other have the repository
GITHUB, GITLAB = "GITHUB_WORKSPACE", "CI_PROJECT_DIR"

#: what somebody has written by hand, by its suffix
PRECIOUS: Final = {".py": "program", ".toml": "configuration"}


class ReportWriter(Protocol):
    """Makes the text of a report."""

    def __call__(self, account: Account, /) -> str: ...


#: by option where what makes the file lives
_WRITERS: Final = {
    "junit": "draincheck.report.junit:junit_xml",
    "sarif": "draincheck.report.sarif:sarif_log",
    "gitlab": "draincheck.report.gitlab:code_quality",
    "markdown": "draincheck.report.markdown:markdown_report",
    "html": "draincheck.explorer.accounts:account_page",
}


class ReportOptions(TypedDict):
    """The options, as click gives them."""

    junit: str | None
    sarif: str | None
    gitlab: str | None
    markdown: str | None
    html: str | None
    github: bool


class Reports(Struct, frozen=True):
    """What is wanted: files by their kind, a document on standard output, GitHub's commands."""

    files: Mapping[str, str]
    as_json: bool
    github: bool

    @classmethod
    def of(cls, as_json: bool, config: str | None, **options: Unpack[ReportOptions]) -> Reports:
        """What the options say. Raises UsageError for two that go to one place, and NotWritable for a place that takes no file.

        The configuration, if there is one, is no place for a report, and neither is any other file of its kind, or a program.
        """
        found = cls(_files(**options), as_json, options["github"])
        found._refuse_places(config)
        for path in found._outputs:
            check_output(path)
        return found

    @classmethod
    def wherever(cls, as_json: bool, config: str | None, **options: Unpack[ReportOptions]) -> Reports:
        """Of what the options say as much as `of` does not refuse, for who can only do what is possible."""
        found = cls({}, as_json, options["github"])
        for kind, path in _files(**options).items():
            more = replace(found, files={**found.files, kind: path})
            with suppress(click.UsageError):
                more._refuse_places(config)
                found = more
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

    def _refuse_places(self, config: str | None) -> None:
        for kind, path in self.files.items():
            suffix = Path(place_of(path)).suffix
            if suffix in PRECIOUS:
                raise click.UsageError(f"--{kind} {path}: a report replaces no {PRECIOUS[suffix]}: name another file")
        taken = {} if config is None else {place_of(config): "the configuration"}
        apart({f"--{kind}": path for kind, path in self.files.items()}, taken, self.as_json)

    def show(self, text: str) -> None:
        """Print what people read."""
        if self.takes_text:
            emit(text)

    def begin(self, account: Account) -> None:
        """Replace what an earlier run has written, before anything runs; what is no file, such as a pipe, has nothing of it. Raises NotWritable."""
        kept = {kind: path for kind, path in self.files.items() if path != STDOUT and _is_replaced(path)}
        for write in replace(self, files=kept)._writers(_in_repository(account)):
            write()

    def write(self, account: Account) -> None:
        """Write all of them. Raises NotWritable."""
        account = _in_repository(account)
        for write in (*self._writers(account), *self._for_github(account)):
            write()

    def write_what_can_be(self, account: Account) -> None:
        """Write all of them, but for those that cannot be written."""
        account = _in_repository(account)
        begun = STDOUT if standard.was_used() else ""
        for write in (*self._writers(account, begun), *self._for_github(account)):
            with suppress(NotWritable):
                write()

    def _writers(self, account: Account, without: str = "") -> Iterator[Callable[[], None]]:
        """What writes each file, but for one of this name."""
        for kind, path in self.files.items():
            if path != without:
                writer: ReportWriter = loaded(_WRITERS[kind])
                yield partial(write_to, path, writer(account))

    def _for_github(self, account: Account) -> Iterator[Callable[[], None]]:
        if self.github:
            yield partial(github_log.tell, github_annotations(account), self.takes_text)
        if self._summary:
            yield partial(_append, self._summary, github_summary(account))


def _is_replaced(path: str) -> bool:
    """Whether a report takes the place of a file, or of none."""
    return Path(path).is_file() or not Path(path).exists()


def _files(**options: Unpack[ReportOptions]) -> dict[str, str]:
    """The files that the options name, by their kind."""
    given = {kind: options[kind] for kind in ("junit", "sarif", "gitlab", "markdown", "html")}
    return {kind: path for kind, path in given.items() if path is not None}


def _in_repository(account: Account) -> Account:
    """Files as the repository calls them that GitHub or GitLab has checked out, wherever in it the command runs; below the folder elsewhere.

    As they are where the command runs nowhere, in a folder that is gone.
    """
    try:
        root, here = Path(os.environ.get(GITHUB) or os.environ.get(GITLAB) or ".").resolve(), Path.cwd()
    except FileNotFoundError:
        return account
    files = files_below(root)
    for line in (account.place, *(item.place for _, item in account.items)):
        if line is not None and (path := Path(line.file).absolute()).is_relative_to(root):
            files.setdefault(line.file, path.relative_to(root).as_posix())
    folder = here.relative_to(root).as_posix() if here.is_relative_to(root) and here != root else ""
    return replace(account, files=files, folder=folder)


def _append(path: str, text: str) -> None:
    try:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise NotWritable(f"{path} ({SUMMARY}) cannot be written: {error.strerror}") from error

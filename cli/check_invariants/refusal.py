"""Reports of a gate that was refused, or that failed: none that was asked for is left as an earlier run has written it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import click

from check_invariants import configuration
from check_invariants.commands.gate import command
from check_invariants.exit import ExitCode, Misconfigured
from check_invariants.inputs import is_file
from check_invariants.reports import ReportOptions, Reports
from draincheck import __version__
from draincheck.errors import SourceLine
from draincheck.report.account import Account, Item, Standing, Suite

__all__ = ["report_refusal", "unfinished"]

#: how an error is shown, and what it is about
_SHOWN: Final[Mapping[ExitCode, tuple[Standing, str]]] = {
    ExitCode.CONFIGURATION: (Standing.MISCONFIGURED, "configuration"),
    ExitCode.USAGE: (Standing.MISCONFIGURED, "command line"),
    ExitCode.MALFORMED: (Standing.FAULT, "model"),
    ExitCode.DIFFERENT: (Standing.WRONG, "selection"),
}


def report_refusal(error: click.ClickException, arguments: Sequence[str]) -> None:
    """Write every report that the arguments of `gate` ask for, red, with the error; one that cannot be written is left out."""
    options = _understood(arguments)
    config = _configuration(options["config"])
    reports = Reports.wherever(options["as_json"], config, **_report_options(options))
    if reports.wanted:
        reports.write_what_can_be(_account_of(error, config, arguments))


def unfinished(title: str, again: str, file: str) -> Account:
    """A run that has not come to its end: what its reports say if it never does."""
    why = "the run was ended from outside before it had come to its end (a time limit of the CI server, or too little memory)"
    item = Item(name="the run", kind="run", standing=Standing.UNDECIDED, why=why)
    return _nothing_but(item, ExitCode.INTERRUPTED, title, again, file=file)


def _understood(arguments: Sequence[str]) -> Mapping[str, Any]:
    """The options as far as they can be understood."""
    context = click.Context(command, resilient_parsing=True, ignore_unknown_options=True, allow_extra_args=True)
    command.parse_args(context, list(arguments))
    return context.params


def _report_options(options: Mapping[str, Any]) -> Any:
    return {name: options[name] for name in ReportOptions.__annotations__}


def _configuration(named: str | None) -> str:
    """The file that is meant: the one that is named, or else the first that is there; the usual one if none is."""
    if named is not None and not named.startswith("-"):
        return named
    return next(filter(is_file, (configuration.FILE, configuration.PROJECT)), configuration.FILE)


def _account_of(error: click.ClickException, file: str, arguments: Sequence[str]) -> Account:
    """The run, which is nothing but the error."""
    code, why = ExitCode.of(error), error.format_message()
    standing, what = _SHOWN.get(code, (Standing.UNDECIDED, "the run"))
    line = error.line if isinstance(error, Misconfigured) else None
    item = Item(name=what, kind=what, standing=standing, why=why, place=line)
    again = shlex.join(["check-invariants", "gate", *_without_reports(arguments)])
    return _nothing_but(item, code, f"gate {file}", again, file=file, why=why)


def _without_reports(arguments: Sequence[str]) -> Iterator[str]:
    """The arguments that say nothing of reports."""
    words = iter(arguments)
    for word in words:
        option, given, _ = word.removeprefix("--").partition("=")
        if not word.startswith("--") or option not in ReportOptions.__annotations__:
            yield word
        elif option != "github" and not given:
            next(words, None)


def _nothing_but(item: Item, code: ExitCode, title: str, again: str, *, file: str, why: str = "") -> Account:
    return Account(
        title=title,
        command=again,
        exit_code=int(code),
        seconds=0.0,
        suites=[Suite(title=file, items=[item])],
        version=__version__,
        place=SourceLine(file, 1),
        why=why,
    )

"""`check-invariants gate`: what it does and shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import Unpack

import click

import check_invariants
from check_invariants import configuration, github_log, standard
from check_invariants.again import command_again
from check_invariants.configuration import GateConfig
from check_invariants.documents import Document, emit_document, emit_json
from check_invariants.exit import EmptySelection, ExitCode, Misconfigured, ending
from check_invariants.options import STDOUT
from check_invariants.output import emit_stop, emit_table
from check_invariants.refusal import unfinished
from check_invariants.reports import ReportOptions, Reports
from check_invariants.table import Column, Table
from check_invariants.work import gate_built_in
from check_invariants.work.gate_plan import plan
from check_invariants.work.gate_project import run
from draincheck import __version__
from draincheck.errors import SourceLine
from draincheck.report.account import Account, Item, Suite
from draincheck.words import counted

_NOTHING = f"there is no {configuration.FILE} here, and no [tool.check-invariants] in a {configuration.PROJECT}"
_NOTHING_CONFIGURED = (
    f"{_NOTHING}: name the configuration that the report is to be about, or say --built-in for QEMU's story"
)


def command(
    *,
    config: str | None,
    as_list: bool,
    schema: bool,
    no_replay: bool,
    built_in: bool,
    quick: bool,
    pin: bool,
    processes: int | None,
    as_json: bool,
    **reports: Unpack[ReportOptions],
) -> ExitCode:
    """Decide what is configured, or the built-in story, and say what differs."""
    if reports["github"]:
        github_log.pause(on_stdout=not as_json and STDOUT not in reports.values())
    silent = [option for option, given in (("--schema", schema), ("--list", as_list), ("--pin", pin)) if given]
    if silent and any(reports.values()):
        raise click.UsageError(f"{silent[0]} makes no report: run the gate again without it")
    if schema:
        emit_document(_schema_text())
        return ExitCode.OK
    own = (("--quick", quick), ("--pin", pin), ("--processes", processes is not None))
    found = _found(config, built_in, [option for option, given in own if given])
    wanted = Reports.of(as_json, None if found is None else found.path, **reports)
    if found is None and not built_in and any(reports.values()):
        raise Misconfigured(_NOTHING_CONFIGURED)
    if found is None:
        if not (built_in or pin):
            standard.note(f"{_NOTHING}: what is checked is the built-in story, QEMU's; nothing of a project is\n")
        return gate_built_in.command(quick, pin, as_list, processes, wanted)
    return _list(found, as_json) if as_list else _gate(found, not no_replay, wanted)


def _found(named: str | None, built_in: bool, own: Sequence[str]) -> GateConfig | None:
    """The configuration that is asked about, None for the built-in story, which has options of its `own`.

    Raises UsageError for these where there is a configuration: the story instead of it would be a green that nobody asked for.
    """
    if built_in and named is not None:
        raise click.UsageError(f"--built-in is for the built-in story, and {named} is a project's configuration")
    found = None if built_in else configuration.configured(named)
    if found is not None and own:
        instead = f"{own[0]} --built-in" if named is None else f"--built-in instead of {named}"
        raise click.UsageError(
            f"{own[0]} is for the built-in story, and {found.path} is a project's configuration: "
            f"leave it out, or write {instead} for the story"
        )
    return found


def _schema_text() -> str:
    """The published schema of configurations."""
    file = Path(check_invariants.__file__).parent / "schemas" / "drain-gate.schema.json"
    return file.read_text(encoding="utf-8")


def _list(config: GateConfig, as_json: bool) -> ExitCode:
    """What would be checked, a line each."""
    planned = plan(config)
    if as_json:
        items: list[Document] = [
            {"line": item.line.line, "what": item.called, "properties": item.entry.asked, "expected": item.expected}
            for item in planned
        ]
        emit_json("gate-list", {"config": config.path, "items": items})
        return ExitCode.OK
    rows = [[str(item.line), item.called, ", ".join(item.entry.asked) or "all", item.expected] for item in planned]
    columns = [
        Column("where"),
        Column("what"),
        Column("properties", give_way=2),
        Column("expected", give_way=1, least=30),
    ]
    emit_table(Table(columns, rows))
    return ExitCode.OK


def _gate(config: GateConfig, replay: bool, reports: Reports) -> ExitCode:
    title, again = f"gate {config.path}", command_again("gate", config.path, *([] if replay else ["--no-replay"]))
    reports.begin(unfinished(title, again, config.path))
    start, planned = perf_counter(), plan(config)
    if not planned:
        raise EmptySelection(f"{config.path} names nothing to check: add a table [[model]] or [[code_base]]")
    ran, stop = run(planned, replay)
    suites = [item.suite for item in ran]
    code = ending((code for item in ran for code in item.codes), stop)
    account = Account(
        title=title,
        command=again,
        exit_code=int(code),
        why="" if stop is None else str(stop),
        seconds=perf_counter() - start,
        suites=suites,
        version=__version__,
        place=SourceLine(config.path, 1),
    )
    said = f"{config.path}: {_checked(account)}; {account.summary if account.bad else account.as_expected or 'all as expected'}"
    standard.note("".join(f"warning: {suite.title}: {warning}\n" for suite, warning in account.warnings))
    reports.show("".join([*_accepted(account), *_lines(account), f"{said}\n"]))
    if reports.as_json:
        emit_json("gate-project", _document(config, account, said), code)
    reports.write(account)
    emit_stop(stop, "what was not decided is unknown")
    return code


def _checked(account: Account) -> str:
    """What was looked at, in words."""
    items = [item for suite in account.suites for item in suite.items]
    numbers = Counter({"model": len(account.suites), **Counter(item.kind for item in items if item.kind != "model")})
    return ", ".join(counted(number, kind) for kind, number in numbers.items())


def _accepted(account: Account) -> Iterator[str]:
    """What is violated as expected, a line for each subject: that somebody knows of it makes no good news of it."""
    return (f"{suite.title}: {suite.accepted}\n" for suite in account.suites if suite.accepted)


def _lines(account: Account) -> Iterator[str]:
    """What is wrong, and below it what shows that."""
    for suite, item in account.bad:
        yield f"{suite.title}: {item.name}: {item.why}\n    {item.command or account.command}\n"


def _document(config: GateConfig, account: Account, said: str) -> Document:
    """The same as JSON values."""
    return {"config": config.path, "answer": said, "suites": [_suite_json(suite) for suite in account.suites]}


def _suite_json(suite: Suite) -> Document:
    counts = suite.counts
    numbers = (
        None if counts is None else {"states": counts.states, "transitions": counts.transitions, "depth": counts.depth}
    )
    return {
        "title": suite.title,
        "accepted": suite.accepted or None,
        "counts": numbers,
        "warnings": suite.warnings,
        "items": _items_json(suite.items),
    }


def _items_json(items: Sequence[Item]) -> list[Document]:
    return [
        {
            "name": item.name,
            "standing": item.standing.value,
            "found": item.found,
            "expected": item.wanted or None,
            "why": item.why,
            "place": None if item.place is None else {"file": item.place.file, "line": item.place.line},
            "command": item.command or None,
        }
        for item in items
    ]

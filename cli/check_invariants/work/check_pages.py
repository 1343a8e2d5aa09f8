"""`check` with the explorer: of one subject, of a code base in all scenarios, of several models of the user's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from check_invariants import standard
from check_invariants.exit import ExitCode
from check_invariants.explorer import page_of_one
from check_invariants.files import check_output, write_to
from check_invariants.judge import Asked
from check_invariants.options import STDOUT
from check_invariants.selection import DEFAULT_REVISION, select
from check_invariants.work import everywhere, models, report
from check_invariants.work.check_files import into_files
from check_invariants.work.findings import Wanted
from draincheck import Subject
from draincheck.knobs import Setting
from draincheck.revisions import find_revision

if TYPE_CHECKING:
    from check_invariants.selectors import Selectors

__all__ = ["check"]


def check(asked: Asked, wanted: Wanted, processes: int | None, named: Selectors) -> ExitCode:
    """Check what the options name, print what was found, and write the explorer."""
    path = _place(wanted.html)

    def one(subject: Subject, asked: Asked, wanted: Wanted) -> ExitCode:
        found, code = into_files(subject, asked, wanted)
        command = f"check-invariants report {subject.about.options} -o {quote(Path(path).name)}"
        write_to(path, page_of_one(found, command))
        return code

    def several(name: str, settings: Sequence[tuple[str, Setting]], code: ExitCode) -> None:
        if code is ExitCode.MALFORMED:
            standard.note(f"{path} is not written: not all of these models can be built\n")
        else:
            report.write(report.own(name, settings, asked.properties), asked, path)

    if named["model"] is not None:
        return models.check(asked, wanted, processes, named, one=one, several=several)
    if named.get("scenario") is not None:
        return one(select(asked.properties, **named), asked, wanted)
    code = everywhere.check(asked, wanted, processes, named)
    revisions = [named.get("revision") or find_revision(DEFAULT_REVISION)]
    selected = report.code_bases_in(revisions, (), named.get("order"), named.get("settings", ()), asked.properties)
    report.write(selected, asked.of_all_states, path)
    return code


def _place(path: str | None) -> str:
    """Where it goes. Raises UsageError for standard output, where the answer is, and NotWritable where none can be written."""
    assert path is not None
    if path == STDOUT:
        raise click.UsageError(
            "--html is for a file, since standard output has the answer; `report -o -` writes it there"
        )
    check_output(path)
    return path

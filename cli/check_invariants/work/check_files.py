"""`check` of one subject into files: its counterexamples, and the explorer."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

import click

from check_invariants.exit import ExitCode
from check_invariants.explorer import page_of_one
from check_invariants.files import check_output, write_to
from check_invariants.judge import Asked, checked
from check_invariants.options import STDOUT
from check_invariants.work.answered import answered
from check_invariants.work.findings import Checked, Wanted
from check_invariants.work.trace_files import TraceFiles
from draincheck import Subject

__all__ = ["refuse_place", "with_files"]


def with_files(subject: Subject, asked: Asked, wanted: Wanted) -> ExitCode:
    """Check it, write the files that are wanted, and print what was found."""
    files = None if wanted.trace_out is None else TraceFiles.at(wanted.trace_out)
    found = Checked(subject, checked(subject, asked), wanted.strict)
    if files is not None:
        files.write(found, asked.properties)
    code = answered(found, asked, wanted)
    if wanted.html is not None:
        command = f"check-invariants report {subject.about.options} -o {quote(Path(wanted.html).name)}"
        write_to(wanted.html, page_of_one(found, command))
    return code


def refuse_place(path: str) -> None:
    """Raise UsageError for an explorer on standard output, where the answer is, and NotWritable where none can be written."""
    if path == STDOUT:
        raise click.UsageError(
            "--html is for a file, since standard output has the answer; `report -o -` writes it there"
        )
    check_output(path)

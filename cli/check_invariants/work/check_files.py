"""`check` of one subject into files: its counterexamples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from check_invariants.exit import ExitCode
from check_invariants.judge import Asked, checked
from check_invariants.selection import select
from check_invariants.work import models
from check_invariants.work.answered import answered
from check_invariants.work.findings import Checked, Wanted
from check_invariants.work.trace_files import TraceFiles
from draincheck import Subject

if TYPE_CHECKING:
    from check_invariants.selectors import Selectors

__all__ = ["check", "into_files"]


def check(asked: Asked, wanted: Wanted, processes: int | None, named: Selectors) -> ExitCode:
    """Check the one subject that the options name, write its counterexamples, and print what was found."""
    if named["model"] is not None:
        return models.check(asked, wanted, processes, named, one=_answered)
    return _answered(select(asked.properties, **named), asked, wanted)


def _answered(subject: Subject, asked: Asked, wanted: Wanted) -> ExitCode:
    return into_files(subject, asked, wanted)[1]


def into_files(subject: Subject, asked: Asked, wanted: Wanted) -> tuple[Checked, ExitCode]:
    """What the check of a subject has found, and what that comes to; counterexamples are written, and everything is printed."""
    files = None if wanted.trace_out is None else TraceFiles.at(wanted.trace_out)
    found = Checked(subject, checked(subject, asked), wanted.strict)
    if files is not None:
        files.write(found, asked.properties)
    return found, answered(found, asked, wanted)

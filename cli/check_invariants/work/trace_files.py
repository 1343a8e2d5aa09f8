"""The counterexamples of a check as files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from msgspec import Struct

from check_invariants import standard
from check_invariants.filenames import file_names
from check_invariants.files import check_output, is_directory, make_directory, write_to
from check_invariants.trace_formats import TRACE_FORMATS, Exhibit, trace_format_of
from check_invariants.work.findings import Checked
from draincheck.properties import FAULTS
from draincheck.words import counted

__all__ = ["TraceFiles"]


class TraceFiles(Struct, frozen=True):
    """Where counterexamples go to: a file, or a directory."""

    path: str

    @classmethod
    def at(cls, path: str) -> TraceFiles:
        """The files there; a directory is made. Raises NotWritable for a place that takes none."""
        make_directory(path) if is_directory(path) else check_output(path)
        return cls(path)

    def write(self, found: Checked, named: Sequence[str]) -> None:
        """One counterexample to a file, or each to one in a directory. Raises UsageError for several to one file.

        An error of a run that nobody asked about goes to no file beside one of a property that somebody named.
        """
        path, directory = self.path, is_directory(self.path)
        asked = [] if directory else [each for each in found.violated if each[0].name in named]
        violated = asked or found.violated
        if len(violated) > 1 and not directory:
            names = ", ".join(item.name for item, _ in violated)
            raise click.UsageError(f"--trace-out {path}: there are {counted(len(violated), 'counterexample')} ({names}); choose one by --property, "
                                   f"or name a directory: --trace-out {path}/")  # fmt: skip
        files = file_names([item.name for item in (*found.result.system.properties, *FAULTS.values())])
        for item, run in violated:
            file = str(Path(path) / f"{files[item.name]}.json") if directory else path
            form = TRACE_FORMATS[trace_format_of(file)]
            write_to(file, form.render(Exhibit(run, found.subject, item.verdict.outcome)))
        written = (
            f"{counted(len(violated), 'counterexample')} written to {path}"
            if violated
            else "no counterexample to write"
        )
        others = [item.name for item, _ in found.violated if item.name not in {each.name for each, _ in violated}]
        rest = (
            f"; not asked for and left out: {', '.join(others)} (--trace-out DIRECTORY/ writes all)" if others else ""
        )
        standard.note(f"{written}{rest}\n")

"""`check-invariants check`: what it does."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import click
from msgspec import Struct

from check_invariants.output import counted, make_directory, write_to
from draincheck.checking import Finding, Result
from draincheck.report.jsontrace import write_trace
from draincheck.run import Run
from draincheck.subject import Subject

__all__ = ["CheckedSubject", "write_traces"]


class CheckedSubject(Struct, frozen=True, dict=True):
    """A subject, and what the check of it found."""

    subject: Subject
    result: Result

    @cached_property
    def runs(self) -> dict[str, Run]:
        """By property the traces, executed."""
        verdicts = self.result.verdicts.items()
        return {name: Run.of(self.result.system, v.trace) for name, v in verdicts if v.trace is not None}

    @property
    def violated(self) -> list[tuple[Finding, Run]]:
        """The properties that have a counterexample."""
        found = (item for item in self.result.findings if item.outcome.value == "violated")
        return [(item, self.runs[item.name]) for item in found if item.name in self.runs]

    @property
    def impact(self) -> tuple[str, ...]:
        """What comes of it for the owner of the data; only explicit search tells."""
        seen = self.result.exploration
        return () if seen is None else self.subject.impact(seen.verdicts)


def write_traces(found: CheckedSubject, path: str) -> None:
    """One counterexample to a file, or each to one in a directory. Raises UsageError for several to one file."""
    violated = found.violated
    directory = path.endswith(("/", "\\")) or Path(path).is_dir()
    if len(violated) > 1 and not directory:
        names = ", ".join(item.name for item, _ in violated)
        raise click.UsageError(f"--trace-out {path}: there are {len(violated)} counterexamples ({names}); choose one by --property, "
                               f"or name a directory: --trace-out {path}/")  # fmt: skip
    if directory:
        make_directory(path)
    for item, run in violated:
        text = write_trace(run, source=found.subject.source(), verdict=item.outcome)
        write_to(str(Path(path) / f"{_file_name(item.name)}.json") if directory else path, text)
    written = f"{counted(len(violated), 'counterexample')} written to {path}"
    click.echo(written if violated else "no counterexample to write", err=True)


def _file_name(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name)

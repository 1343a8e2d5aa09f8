"""`check-invariants check`: what it does and shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import click
from msgspec import Struct

from check_invariants.exit import ExitCode, of_finding
from check_invariants.limited import as_far_as_modelled
from check_invariants.output import (
    Column,
    Styled,
    Table,
    counted,
    emit,
    emit_table,
    emit_trace,
    make_directory,
    write_to,
)
from draincheck.checking import Finding, Result, StepOfModel
from draincheck.report.jsontrace import trace_to_json, write_trace
from draincheck.subject import Subject
from draincheck.trace import Run
from draincheck.verdict import Exploration

__all__ = ["CheckedSubject", "show", "to_json", "write_traces"]


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


# -- what it shows ---------------------------------------------------------------------------------


def show(found: CheckedSubject, traces: bool) -> None:
    """Print verdicts, numbers, what the model leaves out, and the counterexamples if they are wanted."""
    emit(f"{found.subject.heading}\n\n")
    emit_table(_table(found.result.findings))
    words = found.impact
    limits = as_far_as_modelled(found.subject, ((item.name, item.verdict.outcome) for item in found.result.findings))
    if found.result.exploration is not None:
        emit("\n" + _outcome_line(words, bool(limits)) + f"{_statistics(found.result.exploration)}\n")
        emit(_never_taken(found.result.never_taken))
    emit(limits)
    if traces:
        _print_traces(found)
    emit(f"\n{_conclusion(found.result.findings)}\n")


def _table(judged: Sequence[Finding]) -> Table:
    """A line a property; what is expected only where something is."""
    expected = [Column("expected")] if any(item.expectation for item in judged) else []
    columns = [
        Column("property"),
        Column("verdict"),
        *expected,
        Column("how", give_way=2),
        Column("meaning", give_way=1, least=30),
    ]
    return Table(columns, [_line(item, bool(expected)) for item in judged])


def _line(item: Finding, with_expected: bool) -> list[str | Styled]:
    style = {"holds": "green", "violated": "red", "unknown": "yellow"}[item.outcome.value]
    mark = "!" if item.expectation and of_finding(item) is not ExitCode.OK else ""
    expected = ["" if item.expectation is None else item.expectation.outcome.value] if with_expected else []
    verdict = Styled(item.outcome.value + mark, "bold yellow" if mark else style)
    return [item.name, verdict, *expected, str(item.verdict.reason), item.item.meaning]


def _outcome_line(words: Sequence[str], limited: bool) -> str:
    safe = ", as far as modelled" if limited and "safe" in words else ""
    return f"outcome: {', '.join(words)}{safe}\n" if words else ""


def _statistics(exploration: Exploration) -> str:
    s = exploration.statistics
    rest = f", {counted(s.queue, 'state')} not expanded" if s.queue else ""
    return f"{counted(s.states, 'state')}, {counted(s.transitions, 'transition')}, depth {s.depth}{rest}; {s.seconds:.2f} s"


def _never_taken(steps: Sequence[StepOfModel]) -> str:
    if not steps:
        return ""
    lines = [f"  {step.process}: {step.label} ({step.line})\n" for step in steps]
    return f"steps of the model that are never taken ({len(steps)}):\n" + "".join(lines)


def _print_traces(found: CheckedSubject) -> None:
    """Each counterexample once, whatever it is one of."""
    groups: dict[tuple[Any, ...], list[tuple[Finding, Run]]] = {}
    for item, run in found.violated:
        groups.setdefault((run.trace.initial, run.trace.actions, run.trace.loop), []).append((item, run))
    for (_, run), *others in groups.values():
        emit("\n")
        emit_trace(run)
        if others:
            names = ", ".join(item.name for item, _ in others)
            emit(f"\nthe same steps are a shortest counterexample of {names}, too\n")


def _conclusion(judged: Sequence[Finding]) -> str:
    """What the exit code says, in words."""
    unknown = [item for item in judged if of_finding(item) is ExitCode.INCONCLUSIVE]
    wrong = [item for item in judged if of_finding(item) not in (ExitCode.OK, ExitCode.INCONCLUSIVE)]
    lists = {
        "not as expected": [item for item in wrong if item.expectation],
        "violated": [item for item in wrong if not item.expectation],
        "unknown": unknown,
    }
    said = [f"{word}: {', '.join(item.name for item in items)}" for word, items in lists.items() if items]
    if said:
        return "; ".join(said)
    return "every verdict is as expected" if any(item.expectation for item in judged) else "everything holds"


def to_json(found: CheckedSubject, code: ExitCode, traces: bool) -> dict[str, Any]:
    """The same as JSON values."""
    return {
        "model": found.result.system.name,
        "digest": found.result.system.digest,
        "source": found.subject.source(),
        "outcome": list(found.impact),
        **_search_json(found.result),
        "properties": [_property_json(found, item, traces) for item in found.result.findings],
        "exit_code": int(code),
    }


def _search_json(result: Result) -> dict[str, Any]:
    """What explicit search did; null for the other engines."""
    if result.exploration is None:
        return {"statistics": None, "never_taken": None}
    s = result.exploration.statistics
    counts = {"states": s.states, "transitions": s.transitions, "depth": s.depth, "queue": s.queue, "widest": s.widest}
    return {
        "statistics": {**counts, "seconds": round(s.seconds, 4)},
        "never_taken": [
            {"process": step.process, "label": step.label, "file": step.line.file, "line": step.line.line}
            for step in result.never_taken
        ],
    }


def _property_json(found: CheckedSubject, item: Finding, traces: bool) -> dict[str, Any]:
    expectation, run, shown = item.expectation, found.runs.get(item.name), None
    if traces and run is not None:
        shown = trace_to_json(run, source=found.subject.source(), verdict=item.outcome)
    return {
        "name": item.name,
        "kind": type(item.item).__name__,
        "meaning": item.item.meaning,
        "source": item.item.source,
        "verdict": item.outcome.value,
        "how": str(item.verdict.reason),
        "expected": None if expectation is None else expectation.outcome.value,
        "argument": None if expectation is None else expectation.argument,
        "limits": list(found.subject.limits(item.name, item.verdict.outcome)),
        "trace": shown,
    }

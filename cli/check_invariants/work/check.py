"""`check-invariants check`: what it does and shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Unpack

import click
from msgspec import Struct
from msgspec.structs import replace

from check_invariants import standard
from check_invariants.exit import ExitCode, ending, of_answer
from check_invariants.filenames import file_names
from check_invariants.judge import checked
from check_invariants.output import (
    Document,
    check_output,
    emit,
    emit_json,
    emit_stop,
    emit_table,
    emit_trace,
    make_directory,
    write_to,
)
from check_invariants.selection import Models, Selectors, select_models
from check_invariants.table import Cell, Column, Table
from check_invariants.words import Listed, as_far_as_modelled, conclusion
from check_invariants.work import models
from draincheck import Run, Subject, Trace
from draincheck.checking import Finding, Result, StepOfModel
from draincheck.engines.registry import ENGINES, find_engine
from draincheck.properties import FAULTS
from draincheck.reason import NeverAsked, Unasked
from draincheck.report.jsontrace import trace_to_json, write_trace
from draincheck.report.waiting import waiting_of
from draincheck.verdict import Exploration, Limits
from draincheck.words import counted


def command(
    *,
    properties: Sequence[str],
    max_states: int | None,
    depth: int | None,
    engine: str,
    lemmas: Sequence[str],
    no_trace: bool,
    trace_out: str | None,
    strict: bool,
    as_json: bool,
    **selectors: Unpack[Selectors],
) -> ExitCode:
    """Check what the options name, and write its counterexamples where they are wanted."""
    if lemmas and engine != "induction":
        raise click.UsageError("--lemma is for --engine induction")
    _refuse_limits(engine, max_states, depth)
    asked = models.Asked(properties, Limits(max_states, depth=depth), engine, lemmas)
    subject = select_models(properties, **selectors)
    if not isinstance(subject, Models):
        return of_subject(subject, asked, traces=not no_trace, trace_out=trace_out, strict=strict, as_json=as_json)
    if trace_out is not None:
        raise click.UsageError(
            f"--trace-out is for one model, and {subject.called} is {len(subject.all)} here: name one"
        )
    return models.command(subject, asked, as_json)


def of_subject(
    subject: Subject, asked: models.Asked, *, traces: bool, trace_out: str | None, strict: bool, as_json: bool
) -> ExitCode:
    """Decide what is asked of one subject; show it, with its counterexamples, and write them where they are wanted."""
    if trace_out is not None:
        _check_place(trace_out)
    found = _Checked(subject, checked(subject, *asked), strict or bool(asked.properties))
    if trace_out is not None:
        _write_traces(found, trace_out)
    stop = found.result.stopped
    code = ending(found.codes, stop)
    if as_json:
        emit_json("check", _json(found, traces), code)
    else:
        _show(found, traces)
    emit_stop(stop, "what was not decided is unknown")
    return code


def _refuse_limits(engine: str, max_states: int | None, depth: int | None) -> None:
    """Raise UsageError for a limit that the engine does not know."""
    for option, field, value in (("--max-states", "states", max_states), ("--depth", "depth", depth)):
        if value is not None and field not in find_engine(engine).limits:
            known = ", ".join(other.name for other in ENGINES if field in other.limits)
            raise click.UsageError(f"{option} is no limit that --engine {engine} knows; these do: {known}")


class _Checked(Struct, frozen=True, dict=True):
    """A subject, and what the check of it found; `strict`: whatever is violated matters."""

    subject: Subject
    result: Result
    strict: bool

    @cached_property
    def listed(self) -> list[Listed]:
        """The verdicts beside what was expected."""
        matters = self.subject.matters
        return [
            Listed(item.name, item.verdict, item.expectation, self.strict or matters(item.name))
            for item in self.result.findings
        ]

    @property
    def codes(self) -> Iterator[ExitCode]:
        """The exit codes that the verdicts make."""
        for item, listed in zip(self.result.findings, self.listed, strict=True):
            yield of_answer(item.outcome, item.item.breach, listed.matters, item.expectation)

    @cached_property
    def runs(self) -> dict[str, Run]:
        """By property the traces, executed."""
        verdicts = self.result.verdicts.items()
        return {name: Run.of(self.result.system, v.trace) for name, v in verdicts if v.trace is not None}

    @property
    def violated(self) -> list[tuple[Listed, Run]]:
        """The properties that have a counterexample."""
        return [
            (item, self.runs[item.name]) for item in self.listed if item.word == "violated" and item.name in self.runs
        ]

    @property
    def impact(self) -> tuple[str, ...]:
        """What comes of it for the owner of the data; only explicit search tells."""
        seen = self.result.exploration
        return () if seen is None else self.subject.impact(seen.verdicts)


def _is_directory(path: str) -> bool:
    if path.endswith(("/", "\\")):
        return True
    try:
        return Path(path).is_dir()
    except OSError:  # a longer name than there may be
        return False


def _check_place(path: str) -> None:
    """Raise NotWritable for a place that takes no counterexample; make the directory that it names."""
    make_directory(path) if _is_directory(path) else check_output(path)


def _write_traces(found: _Checked, path: str) -> None:
    """One counterexample to a file, or each to one in a directory. Raises UsageError for several to one file."""
    violated = found.violated
    directory = _is_directory(path)
    if len(violated) > 1 and not directory:
        names = ", ".join(item.name for item, _ in violated)
        raise click.UsageError(f"--trace-out {path}: there are {len(violated)} counterexamples ({names}); choose one by --property, "
                               f"or name a directory: --trace-out {path}/")  # fmt: skip
    files = file_names([item.name for item in (*found.result.system.properties, *FAULTS.values())])
    for item, run in violated:
        text = write_trace(run, source=found.subject.source(), verdict=item.verdict.outcome)
        write_to(str(Path(path) / f"{files[item.name]}.json") if directory else path, text)
    written = f"{counted(len(violated), 'counterexample')} written to {path}"
    standard.note(f"{written if violated else 'no counterexample to write'}\n")


def _show(found: _Checked, traces: bool) -> None:
    """Print verdicts, numbers, what the model leaves out, and the counterexamples if they are wanted."""
    result = found.result
    emit(f"{found.subject.heading}\n\n")
    emit_table(_table(found))
    limits = as_far_as_modelled(found.subject, ((item.name, item.verdict.outcome) for item in found.listed))
    if result.exploration is not None:
        emit("\n" + _outcome_line(found.impact, bool(limits)) + f"{_statistics(result.exploration)}\n")
        emit(_never_taken(result.never_taken))
    emit(limits)
    emit("".join(f"warning: {warning}\n" for warning in result.warnings))
    if traces:
        _print_traces(found)
    emit(f"\n{conclusion(found.listed, 'everything holds')}{_still(found)}\n")


def _still(found: _Checked) -> str:
    """That nothing moves in the model, "" if something does."""
    reasons = (item.verdict.reason for item in found.listed)
    still = any(isinstance(reason, NeverAsked) and reason.why is Unasked.NO_STEP for reason in reasons)
    return "; nothing ever moves in this model" if still else ""


def _table(found: _Checked) -> Table:
    """A line a property; what is expected only where something is."""
    meanings = {item.name: item.item.meaning for item in found.result.findings}
    columns: dict[Column, Callable[[Listed], Cell]] = {
        Column("property"): lambda item: item.name,
        Column("verdict"): lambda item: item.cell,
        Column("expected"): lambda item: item.expected,
        Column("how", give_way=2): lambda item: str(item.verdict.reason),
        Column("meaning", give_way=1, least=30): lambda item: meanings[item.name],
    }
    return Table.of(found.listed, columns).without_empty("expected")


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


def _print_traces(found: _Checked) -> None:
    """Each counterexample once, whatever it is one of."""
    groups: dict[Trace, list[tuple[Listed, Run]]] = {}
    for item, run in found.violated:
        groups.setdefault(replace(run.trace, property=""), []).append((item, run))
    for (_, run), *others in groups.values():
        emit("\n")
        emit_trace(run)
        if others:
            names = ", ".join(item.name for item, _ in others)
            emit(f"\nthe same steps are a shortest counterexample of {names}, too\n")


def _json(found: _Checked, traces: bool) -> Document:
    """The same as JSON values."""
    return {
        "model": found.result.system.name,
        "digest": found.result.system.digest,
        "source": found.subject.source(),
        "outcome": found.impact,
        "warnings": found.result.warnings,
        **_search_json(found.result),
        "properties": [_property_json(found, item, traces) for item in found.result.findings],
    }


def _search_json(result: Result) -> Document:
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


def _property_json(found: _Checked, item: Finding, traces: bool) -> Document:
    run, shown = found.runs.get(item.name), None
    if traces and run is not None:
        shown = trace_to_json(run, source=found.subject.source(), verdict=item.outcome)
    return {
        "name": item.name,
        "kind": type(item.item).__name__,
        "meaning": item.item.meaning,
        "source": item.item.source,
        **Listed(item.name, item.verdict, item.expectation).to_json(),
        "limits": found.subject.limits(item.name, item.outcome),
        "trace": shown,
        "waiting": None if run is None else waiting_of(run),
    }

"""`check-invariants check`: what it does and shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Unpack

import click

from check_invariants.exit import ExitCode, ending
from check_invariants.files import check_output, write_to
from check_invariants.judge import Asked, checked, instead, warn
from check_invariants.options import STDOUT, refuse_short
from check_invariants.output import emit, emit_json, emit_stop, emit_table, emit_trace
from check_invariants.selection import DEFAULT_REVISION, own_settings, select
from check_invariants.table import Cell, Column, Table
from check_invariants.words import Listed, as_far_as_modelled
from check_invariants.work.findings import Checked, Counterexample, Wanted
from draincheck import Subject
from draincheck.checking import StepOfModel
from draincheck.engines.registry import ENGINES, find_engine
from draincheck.reductions.wanted import Reductions
from draincheck.revisions import find_revision
from draincheck.verdict import Exploration, Limits
from draincheck.words import counted

if TYPE_CHECKING:
    from check_invariants.selectors import Selectors
    from check_invariants.work.trace_files import TraceFiles

#: states from which on it matters what each takes
MANY = 40_000


def command(
    *,
    properties: Sequence[str],
    max_states: int | None,
    depth: int | None,
    engine: str,
    reductions: str,
    lemmas: Sequence[str],
    short: bool,
    no_trace: bool,
    traces: bool,
    trace_out: str | None,
    html: str | None,
    strict: bool,
    as_json: bool,
    processes: int | None,
    **selectors: Unpack[Selectors],
) -> ExitCode:
    """Check what the options name, and write its counterexamples where they are wanted."""
    _refuse_together(lemmas, engine, no_trace, traces)
    refuse_short(short, as_json, no_trace)
    _refuse_limits(engine, max_states, depth)
    chosen = _reductions(engine, Reductions(reductions))
    asked = Asked(properties, Limits(max_states, depth=depth), engine, lemmas, chosen)
    wanted = Wanted(
        0 if no_trace else None if traces else 1, short, trace_out, html, as_json, strict or bool(properties)
    )
    _refuse_place(wanted)
    if selectors["model"] is not None:
        return _of_model(selectors["model"], asked, wanted, selectors)
    if selectors.get("scenario") is None:
        return _of_scenarios(_in_a_table(asked), wanted, processes, selectors)
    return of_subject(select(properties, **selectors), asked, wanted)


def _of_scenarios(asked: Asked, wanted: Wanted, processes: int | None, named: Selectors) -> ExitCode:
    """Check a code base in every scenario."""
    from check_invariants.work import everywhere

    revision, order, settings = named.get("revision"), named.get("order"), named.get("settings", ())
    code = everywhere.check(asked, wanted, processes, revision=revision, order=order, settings=settings)
    if wanted.html is not None:
        from check_invariants.work import report

        revisions = [revision or find_revision(DEFAULT_REVISION)]
        report.write(report.code_bases_in(revisions, (), order, settings, asked.properties), asked, wanted.html)
    return code


def _of_model(name: str, asked: Asked, wanted: Wanted, named: Selectors) -> ExitCode:
    """Check a model of the user's, or several."""
    from check_invariants.own_models import Models, load_models
    from check_invariants.work import models

    subject = load_models(name, own_settings(named))
    if not isinstance(subject, Models):
        return of_subject(subject, asked, wanted)
    given_for_one = (
        ("--trace-out", wanted.trace_out is not None),
        ("--traces", wanted.traces is None),
        ("--short", wanted.short),
    )
    for option, given in given_for_one:
        if given:
            raise click.UsageError(
                f"{option} is for one model, and {subject.called} is {len(subject.all)} here: name one"
            )
    code = models.command(subject, _in_a_table(asked), wanted.as_json)
    if wanted.html is not None:
        from check_invariants.work import report

        report.write(report.own(name, own_settings(named)), asked, wanted.html)
    return code


def _in_a_table(asked: Asked) -> Asked:
    """The same of several, where numbers of states stand in a column: of all states, unless something else is wanted."""
    return asked._replace(reductions=Reductions.NONE) if asked.reductions is Reductions.AUTO else asked


def of_subject(subject: Subject, asked: Asked, wanted: Wanted) -> ExitCode:
    """Check one subject."""
    files = None if wanted.trace_out is None else _files_at(wanted.trace_out)
    found = Checked(subject, checked(subject, asked), wanted.strict)
    if files is not None:
        files.write(found, asked.properties)
    stop = found.result.stopped
    code = ending(found.codes, stop)
    if wanted.as_json:
        from check_invariants.work.document import document

        warn(found.result)
        emit_json("check", document(found, traces=wanted.traces != 0), code)
    else:
        _show(found, wanted)
    if wanted.html is not None:
        _write_explorer(found, wanted.html)
    emit_stop(stop, "what was not decided is unknown", instead(asked, stop))
    return code


def _write_explorer(found: Checked, path: str) -> None:
    from check_invariants.explorer import page_of_one

    write_to(
        path, page_of_one(found, f"check-invariants report {found.subject.about.options} -o {quote(Path(path).name)}")
    )


def _refuse_place(wanted: Wanted) -> None:
    """Raise UsageError for an explorer on standard output, where the answer is, and NotWritable where none can be written."""
    if wanted.html == STDOUT:
        raise click.UsageError(
            "--html is for a file, since standard output has the answer; `report -o -` writes it there"
        )
    if wanted.html is not None:
        check_output(wanted.html)


def _files_at(path: str) -> TraceFiles:
    from check_invariants.work.trace_files import TraceFiles

    return TraceFiles.at(path)


def _refuse_together(lemmas: Sequence[str], engine: str, no_trace: bool, traces: bool) -> None:
    """Raise UsageError for options that exclude each other."""
    if lemmas and engine != "induction":
        raise click.UsageError("--lemma is for --engine induction")
    if no_trace and traces:
        raise click.UsageError("--no-trace and --traces exclude each other")


def _refuse_limits(engine: str, max_states: int | None, depth: int | None) -> None:
    """Raise UsageError for a limit that the engine does not know."""
    for option, field, value in (("--max-states", "states", max_states), ("--depth", "depth", depth)):
        if value is not None and field not in find_engine(engine).limits:
            known = ", ".join(other.name for other in ENGINES if field in other.limits)
            raise click.UsageError(f"{option} is no limit that --engine {engine} knows; these do: {known}")


def _reductions(engine: str, wanted: Reductions) -> Reductions:
    """Which reductions an engine may use. Raises UsageError for one that knows none."""
    if find_engine(engine).reduces:
        return wanted
    if wanted not in (Reductions.AUTO, Reductions.NONE):
        known = ", ".join(other.name for other in ENGINES if other.reduces)
        raise click.UsageError(f"--reductions {wanted.value} is for explicit search (--engine {known})")
    return Reductions.NONE


def _show(found: Checked, wanted: Wanted) -> None:
    """Print the answer, verdicts, numbers, what the model leaves out, as many counterexamples as are wanted, and the answer again."""
    result = found.result
    emit(f"{found.answer}\n\n{found.subject.heading}\n\n")
    emit_table(_table(found))
    limits = as_far_as_modelled(found.subject, ((item.name, item.verdict.outcome) for item in found.listed))
    if result.exploration is not None:
        emit(f"\n{_statistics(result.exploration)}\n")
        emit(_never_taken(result.never_taken))
    emit(limits)
    emit("".join(f"warning: {warning}\n" for warning in result.warnings))
    show_traces(found.subject, found.counterexamples, wanted)
    emit(f"\n{found.answer}\n")


def _table(found: Checked) -> Table:
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


def _statistics(exploration: Exploration) -> str:
    s = exploration.statistics
    rest = f", {counted(s.queue, 'state')} not expanded" if s.queue else ""
    memory = f", {counted(round(s.bytes / s.states), 'byte')} a state" if s.states >= MANY else ""
    counts = f"{counted(s.states, 'state')}, {counted(s.transitions, 'transition')}, depth {s.depth}{rest}; {s.seconds:.2f} s{memory}"
    if not exploration.reduction:
        return counts
    return f"{counts}\nreduced: {exploration.reduction} (--reductions none counts all states)"


def _never_taken(steps: Sequence[StepOfModel]) -> str:
    if not steps:
        return ""
    lines = [f"  {step.process}: {step.label} ({step.line})\n" for step in steps]
    return f"steps of the model that are never taken ({len(steps)}):\n" + "".join(lines)


def show_traces(subject: Subject, counterexamples: Sequence[Counterexample], wanted: Wanted) -> None:
    """Print so many counterexamples, and how the others can be seen."""
    for item in counterexamples[: wanted.traces]:
        emit("\n")
        emit_trace(item.run, short=wanted.short)
        if len(item.items) > 1:
            emit(
                f"\nthe same steps are a shortest counterexample of {', '.join(i.name for i in item.items[1:])}, too\n"
            )
    others: Sequence[Counterexample] = counterexamples[wanted.traces :] if wanted.traces else ()
    if others:
        emit("\nother counterexamples:\n" + "".join(map(partial(_to_see, subject), others)))


def _to_see(subject: Subject, item: Counterexample) -> str:
    """The command that shows a counterexample."""
    name = quote(item.items[0].name)
    steps = counted(len(item.run.steps), "step")
    return f"  {item.names}, {steps}: check-invariants check {subject.about.options} --property {name}\n"

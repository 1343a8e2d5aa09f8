"""`check-invariants trace`: what it does and shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from shlex import quote
from typing import TYPE_CHECKING, NamedTuple, TypeVar, Unpack

import click

from check_invariants.documents import emit_document
from check_invariants.exit import Diverged, EmptySelection, ExitCode, LimitReached, MalformedInput
from check_invariants.files import check_output, say_written, write_to
from check_invariants.inputs import read_bytes
from check_invariants.judge import Asked, checked, compiled, warn
from check_invariants.options import STDOUT
from check_invariants.output import Counter, emit, emit_trace
from check_invariants.own_models import built_otherwise, select_from_source
from check_invariants.renderers import about
from check_invariants.selection import select
from check_invariants.trace_formats import TRACE_FORMATS, Exhibit, trace_format_of
from draincheck import ModelFile, Outcome, Run, Subject, Trace, TraceError, TransitionSystem, Verdict
from draincheck.analysis.confirmed import confirmed
from draincheck.report.jsontrace import TraceFile, read_trace
from draincheck.report.text import render_outline
from draincheck.semantics.violation import outcome_if_shown
from draincheck.words import counted, listed

if TYPE_CHECKING:
    from check_invariants.selectors import OwnModel, Selectors


T = TypeVar("T")


class Followed(NamedTuple):
    """A trace file, what it is about, the trace executed, and the verdict that it shows, whatever the file says; None if it shows none."""

    read: TraceFile
    subject: Subject
    run: Run
    outcome: Outcome | None

    @classmethod
    def of(cls, file: str, **own: Unpack[OwnModel]) -> Followed:
        """The file of this name, or standard input for `-`, followed on the model of the user's that is named, if one is.

        Raises BadParameter, NeedsModel, MalformedInput, Diverged as `_followed` does, and LimitReached as `_outcome`.
        """
        _, read = read_as(read_trace, file)
        subject = select_from_source(read.source, **own)
        run = _followed(compiled(subject), read.trace, file, built_otherwise(read.source, subject))
        return cls(read, subject, run, _outcome(run, file))


def read_as(reader: Callable[[bytes], T], file: str) -> tuple[bytes, T]:
    """The bytes of a trace file, and what a reader makes of them. Raises BadParameter and MalformedInput."""
    try:
        data = read_bytes(file)
    except OSError as error:
        raise click.BadParameter(f"{file!r} cannot be read: {error.strerror}", param_hint="'FILE'") from error
    try:
        return data, reader(data)
    except TraceError as error:
        raise MalformedInput(f"{_named(file)}: {_is_model(file) or error}") from error


def _is_model(file: str) -> str:
    """That a program was named where its trace is wanted, and how to get one; "" for any other file."""
    name, suffix, _ = file.partition(".py")
    if not suffix:
        return ""
    return (
        "this is a Python file, and wanted is a trace of a model: "
        f"check-invariants trace export {quote(f'{name}.py:FUNCTION')} -o trace.json writes one"
    )


def _named(file: str) -> str:
    return "standard input" if file == STDOUT else file


def _followed(system: TransitionSystem, trace: Trace, file: str, otherwise: str) -> Run:
    """The trace, executed. Raises Diverged unless the model is the one that it names and follows it to the end.

    `otherwise` says that the model is built with other parameters than the file names, if it is.
    """
    if trace.digest != system.digest:
        raise Diverged(
            f"{_named(file)}: {'this is another model' if otherwise else 'the model has changed'}: the trace belongs to {trace.system} "
            f"with digest {trace.digest[:16]}, and {system.name} is now {system.digest[:16]}; {otherwise or 'export the trace again'}"
        )
    try:
        run = Run.of(system, trace)
    except TraceError as error:
        raise Diverged(f"{_named(file)}: {error}") from error
    if trace.property and trace.property not in {item.name for item in (*system.properties, *system.implicit)}:
        raise MalformedInput(
            f"{_named(file)}: {system.name} has no property {trace.property!r}; export the trace again"
        )
    return run


def _outcome(run: Run, file: str) -> Outcome | None:
    """The verdict that a trace shows, None if it shows none. Raises LimitReached if that is not seen: what can come after it is searched."""
    if not run.trace.property:
        return None
    item = run.system.property_named(run.trace.property)
    with Counter("state", phase="what can come after the trace"):
        shown = confirmed(run, item)
    if shown is None:
        raise LimitReached(
            f"{_named(file)}: whether the trace shows {item.name!r} is unknown: what can come after it was not searched to its end"
        )
    return outcome_if_shown(item) if shown else None


def show(
    file: str, *, outline: bool, short: bool, form: str | None, as_json: bool, **own: Unpack[OwnModel]
) -> ExitCode:
    """Show the trace in a file."""
    _check_one_form(outline, short, form, as_json)
    _, subject, run, outcome = Followed.of(file, **own)
    shown = Exhibit(run, subject, outcome, short)
    if as_json or form not in (None, "text"):
        emit_document(TRACE_FORMATS[form or "json"].render(shown))
    elif outline:
        emit(render_outline(run))
    else:
        emit(with_parameters(subject))
        emit_trace(run, about(shown), short)
    return ExitCode.OK


def _check_one_form(outline: bool, short: bool, form: str | None, as_json: bool) -> None:
    """Raise UsageError for options that show the trace in several ways: steps can be left out of some formats, and nothing else goes together."""
    options = {"--outline": outline, "--short": short, f"--format {form}": form is not None, "--json": as_json}
    given = [option for option, is_given in options.items() if is_given]
    if len(given) > 1 and given != ["--short", f"--format {form}"]:
        raise click.UsageError(f"{listed(given)} exclude each other")
    _check_short(short, form or "text")


def _check_short(short: bool, form: str) -> None:
    """Raise UsageError where steps are to be left out and a format has all."""
    if short and not TRACE_FORMATS[form].shortens:
        able = listed([name for name, item in TRACE_FORMATS.items() if item.shortens], "or")
        raise click.UsageError(f"--short is for --format {able}: {form} has every step")


def with_parameters(subject: Subject) -> str:
    """The line that says what a model of the user's was built with; "" where there is nothing to say."""
    return f"{subject.heading}\n\n" if isinstance(subject, ModelFile) and subject.parameters else ""


def export(
    properties: Sequence[str],
    case: str | None,
    output: str,
    *,
    form: str | None,
    expect: str | None,
    short: bool,
    as_json: bool,
    **selectors: Unpack[Selectors],
) -> ExitCode:
    """Write the trace of one property."""
    names = [*properties, *([case] if case else [])]
    if len(names) != 1:
        raise click.UsageError("name one property: --property P or --case 'case 1'")
    if as_json and form not in (None, "json"):
        raise click.UsageError(f"--json and --format {form} exclude each other")
    form = "json" if as_json else form or trace_format_of(output)
    _check_short(short, form)
    if expect and form != "pytest":
        raise click.UsageError(f"--expect is for --format pytest: {form} expects nothing")
    subject = select(names, **selectors)
    check_output(output)
    result = checked(subject, Asked(names))
    warn(result)
    verdict = result[names[0]].verdict
    if verdict.trace is None:
        raise _no_trace(result.system.name, verdict)
    run = Run.of(result.system, verdict.trace)
    shown = Exhibit(run, subject, verdict.outcome, short, path=output, fixed=expect == "fixed")
    if form == "text" and output == STDOUT:
        emit_trace(run, about(shown), short)
    else:
        write_to(output, TRACE_FORMATS[form].render(shown))
        say_written(f"{run.system.name}: {names[0]}: {counted(len(run.steps), 'step')}", output)
    return ExitCode.OK


def _no_trace(model: str, verdict: Verdict) -> click.ClickException:
    word = verdict.outcome.value
    if word == "unknown":
        return LimitReached(f"{model}: {verdict.property} is unknown ({verdict.reason}): there is no trace")
    found = "holds" if word == "holds" else "is violated"
    return EmptySelection(f"{model}: {verdict.property} {found} ({verdict.reason}): there is no trace of that")

"""`check-invariants check`: what it does and shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Unpack

import click

from check_invariants.exit import ExitCode
from check_invariants.judge import Asked, checked
from check_invariants.options import refuse_short
from check_invariants.selection import DEFAULT_REVISION, own_settings, select
from check_invariants.work.answered import answered
from check_invariants.work.findings import Checked, Wanted
from draincheck import Subject
from draincheck.engines.registry import ENGINES, find_engine
from draincheck.reductions.wanted import Reductions
from draincheck.revisions import find_revision
from draincheck.verdict import Limits

if TYPE_CHECKING:
    from check_invariants.selectors import Selectors


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
    if wanted.html is not None:
        from check_invariants.work.check_files import refuse_place

        refuse_place(wanted.html)
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
    if wanted.trace_out is not None or wanted.html is not None:
        from check_invariants.work.check_files import with_files

        return with_files(subject, asked, wanted)
    return answered(Checked(subject, checked(subject, asked), wanted.strict), asked, wanted)


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

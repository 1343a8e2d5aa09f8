"""`check-invariants check`: what it does and shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Protocol, Unpack

import click

from check_invariants.exit import ExitCode
from check_invariants.files import apart
from check_invariants.judge import Asked
from check_invariants.options import refuse_short
from check_invariants.selection import select
from check_invariants.work.answered import check_one
from check_invariants.work.findings import Wanted
from draincheck.elsewhere import loaded
from draincheck.engines.registry import ENGINES, find_engine
from draincheck.reductions.wanted import Reductions
from draincheck.verdict import Limits

if TYPE_CHECKING:
    from check_invariants.selectors import Selectors


class _Way(Protocol):
    """Checks what the options name, and shows what was found."""

    def __call__(self, asked: Asked, wanted: Wanted, processes: int | None, named: Selectors, /) -> ExitCode: ...


#: ways to check that need more than the check of a code base in a scenario, and where each lives
_WAYS: Final = {
    "page": "check_invariants.work.check_pages:check",
    "files": "check_invariants.work.check_files:check",
    "own": "check_invariants.work.models:check",
    "scenarios": "check_invariants.work.everywhere:check",
}


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
    _refuse_processes(processes, selectors)
    apart({"--trace-out": trace_out, "--html": html}, as_json=as_json)
    kind = _kind(wanted, selectors)
    if kind is None:
        return check_one(select(properties, **selectors), asked, wanted)
    way: _Way = loaded(_WAYS[kind])
    return way(asked, wanted, processes, selectors)


def _kind(wanted: Wanted, named: Selectors) -> str | None:
    """The way that what is wanted of what is named takes; None if it takes none of those that need more."""
    own = named["model"] is not None
    single = own or named.get("scenario") is not None
    if wanted.html is not None:
        return "page"
    if wanted.trace_out is not None and single:
        return "files"
    if own:
        return "own"
    return None if single else "scenarios"


def _refuse_together(lemmas: Sequence[str], engine: str, no_trace: bool, traces: bool) -> None:
    """Raise UsageError for options that exclude each other."""
    if lemmas and engine != "induction":
        raise click.UsageError("--lemma is for --engine induction")
    if no_trace and traces:
        raise click.UsageError("--no-trace and --traces exclude each other")


def _refuse_processes(processes: int | None, named: Selectors) -> None:
    """Raise UsageError for several processes where one searches."""
    if processes is not None and (named["model"] is not None or named.get("scenario") is not None):
        what = "models of your own are" if named["model"] is not None else "one scenario is"
        raise click.UsageError(f"--processes is for a code base in several scenarios: {what} searched by one process")


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

"""`check-invariants check`: one code base in one scenario, or a model of the user's, with counterexamples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from check_invariants.exit import ExitCode, worst
from check_invariants.options import json_option, lemma_option, property_option, selectors
from check_invariants.output import (
    Column,
    Styled,
    Table,
    counted,
    emit,
    emit_json,
    emit_table,
    emit_trace,
    make_directory,
    write_to,
)

if TYPE_CHECKING:
    from check_invariants.judge import Judged
    from draincheck.subject import Subject
    from draincheck.system import TransitionSystem
    from draincheck.trace import Trace
    from draincheck.verdict import Exploration, Limits

__all__ = ["command"]


@click.command("check")
@selectors
@property_option(of_matrix=False)
@click.option("--max-states", type=click.IntRange(min=1), help="Stop after so many distinct states.")
@click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="Stop after so much time."
)
@click.option(
    "--depth", type=click.IntRange(min=1), help="Look no further than so many steps (bmc, induction, auto, simulation)."
)
@click.option(
    "--engine",
    type=click.Choice(["explicit", "bmc", "induction", "auto", "simulation"]),
    default="explicit",
    show_default=True,
    help="explicit: every reachable state. bmc: z3, up to a depth. induction: z3, a proof by k-induction. "
    "auto: explicit search and bmc, whoever is first. simulation: random walks, only a search.",
)
@lemma_option
@click.option("--no-trace", is_flag=True, help="Leave out the counterexamples.")
@click.option(
    "--trace-out",
    metavar="PATH",
    help="Write the counterexamples as JSON: the only one to a file, or each to a file of its own in a directory.",
)
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    properties: Sequence[str],
    max_states: int | None,
    timeout: float | None,
    depth: int | None,
    engine: str,
    lemmas: Sequence[str],
    no_trace: bool,
    trace_out: str | None,
    as_json: bool,
    **selectors: Any,
) -> None:
    """Check one code base in one scenario, or a model of your own.

    The verdict on each property, what the search did, the steps of the model it never took, and a shortest counterexample
    for what is violated. MODEL.py:FUNCTION is a Python file and a function in it that returns a draincheck.lang.Model or a
    TransitionSystem. The commit message's bug cases can be asked about as --property 'case 1' and 'case 2', one that it does
    not know as 'case 3', and what must happen in the end as --property L1 to L7s.

    \b
    Exit codes. For a code base of the table without --set the verdicts are compared with the expected ones:
    0 all as expected; 10 one is not. Otherwise, and for what has no expectation, the verdicts themselves:
    0 everything holds; 12 safety violated; 13 liveness violated; 11 deadlock, or a goal out of reach;
    10 nothing good is reachable. Always: 30 unknown; 150 the model is malformed; 2 wrong arguments;
    130 interrupted.

    \b
    Example: check-invariants check --revision ab27c3b5e7 --set drain=nested --property S1
    """
    from check_invariants.selection import select
    from draincheck.verdict import Limits

    if lemmas and engine != "induction":
        raise click.UsageError("--lemma is for --engine induction")
    selected = select(properties=properties, **selectors)
    result = _result(selected, properties, Limits(max_states, timeout, depth), engine, lemmas)
    found = result.judged
    if trace_out is not None:
        _write_traces(result, trace_out)
    code = worst(item.code for item in found)
    if as_json:
        emit_json("check", _json(result, code, traces=not no_trace))
    else:
        _print(result, traces=not no_trace)
    ctx.exit(code)


def _result(
    selected: Subject, properties: Sequence[str], limits: Limits, engine: str, lemmas: Sequence[str]
) -> _Result:
    from check_invariants.judge import decided, explored, judged

    if engine == "explicit":
        system, exploration = explored(selected, properties, limits)
        return _Result(selected, system, exploration, judged(selected, system, exploration.verdicts, properties))
    system, verdicts = decided(selected, properties, limits, engine, lemmas)
    return _Result(selected, system, None, judged(selected, system, verdicts, properties))


@dataclass(frozen=True, slots=True)
class _Result:
    """What `check` found. Only explicit search explores; the other engines leave `exploration` out."""

    selected: Subject
    system: TransitionSystem
    exploration: Exploration | None
    judged: Sequence[Judged]

    @property
    def violated(self) -> Iterator[tuple[Judged, Trace]]:
        """The properties that have a counterexample."""
        for item in self.judged:
            if item.outcome == "violated" and item.verdict.trace is not None:
                yield item, item.verdict.trace


# -- text -------------------------------------------------------------------------------------------


def _print(result: _Result, traces: bool) -> None:
    from check_invariants.limited import as_far_as_modelled

    emit(f"{result.selected.heading}\n\n")
    emit_table(_table(result.judged))
    words = _outcome(result)
    limits = as_far_as_modelled(result.selected, ((item.item.name, item.verdict.outcome) for item in result.judged))
    if result.exploration is not None:
        emit("\n" + _outcome_line(words, bool(limits)) + f"{_statistics(result.exploration)}\n")
        emit(_never_taken(result.system, result.exploration))
    emit(limits)
    if traces:
        _print_traces(result)
    emit(f"\n{_conclusion(result.judged)}\n")


def _table(judged: Sequence[Judged]) -> Table:
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


def _line(item: Judged, with_expected: bool) -> list[str | Styled]:
    style = {"holds": "green", "violated": "red", "unknown": "yellow"}[item.outcome]
    mark = "!" if item.expectation and item.code is not ExitCode.OK else ""
    expected = ["" if item.expectation is None else item.expectation.outcome.value] if with_expected else []
    verdict = Styled(item.outcome + mark, "bold yellow" if mark else style)
    return [item.item.name, verdict, *expected, str(item.verdict.reason), item.item.meaning]


def _outcome(result: _Result) -> tuple[str, ...]:
    """What comes of it for the owner of the data; only explicit search tells."""
    return () if result.exploration is None else result.selected.impact(result.exploration.verdicts)


def _outcome_line(words: Sequence[str], limited: bool) -> str:
    safe = ", as far as modelled" if limited and "safe" in words else ""
    return f"outcome: {', '.join(words)}{safe}\n" if words else ""


def _statistics(exploration: Exploration) -> str:
    s = exploration.statistics
    rest = f", {counted(s.queue, 'state')} not expanded" if s.queue else ""
    return f"{counted(s.states, 'state')}, {counted(s.transitions, 'transition')}, depth {s.depth}{rest}; {s.seconds:.2f} s"


def _never_taken(system: TransitionSystem, exploration: Exploration) -> str:
    from check_invariants.judge import never_taken

    steps = never_taken(system, exploration)
    if not steps:
        return ""
    lines = [f"  {step.process}: {step.label} ({step.line})\n" for step in steps]
    return f"steps of the model that are never taken ({len(steps)}):\n" + "".join(lines)


def _print_traces(result: _Result) -> None:
    """Each counterexample once, whatever it is one of."""
    groups: dict[tuple[Any, ...], list[tuple[Judged, Trace]]] = {}
    for item, trace in result.violated:
        groups.setdefault((trace.initial, trace.actions, trace.loop), []).append((item, trace))
    for (_, trace), *others in groups.values():
        emit("\n")
        emit_trace(result.system, trace)
        if others:
            names = ", ".join(item.item.name for item, _ in others)
            emit(f"\nthe same steps are a shortest counterexample of {names}, too\n")


def _conclusion(judged: Sequence[Judged]) -> str:
    """What the exit code says, in words."""
    unknown = [item for item in judged if item.code is ExitCode.INCONCLUSIVE]
    wrong = [item for item in judged if item.code not in (ExitCode.OK, ExitCode.INCONCLUSIVE)]
    lists = {
        "not as expected": [item for item in wrong if item.expectation],
        "violated": [item for item in wrong if not item.expectation],
        "unknown": unknown,
    }
    said = [f"{word}: {', '.join(item.item.name for item in items)}" for word, items in lists.items() if items]
    if said:
        return "; ".join(said)
    return "every verdict is as expected" if any(item.expectation for item in judged) else "everything holds"


# -- files and JSON ---------------------------------------------------------------------------------


def _write_traces(result: _Result, path: str) -> None:
    """One counterexample to a file, or each to one in a directory. Raises UsageError for several to one file."""
    from draincheck.report.jsontrace import write_trace

    found = list(result.violated)
    directory = path.endswith(("/", "\\")) or Path(path).is_dir()
    if len(found) > 1 and not directory:
        names = ", ".join(item.item.name for item, _ in found)
        raise click.UsageError(f"--trace-out {path}: there are {len(found)} counterexamples ({names}); choose one by --property, "
                               f"or name a directory: --trace-out {path}/")  # fmt: skip
    if directory:
        make_directory(path)
    for item, trace in found:
        text = write_trace(result.system, trace, source=result.selected.source(), verdict=item.verdict.outcome)
        write_to(str(Path(path) / f"{_file_name(item.item.name)}.json") if directory else path, text)
    click.echo(
        f"{counted(len(found), 'counterexample')} written to {path}" if found else "no counterexample to write",
        err=True,
    )


def _file_name(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name)


def _json(result: _Result, code: ExitCode, traces: bool) -> dict[str, Any]:
    return {
        "model": result.system.name,
        "digest": result.system.digest,
        "source": result.selected.source(),
        "outcome": list(_outcome(result)),
        **_search_json(result),
        "properties": [_property_json(result, item, traces) for item in result.judged],
        "exit_code": int(code),
    }


def _search_json(result: _Result) -> dict[str, Any]:
    """What explicit search did; null for the other engines."""
    from check_invariants.judge import never_taken

    if result.exploration is None:
        return {"statistics": None, "never_taken": None}
    s = result.exploration.statistics
    counts = {"states": s.states, "transitions": s.transitions, "depth": s.depth, "queue": s.queue, "widest": s.widest}
    steps = never_taken(result.system, result.exploration)
    return {
        "statistics": {**counts, "seconds": round(s.seconds, 4)},
        "never_taken": [
            {"process": step.process, "label": step.label, "file": step.line.file, "line": step.line.line}
            for step in steps
        ],
    }


def _property_json(result: _Result, item: Judged, traces: bool) -> dict[str, Any]:
    from draincheck.report.jsontrace import trace_to_json

    expectation, trace = item.expectation, item.verdict.trace
    shown = None
    if traces and trace is not None:
        shown = trace_to_json(result.system, trace, source=result.selected.source(), verdict=item.verdict.outcome)
    return {
        "name": item.item.name,
        "kind": type(item.item).__name__,
        "meaning": item.item.meaning,
        "source": item.item.source,
        "verdict": item.outcome,
        "how": str(item.verdict.reason),
        "expected": None if expectation is None else expectation.outcome.value,
        "argument": None if expectation is None else expectation.argument,
        "limits": list(result.selected.limits(item.item.name, item.verdict.outcome)),
        "trace": shown,
    }

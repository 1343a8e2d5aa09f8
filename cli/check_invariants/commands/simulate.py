"""`check-invariants simulate`: random schedules on the reference core."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from check_invariants.exit import EmptySelection, ExitCode, of_verdict, worst
from check_invariants.options import json_option, revision_option, scenario_option, set_option
from check_invariants.output import (
    Column,
    Counter,
    Table,
    counted,
    emit,
    emit_json,
    emit_table,
    make_directory,
    write_to,
)

if TYPE_CHECKING:
    from draincheck.core.outcome import Outcome
    from draincheck.core.run import MachineRun, Simulation
    from draincheck.knobs import Setting
    from draincheck.qemu import Scenario
    from draincheck.revisions import Revision
    from drainspecs.mirror.code_base import CodeBase

__all__ = ["command"]

#: outcome -> the property that a run with this end violates
_PROPERTY = {"silent loss": "S4", "abort": "A1", "corruption": "A1", "hang": "F1"}


@click.command("simulate")
@revision_option(multiple=True)
@scenario_option(multiple=True)
@set_option
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed gives the same runs.")
@click.option("--runs", type=click.IntRange(min=1), default=10000, show_default=True, help="Runs of each code base.")
@click.option("--all", "every", is_flag=True, help="Every code base, instead of naming some.")
@click.option("--scheduler", type=click.Choice(["random", "pct"]), default="random", show_default=True)
@click.option("--trace-out", metavar="DIR", help="Write the first run of each bad outcome there, as a trace file.")
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    revisions: Sequence[Revision],
    scenarios: Sequence[Scenario],
    settings: Sequence[tuple[str, Setting]],
    seed: int,
    runs: int,
    every: bool,
    scheduler: str,
    trace_out: str | None,
    as_json: bool,
) -> None:
    """Run code bases on the reference core under random schedules.

    And count how the runs end. This is only a search: what it does not find may still be there. `pct` favours rare orders of few events.

    \b
    Exit codes: 0 every outcome is one that is expected of the code base; 10 one is not;
    with --set, where nothing is expected: 12 a write was lost or QEMU aborted, 11 a run hung.

    \b
    Example: check-invariants simulate --revision ab27c3b5e7 --runs 10000 --trace-out runs
    """
    code_bases = _code_bases(revisions, scenarios, settings, every)
    if trace_out is not None:
        make_directory(trace_out)
    found: list[tuple[CodeBase, Simulation]] = []
    with Counter("code bases simulated", len(code_bases)) as counter:
        for item in code_bases:
            found.append((item, _simulated(item, seed, runs, scheduler)))
            counter.advance(len(found))
    written = [path for item, result in found for path in _write_traces(trace_out, item, result)]
    code = worst(_code(item, outcome) for item, result in found for outcome in result.outcomes)
    if as_json:
        rows = [_row_json(item, result) for item, result in found]
        emit_json("simulate", {"seed": seed, "runs": runs, "rows": rows, "traces": written, "exit_code": int(code)})
    else:
        _print(found, written)
    ctx.exit(code)


def _code_bases(
    revisions: Sequence[Revision], scenarios: Sequence[Scenario], settings: Sequence[tuple[str, Setting]], every: bool
) -> list[CodeBase]:
    from check_invariants.selection import DEFAULT_REVISION, DEFAULT_SCENARIO
    from draincheck.revisions import code_bases, find_revision
    from drainspecs.mirror.code_base import CodeBase
    from drainspecs.mirror.scenarios import applies, find_scenario

    if every and revisions:
        raise click.UsageError("--all and --revision exclude each other")
    named = code_bases() if every else revisions or [find_revision(DEFAULT_REVISION)]
    chosen = [
        CodeBase(revision, scenario, None, dict(settings))
        for scenario in scenarios or [find_scenario(DEFAULT_SCENARIO)]
        for revision in named
    ]
    found = [item for item in chosen if applies(item.turned, item.scenario)]
    if not found:
        raise EmptySelection("none of these code bases can run these scenarios")
    return found


def _simulated(item: CodeBase, seed: int, runs: int, scheduler: str) -> Simulation:
    from draincheck.core.run import simulate
    from draincheck.core.scheduler import PCT, Random

    kind = PCT if scheduler == "pct" else Random
    return simulate(*item.on_core(), seed, runs, scheduler=kind)


def _write_traces(directory: str | None, item: CodeBase, result: Simulation) -> list[str]:
    """One file for the first run of each bad outcome."""
    if directory is None:
        return []
    paths: list[str] = []
    for outcome, (_, run) in result.first.items():
        if outcome.value in _PROPERTY:
            path = str(
                Path(directory) / f"{item.turned.name}-{item.scenario.name}-{outcome.value.replace(' ', '-')}.json"
            )
            write_to(path, _trace_file(item, run, _PROPERTY[outcome.value]))
            paths.append(path)
    return paths


def _trace_file(item: CodeBase, run: MachineRun, property_name: str) -> str:
    from draincheck.conformance.lockstep import trace_of_steps
    from draincheck.report.jsontrace import write_trace
    from draincheck.trace import Run
    from draincheck.verdict import Outcome

    system = item.system()
    trace = trace_of_steps(system, run.steps, property_name)
    return write_trace(Run.of(system, trace), source=item.source(), verdict=Outcome.VIOLATED)


def _code(item: CodeBase, outcome: Outcome) -> ExitCode:
    """What an outcome means for the exit code."""
    from draincheck.properties import Breach
    from draincheck.verdict import Outcome as Verdict

    name = _PROPERTY.get(outcome.value)
    if name is None:
        return ExitCode.OK
    return of_verdict(Verdict.VIOLATED, Breach.STUCK if name == "F1" else Breach.SAFETY, item.expectation(name))


def _row_json(item: CodeBase, result: Simulation) -> dict[str, Any]:
    outcomes = {outcome.value: number for outcome, number in result.outcomes.items()}
    unexpected = [outcome.value for outcome in result.outcomes if _code(item, outcome) is ExitCode.DIFFERENT]
    return {
        "revision": item.turned.name,
        "scenario": item.scenario.name,
        "outcomes": outcomes,
        "unexpected": unexpected,
        "scheduling_points": result.points,
    }


_OUTCOMES = ("fine", "silent loss", "abort", "corruption", "hang", "unfinished")


def _print(found: Sequence[tuple[CodeBase, Simulation]], written: Sequence[str]) -> None:
    rows: list[list[Any]] = []
    for item, result in found:
        numbers = {outcome.value: number for outcome, number in result.outcomes.items()}
        bad = any(_code(item, outcome) is ExitCode.DIFFERENT for outcome in result.outcomes)
        counts = [str(numbers.get(name, "")) for name in _OUTCOMES]
        rows.append([item.turned.name, item.scenario.name, *counts, "NOT expected" if bad else ""])
    columns = [Column("revision"), Column("scenario"), *(Column(name, right=True) for name in _OUTCOMES), Column("")]
    emit_table(Table(columns, rows))
    points = sum(result.points for _, result in found)
    runs = sum(sum(result.outcomes.values()) for _, result in found)
    emit(
        f"{counted(runs, 'run')}, {counted(points, 'scheduling point')}; only a search: what it did not find may exist\n"
    )
    for path in written:
        emit(f"written: {path}\n")

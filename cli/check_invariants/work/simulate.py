"""`check-invariants simulate`: what it does and shows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from check_invariants.exit import EmptySelection, ExitCode, of_verdict
from check_invariants.output import Column, Table, counted, emit, emit_table, write_to
from check_invariants.selection import DEFAULT_REVISION, DEFAULT_SCENARIO
from draincheck.core.outcome import Ending
from draincheck.core.run import CoreSimulation, MachineRun
from draincheck.knobs import Setting
from draincheck.properties import Breach
from draincheck.qemu import Scenario
from draincheck.report.jsontrace import write_trace
from draincheck.revisions import Revision, code_bases, find_revision
from draincheck.run import Run
from draincheck.verdict import Outcome as Verdict
from drainspecs.mirror.code_base import CodeBase
from drainspecs.mirror.scenarios import applies, find_scenario

__all__ = ["code_bases_of", "code_of", "row_json", "show", "simulated_by", "write_traces"]


#: outcome -> the property that a run with this end violates
_PROPERTY = {"silent loss": "S4", "abort": "A1", "corruption": "A1", "hang": "F1"}


def code_bases_of(
    revisions: Sequence[Revision], scenarios: Sequence[Scenario], settings: Sequence[tuple[str, Setting]], every: bool
) -> list[CodeBase]:
    """The code bases that the options name and that can run the scenarios. Raises UsageError and EmptySelection."""
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


def simulated_by(item: CodeBase, seed: int, runs: int, scheduler: str) -> CoreSimulation:
    """The runs of a code base under a scheduler."""
    from draincheck.core.run import simulate
    from draincheck.core.scheduler import PCT, Random

    kind = PCT if scheduler == "pct" else Random
    return simulate(*item.on_core(), seed, runs, scheduler=kind)


def write_traces(directory: str | None, item: CodeBase, result: CoreSimulation) -> list[str]:
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

    system = item.system()
    trace = trace_of_steps(system, run.steps, property_name)
    return write_trace(Run.of(system, trace), source=item.source(), verdict=Verdict.VIOLATED)


def code_of(item: CodeBase, outcome: Ending) -> ExitCode:
    """What an outcome means for the exit code."""
    name = _PROPERTY.get(outcome.value)
    if name is None:
        return ExitCode.OK
    return of_verdict(Verdict.VIOLATED, Breach.STUCK if name == "F1" else Breach.SAFETY, item.expectation(name))


# -- what it shows ---------------------------------------------------------------------------------


def row_json(item: CodeBase, result: CoreSimulation) -> dict[str, Any]:
    """How the runs of a code base ended, as JSON values."""
    outcomes = {outcome.value: number for outcome, number in result.outcomes.items()}
    unexpected = [outcome.value for outcome in result.outcomes if code_of(item, outcome) is ExitCode.DIFFERENT]
    return {
        "revision": item.turned.name,
        "scenario": item.scenario.name,
        "outcomes": outcomes,
        "unexpected": unexpected,
        "scheduling_points": result.points,
    }


_OUTCOMES = ("fine", "silent loss", "abort", "corruption", "hang", "unfinished")


def show(found: Sequence[tuple[CodeBase, CoreSimulation]], written: Sequence[str]) -> None:
    """Print how the runs ended, a line a code base."""
    rows: list[list[Any]] = []
    for item, result in found:
        numbers = {outcome.value: number for outcome, number in result.outcomes.items()}
        bad = any(code_of(item, outcome) is ExitCode.DIFFERENT for outcome in result.outcomes)
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

"""`check-invariants simulate`: what it does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from check_invariants.exit import EmptySelection, ExitCode, of_verdict
from check_invariants.output import write_to
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

__all__ = ["code_bases_of", "code_of", "simulated_by", "write_traces"]


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

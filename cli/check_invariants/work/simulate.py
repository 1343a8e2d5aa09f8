"""`check-invariants simulate`: what it does and shows."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import click

from check_invariants.documents import Document, emit_json
from check_invariants.exit import EmptySelection, ExitCode, ending, of_answer, of_verdict
from check_invariants.filenames import plain
from check_invariants.files import make_directory, write_to
from check_invariants.names import merged
from check_invariants.output import Counter, emit, emit_stop, emit_table
from check_invariants.own_models import load_model
from check_invariants.selection import DEFAULT_REVISION, DEFAULT_SCENARIO, check_possible
from check_invariants.table import Column, Table
from check_invariants.work import simulate_model
from draincheck import Expectation, Outcome, Run, write_trace
from draincheck.budget import NO_LIMITS
from draincheck.conformance.lockstep import trace_of_steps
from draincheck.core.outcome import Ending
from draincheck.core.run import CoreSimulation, MachineRun, simulate
from draincheck.core.scheduler import PCT, Random
from draincheck.knobs import Setting
from draincheck.qemu import Scenario
from draincheck.reason import Stop
from draincheck.revisions import Revision, code_bases, find_revision
from draincheck.words import counted
from drainspecs.mirror.code_base import CodeBase
from drainspecs.mirror.impact import breach_of
from drainspecs.mirror.scenarios import applies, find_scenario

#: outcome -> the property that a run with this end violates
_PROPERTY = {"silent loss": "S4", "abort": "A1", "corruption": "A1", "hang": "F1"}

_SCHEDULERS = {"random": Random, "pct": PCT}


#: runs of each code base, unless told otherwise
RUNS = 10_000


def command(
    *,
    model: str | None,
    revisions: Sequence[Revision],
    scenarios: Sequence[Scenario],
    settings: Sequence[tuple[str, Setting]],
    seed: int,
    runs: int | None,
    every: bool,
    scheduler: str,
    trace_out: str | None,
    as_json: bool,
) -> ExitCode:
    """Run the code bases, and write the first run of each bad outcome where that is wanted; or walk through a model of the user's."""
    if model is not None:
        if revisions or scenarios or every or scheduler != "random":
            raise click.UsageError("a model of your own has no --revision, --scenario, --all or --scheduler pct")
        return simulate_model.command(load_model(model, settings), runs, seed, trace_out, as_json)
    runs = runs or RUNS
    code_bases = _chosen(revisions, scenarios, settings, every)
    if trace_out is not None:
        make_directory(trace_out)
    found, stop = _simulated(code_bases, seed, runs, scheduler, not every)
    written = [] if trace_out is None else [path for item in found for path in item.write_traces(trace_out)]
    code = ending((code for item in found for code in item.codes.values()), stop)
    if as_json:
        rows = [item.to_json() for item in found]
        emit_json(
            "simulate", {"answer": _answer(found), "seed": seed, "runs": runs, "rows": rows, "traces": written}, code
        )
    else:
        _show(found, written)
    emit_stop(
        stop, f"{counted(sum(sum(item.numbers.values()) for item in found), 'run')} made, of {len(code_bases) * runs}"
    )
    return code


def _simulated(
    code_bases: Sequence[CodeBase], seed: int, runs: int, scheduler: str, named: bool
) -> tuple[list[_Simulated], Stop | None]:
    """What the runs came to; with a stop, those that were made before."""
    found, budget = list[_Simulated](), NO_LIMITS.begun()
    with Counter("run", "", len(code_bases) * runs) as counter:
        for number, item in enumerate(code_bases):

            def goes_on(done: int, before: int = number * runs) -> bool:
                counter.advance(before + done)
                return budget.stop() is None

            made = simulate(*item.on_core(), seed, runs, scheduler=_SCHEDULERS[scheduler], progress=goes_on)
            found.append(_Simulated(item, made, named))
            if (stop := budget.stop()) and (number + 1 < len(code_bases) or sum(found[-1].numbers.values()) < runs):
                return found, stop
    return found, None


def _chosen(
    revisions: Sequence[Revision], scenarios: Sequence[Scenario], settings: Sequence[tuple[str, Setting]], every: bool
) -> list[CodeBase]:
    """The code bases that the options name and that can run the scenarios. Raises UsageError, EmptySelection and MalformedInput."""
    if every and revisions:
        raise click.UsageError("--all and --revision exclude each other")
    turned = merged(settings)
    named = code_bases() if every else revisions or [find_revision(DEFAULT_REVISION)]
    chosen = [
        CodeBase(revision, scenario, None, turned)
        for scenario in scenarios or [find_scenario(DEFAULT_SCENARIO)]
        for revision in named
    ]
    found = [item for item in chosen if applies(item.turned, item.scenario)]
    if not found:
        raise EmptySelection("none of these code bases can run these scenarios")
    for item in found if turned else ():
        check_possible(item.turned, item.scenario)
    return found


class _Simulated(NamedTuple):
    """A code base, its runs, and whether it was named: what happens there decides then, not what was expected."""

    code_base: CodeBase
    result: CoreSimulation
    named: bool

    @property
    def codes(self) -> dict[str, ExitCode]:
        """What each outcome means for the exit code."""
        return {outcome.value: self._code(outcome.value) for outcome in self.result.outcomes}

    def _code(self, outcome: str) -> ExitCode:
        name, expectation = _PROPERTY.get(outcome), self._expectation(outcome)
        if name is None:
            return ExitCode.OK
        if self.named:
            return of_answer(Outcome.VIOLATED, breach_of(name), True, expectation)
        return of_verdict(Outcome.VIOLATED, breach_of(name), expectation)

    @property
    def numbers(self) -> dict[str, int]:
        """How many runs ended in which way."""
        return {outcome.value: number for outcome, number in self.result.outcomes.items()}

    def _expectation(self, outcome: str) -> Expectation | None:
        name = _PROPERTY.get(outcome)
        return None if name is None else self.code_base.expectation(name)

    @property
    def unexpected(self) -> list[str]:
        """The outcomes that are not expected of the code base."""
        return [o for o in self.codes if (e := self._expectation(o)) is not None and e.outcome is not Outcome.VIOLATED]

    def write_traces(self, directory: str) -> Iterator[str]:
        """Write the first run of each bad outcome to a file."""
        row = self.code_base
        for outcome, (_, run) in self.result.first.items():
            if outcome.value in _PROPERTY:
                name = f"{plain(f'{row.turned.name}-{row.scenario.name}-{outcome.value}')}.json"
                path = str(Path(directory) / name)
                write_to(path, self._trace_file(run, _PROPERTY[outcome.value]))
                yield path

    def _trace_file(self, run: MachineRun, property_name: str) -> str:
        system = self.code_base.system()
        trace = trace_of_steps(system, run.steps, property_name)
        return write_trace(Run.of(system, trace), source=self.code_base.source(), verdict=Outcome.VIOLATED)

    def to_json(self) -> Document:
        """How they ended."""
        return {
            "revision": self.code_base.turned.name,
            "scenario": self.code_base.scenario.name,
            "outcomes": self.numbers,
            "unexpected": self.unexpected,
            "scheduling_points": self.result.points,
        }


def _show(found: Sequence[_Simulated], written: Sequence[str]) -> None:
    """Print how the runs ended, a line a code base."""
    outcomes = [outcome.value for outcome in Ending]
    emit(f"{_answer(found)}\n\n")
    columns = [Column("revision"), Column("scenario"), *(Column(name, right=True) for name in outcomes), Column("")]
    emit_table(Table(columns, [_line(item, outcomes) for item in found]))
    points = sum(item.result.points for item in found)
    emit(f"\n{counted(points, 'scheduling point')}; only a search: what it did not find may exist\n")
    emit("".join(f"written: {path}\n" for path in written))
    emit(f"{_answer(found)}\n")


def _answer(found: Sequence[_Simulated]) -> str:
    """How the runs ended, all together: the first and the last line."""
    numbers = sum((Tally(item.numbers) for item in found), Tally[str]())
    ends = [f"{numbers[ending.value]} {ending.value}" for ending in Ending if numbers[ending.value]]
    what = found[0].code_base.title if len(found) == 1 else counted(len(found), "code base")
    unexpected = "; NOT as expected" if any(item.unexpected for item in found) else ""
    return f"{what}: {counted(numbers.total(), 'run')}: {', '.join(ends) or 'none ended'}{unexpected}; only a search"


def _line(item: _Simulated, outcomes: Sequence[str]) -> list[str]:
    counts = [str(item.numbers.get(name, "")) for name in outcomes]
    names = item.code_base.turned.name, item.code_base.scenario.name
    return [*names, *counts, "NOT expected" if item.unexpected else ""]

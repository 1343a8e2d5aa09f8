"""`check-invariants simulate` of a model of the user's: random walks, and what they came across."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path

from msgspec import Struct

from check_invariants.documents import Document, emit_json
from check_invariants.exit import ExitCode, ending, of_answer
from check_invariants.filenames import file_names
from check_invariants.files import make_directory, write_to
from check_invariants.judge import asking, refuse_no_demand
from check_invariants.output import Counter, advise, emit, emit_table, emit_trace
from check_invariants.selection import chosen_properties
from check_invariants.table import Cell, Column, Table
from check_invariants.words import Listed
from draincheck import ModelFile, Run, write_trace
from draincheck.engines.simulation import Simulation, simulate
from draincheck.words import counted

#: walks, unless told otherwise: seconds for most models
RUNS = 1_000


def command(model: ModelFile, runs: int | None, seed: int, trace_out: str | None, as_json: bool) -> ExitCode:
    """Walk, and write a trace of whatever is violated where that is wanted."""
    if not model.system().implicit:
        chosen_properties(model.system(), ())
    if trace_out is not None:
        make_directory(trace_out)
    counter = Counter("action")
    with asking(model.title, counter, "after {} nothing is known"):
        found = _Walked(model, simulate(model.system(), runs=runs or RUNS, seed=seed, reporter=counter), seed)
    advise(found.result.advice)
    if not found.violated:
        refuse_no_demand(model.system(), ())
    written = [] if trace_out is None else list(found.write(trace_out))
    code = ending(found.codes)
    if as_json:
        emit_json("simulate-model", _json(found, written), code)
    else:
        _show(found, written)
    return code


class _Walked(Struct, frozen=True, dict=True):
    """A model, and what walks through it came to."""

    model: ModelFile
    result: Simulation
    seed: int

    @cached_property
    def listed(self) -> list[Listed]:
        """The verdicts beside what was expected."""
        return [Listed(n, verdict, self.model.expectation(n)) for n, verdict in self.result.verdicts.items()]

    @property
    def violated(self) -> list[tuple[Listed, Run]]:
        """What is violated, with the walk that shows it."""
        return [
            (item, Run.of(self.model.system(), item.verdict.trace))
            for item in self.listed
            if item.word == "violated" and item.verdict.trace is not None
        ]

    @property
    def codes(self) -> Iterator[ExitCode]:
        """What is violated or was never asked decides; that nothing was found says nothing."""
        for item in (*(item for item, _ in self.violated), *self.never_asked):
            breach = self.model.system().property_named(item.name).breach
            yield of_answer(item.verdict.outcome, breach, True, item.expectation)

    @property
    def never_asked(self) -> list[Listed]:
        """What nothing puts to the test, as far as that needs no search."""
        return [item for item in self.listed if item.word == "never asked"]

    @property
    def never_taken(self) -> list[str]:
        """The steps that no walk took."""
        parts = [{(a.process, part.label, part.line) for part in a.parts} for a in self.model.system().actions]
        missed = set(self.result.never_fired)
        taken = {step for index, steps in enumerate(parts) if index not in missed for step in steps}
        never = {step for index in missed for step in parts[index] if step[1] and step not in taken}
        return sorted({f"{process}: {label}" for process, label, _ in never})

    def write(self, directory: str) -> Iterator[str]:
        """Write a trace of each property that is violated."""
        files = file_names([item.name for item in self.listed])
        for item, run in self.violated:
            path = str(Path(directory) / f"{files[item.name]}.json")
            write_to(path, write_trace(run, source=self.model.source(), verdict=item.verdict.outcome))
            yield path

    @property
    def answer(self) -> str:
        """What was found, in a sentence."""
        groups = {"violated": [item for item, _ in self.violated], "never asked": self.never_asked}
        named = [f"{word}: {', '.join(item.name for item in items)}" for word, items in groups.items() if items]
        walks = f"{counted(self.result.runs, 'walk')}, {counted(self.result.steps, 'step')}"
        return f"{self.model.title}: {'; '.join(named) or 'nothing bad was found'} ({walks}; only a search)"


def _show(found: _Walked, written: Sequence[str]) -> None:
    """The answer, a line a property, the first counterexample, and the answer again."""
    columns: dict[Column, Callable[[Listed], Cell]] = {
        Column("property"): lambda item: item.name,
        Column("verdict"): lambda item: item.cell,
        Column("expected"): lambda item: item.expected,
        Column("how", give_way=1): lambda item: str(item.verdict.reason),
    }
    emit(f"{found.answer}\n\n")
    emit_table(Table.of(found.listed, columns).without_empty("expected"))
    if found.never_taken:
        emit(f"\nsteps that no walk took ({len(found.never_taken)}): {', '.join(found.never_taken)}\n")
    for _, run in found.violated[:1]:
        emit("\n")
        emit_trace(run)
    emit("".join(f"written: {path}\n" for path in written))
    emit(f"\n{found.answer}\n")


def _json(found: _Walked, written: Sequence[str]) -> Document:
    """The same as JSON values."""
    result = found.result
    return {
        "answer": found.answer,
        "model": found.model.title,
        "source": found.model.source(),
        "seed": found.seed,
        "runs": result.runs,
        "steps": result.steps,
        "longest": result.longest,
        "never_taken": found.never_taken,
        "properties": [{"name": item.name, **item.to_json()} for item in found.listed],
        "traces": list(written),
    }

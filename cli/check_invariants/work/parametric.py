"""`check-invariants parametric`: what it does and shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path
from time import perf_counter

import click
from msgspec import Struct
from msgspec.structs import replace

from check_invariants.documents import Document, emit_json
from check_invariants.exit import ExitCode, ending, of_answer, of_verdict
from check_invariants.files import make_directory, write_to
from check_invariants.judge import meaningful
from check_invariants.names import merged
from check_invariants.output import emit, emit_stop, emit_table, emit_trace, until_stopped
from check_invariants.selection import check_possible
from check_invariants.table import Cell, Column, Table
from check_invariants.words import Listed, conclusion
from draincheck import Run, write_trace
from draincheck.budget import look
from draincheck.knobs import Setting
from draincheck.properties import Breach
from draincheck.revisions import Revision, code_bases
from draincheck.verdict import all_known, stopped_by
from draincheck.words import counted
from drainspecs.mirror.counted import S1, Counted, Decision, decide_all
from drainspecs.mirror.properties import meaning_of
from drainspecs.mirror.scenarios import find_scenario


def command(
    revisions: Sequence[Revision], settings: Sequence[tuple[str, Setting]], directory: str | None, as_json: bool
) -> ExitCode:
    """Decide the code bases that are named, all if none is, and write a file for each where that is wanted."""
    chosen = _chosen(revisions, settings)
    if directory is not None:
        make_directory(directory)
    named = bool(revisions or settings)
    rows, stop = until_stopped(_rows(chosen, directory, named), "code base", "decided", len(chosen))
    stop = stop or stopped_by(row.decision.verdict for row in rows)
    code = ending((row.code for row in rows), stop)
    if as_json:
        emit_json(
            "parametric",
            {"answer": _answer(rows, named, len(chosen) - len(rows)), "rows": [row.to_json() for row in rows]},
            code,
        )
    else:
        _show(rows, _answer(rows, named, len(chosen) - len(rows)))
    decided = sum(all_known([row.decision.verdict]) for row in rows)
    emit_stop(stop, f"{counted(decided, 'code base')} of {len(chosen)} decided")
    return code


def _chosen(revisions: Sequence[Revision], settings: Sequence[tuple[str, Setting]]) -> list[Counted]:
    """The code bases, their knobs turned. Raises UsageError and MalformedInput for knobs that exclude each other."""
    turned = merged(settings)
    if turned.get("order", "attach") != "attach":
        raise click.UsageError(
            "--set order=any: the model with counted requests has GSources in the order of attachment only"
        )
    chosen = [Counted(row, turned) for row in dict.fromkeys(revisions or code_bases())]
    for model in chosen:
        check_possible(model.turned, find_scenario("mirror"))
    return chosen


class _Row(Struct, frozen=True, dict=True):
    """A code base, decided.

    Attributes:
        model: the code base, with any number of writes.
        decision: verdict and proof.
        certificate: the proof's text, "" if there is none.
        seconds: the time it took; next to nothing for one that is in nothing different from one before.
        named: it was asked about by its name, or by its knobs, so that the verdict itself decides.
        directory: where its certificate or trace goes, if there is one and it is wanted.
    """

    model: Counted
    decision: Decision
    certificate: str
    seconds: float
    directory: str | None
    named: bool

    @property
    def revision(self) -> Revision:
        """The code base, its knobs turned."""
        return self.model.turned

    @property
    def listed(self) -> Listed:
        """The verdict beside what the story expects; nothing if knobs were turned by hand."""
        return Listed(self.revision.name, self.decision.verdict, self.model.expectation(S1))

    @property
    def code(self) -> ExitCode:
        """The exit code that it makes."""
        code = partial(of_answer, matters=True) if self.named else of_verdict
        return code(self.decision.verdict.outcome, Breach.SAFETY, expectation=self.listed.expectation)

    @cached_property
    def run(self) -> Run | None:
        """The counterexample, with as many writes as it needs."""
        trace = self.decision.verdict.trace
        return None if trace is None else self.model.family.in_finite(trace)

    @property
    def steps(self) -> int | None:
        """Its length."""
        trace = self.decision.verdict.trace
        return None if trace is None else len(trace.actions)

    @property
    def shown_by(self) -> str:
        """What proves the verdict."""
        if self.certificate:
            return f"inductive, certificate {len(self.certificate) / 1000:.0f} kB"
        if self.steps is None or self.decision.writes is None:
            return str(self.decision.verdict.reason)
        return f"{counted(self.decision.writes, 'write')}, {counted(self.steps, 'step')}"

    @property
    def file(self) -> str | None:
        """The file for its certificate or trace."""
        if self.directory is None or not (self.certificate or self.decision.verdict.trace):
            return None
        return str(Path(self.directory) / f"{self.revision.name}.{'smt2' if self.certificate else 'json'}")

    def write(self) -> None:
        """Write that file. Raises NotWritable."""
        if self.file is not None:
            write_to(self.file, self.certificate if self.run is None else self._trace_file(self.run))

    def _trace_file(self, run: Run) -> str:
        source = replace(self.model, writes=self.decision.writes).source()
        return write_trace(run, source=source, verdict=self.decision.verdict.outcome)

    def to_json(self) -> Document:
        """The row as JSON values."""
        return {
            "revision": self.revision.name,
            "date": self.revision.date,
            "digest": self.decision.system.digest,
            **self.listed.to_json(),
            "certificate_bytes": len(self.certificate) or None,
            "writes": self.decision.writes,
            "steps": self.steps,
            "file": self.file,
            "seconds": round(self.seconds, 4),
        }


def _rows(chosen: Sequence[Counted], directory: str | None, named: bool) -> Iterator[_Row]:
    """Decide one after the other, and write their files. Raises MalformedInput, NotWritable and OutOfBudget."""
    decisions = decide_all([model.turned for model in chosen])
    for model in chosen:
        started = perf_counter()
        with meaningful(model.title):
            look()
            decision = next(decisions)
            certificate = "" if decision.proof is None else model.family.certificate(decision, model.source()).text
        row = _Row(model, decision, certificate, perf_counter() - started, directory, named)
        row.write()
        yield row


def _show(rows: Sequence[_Row], answer: str) -> None:
    """Print the table, the files that were written, and the trace of a single code base."""
    emit(f"{answer}\n\nS1: {meaning_of(S1)}\n\n")
    emit_table(_table(rows))
    emit("".join(f"written: {row.file}\n" for row in rows if row.file is not None))
    if len(rows) == 1 and (run := rows[0].run) is not None:
        emit("\n")
        emit_trace(run)
    emit(f"\n{answer}\n")


def _answer(rows: Sequence[_Row], named: bool, undecided: int) -> str:
    """The first and the last line."""
    otherwise = "holds" if named else "every verdict is as expected"
    parts = [conclusion([row.listed for row in rows], otherwise, named)] if rows else []
    parts += [f"{counted(undecided, 'code base')} not decided"] if undecided else []
    return f"S1 for any number of writes: {'; '.join(parts)}"


def _table(rows: Sequence[_Row]) -> Table:
    """A line a code base; what is expected only where something is."""
    columns: dict[Column, Callable[[_Row], Cell]] = {
        Column("revision"): lambda row: row.revision.name,
        Column("date", give_way=1): lambda row: row.revision.date,
        Column("S1"): lambda row: row.listed.cell,
        Column("expected", give_way=2): lambda row: row.listed.expected,
        Column("shown by"): lambda row: row.shown_by,
        Column("s", right=True, give_way=3): lambda row: f"{row.seconds:.2f}",
        Column("what changed", give_way=4, least=30): lambda row: row.revision.subject,
    }
    return Table.of(rows, columns).without_empty("expected")

"""`check-invariants parametric`: what it does and shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import click
from msgspec import Struct
from msgspec.structs import replace

from check_invariants.exit import ExitCode, MalformedInput, of_verdict
from check_invariants.output import Column, Styled, Table, counted, emit, emit_table, emit_trace, write_to
from check_invariants.selection import check_possible, merged
from draincheck.errors import ModelError
from draincheck.knobs import Setting
from draincheck.properties import Breach
from draincheck.report.jsontrace import write_trace
from draincheck.revisions import Revision, code_bases
from draincheck.subject import Expectation
from draincheck.verdict import Limits
from drainspecs.mirror.counted import Counted, Decision
from drainspecs.mirror.scenarios import find_scenario

__all__ = ["ParametricRow", "chosen_from", "limits_from", "row_json", "rows_of", "show"]


class ParametricRow(Struct, frozen=True):
    """A code base, decided.

    Attributes:
        model: the code base, with any number of writes.
        decision: verdict and proof.
        certificate: the proof's text, "" if there is none.
        expectation: what the story expects; None if knobs were turned by hand.
        seconds: the time it took; next to nothing for one that is in nothing different from one before.
        file: where its certificate or trace was written, if it was.
    """

    model: Counted
    decision: Decision
    certificate: str
    expectation: Expectation | None
    seconds: float
    file: str | None = None

    @property
    def revision(self) -> Revision:
        """The code base, its knobs turned."""
        return self.model.turned

    @property
    def word(self) -> str:
        """The verdict in a word."""
        return self.decision.verdict.outcome.value

    @property
    def code(self) -> ExitCode:
        """The exit code that it makes."""
        return of_verdict(self.decision.verdict.outcome, Breach.SAFETY, self.expectation)

    @property
    def steps(self) -> int | None:
        """The length of the counterexample."""
        trace = self.decision.verdict.trace
        return None if trace is None else len(trace.actions)


def chosen_from(revisions: Sequence[Revision], settings: Sequence[tuple[str, Setting]]) -> list[Counted]:
    """The code bases named, all if none is, with their knobs turned. Raises UsageError and MalformedInput for knobs that exclude each other."""
    turned = merged(settings)
    if turned.get("order", "attach") != "attach":
        raise click.UsageError(
            "--set order=any: the model with counted requests has GSources in the order of attachment only"
        )
    chosen = [Counted(row, turned) for row in dict.fromkeys(revisions or code_bases())]
    for model in chosen:
        check_possible(model.turned, find_scenario("mirror"))
    return chosen


def limits_from(timeout: float | None) -> Limits:
    """The limits for each code base."""
    return Limits(seconds=timeout)


def rows_of(chosen: Sequence[Counted], limits: Limits, directory: str | None) -> Iterator[ParametricRow]:
    """Decide one after the other, and write their files. Raises MalformedInput and NotWritable."""
    from drainspecs.mirror.counted import decide_all

    decisions = decide_all([model.turned for model in chosen], limits)
    for model in chosen:
        started = perf_counter()
        try:
            row = _row(model, next(decisions), started)
        except ModelError as error:
            raise MalformedInput(f"{model.title}: {error}") from error
        yield row if directory is None else _written(row, directory)


def _row(model: Counted, decision: Decision, started: float) -> ParametricRow:
    from drainspecs.mirror.counted import S1

    certificate = "" if decision.proof is None else model.family.certificate(decision, model.source()).text
    expectation = model.expectation(S1)
    return ParametricRow(model, decision, certificate, expectation, perf_counter() - started)


def _written(row: ParametricRow, directory: str) -> ParametricRow:
    """The row, with its certificate or trace in a file, if there is one."""
    if not row.certificate and row.decision.verdict.trace is None:
        return row
    path = str(Path(directory) / f"{row.revision.name}.{'smt2' if row.certificate else 'json'}")
    write_to(path, row.certificate or _trace_file(row))
    return replace(row, file=path)


def _trace_file(row: ParametricRow) -> str:
    verdict = row.decision.verdict
    assert verdict.trace is not None
    source = replace(row.model, writes=row.decision.writes).source()
    return write_trace(row.model.family.in_finite(verdict.trace), source=source, verdict=verdict.outcome)


# -- what it shows ---------------------------------------------------------------------------------


def show(rows: Sequence[ParametricRow]) -> None:
    """Print the table, the files that were written, and the trace of a single code base."""
    emit("S1 for any number of writes: no request is submitted to the source during W\n\n")
    emit_table(_table(rows))
    emit("".join(f"written: {row.file}\n" for row in rows if row.file is not None))
    if len(rows) == 1:
        _print_trace(rows[0])
    emit(f"\n{_conclusion(rows)}\n")


def _table(rows: Sequence[ParametricRow]) -> Table:
    """A line a code base; what is expected only where something is."""
    judged = any(row.expectation for row in rows)
    columns = [
        Column("revision"),
        Column("date", give_way=1),
        Column("S1"),
        *([Column("expected", give_way=2)] if judged else []),
        Column("shown by"),
        Column("s", right=True, give_way=3),
        Column("what changed", give_way=4, least=30),
    ]
    return Table(columns, [_line(row, judged) for row in rows])


def _line(row: ParametricRow, judged: bool) -> list[str | Styled]:
    style = {"holds": "green", "violated": "red", "unknown": "yellow"}[row.word]
    mark = "!" if row.expectation and row.code is not ExitCode.OK else ""
    expected = ["" if row.expectation is None else row.expectation.outcome.value] if judged else []
    verdict = Styled(row.word + mark, "bold yellow" if mark else style)
    revision = row.revision
    return [revision.name, revision.date, verdict, *expected, _shown_by(row), f"{row.seconds:.2f}", revision.subject]


def _shown_by(row: ParametricRow) -> str:
    if row.certificate:
        return f"inductive, certificate {len(row.certificate) / 1000:.0f} kB"
    if row.steps is None or row.decision.writes is None:
        return str(row.decision.verdict.reason)
    return f"{counted(row.decision.writes, 'write')}, {counted(row.steps, 'step')}"


def _print_trace(row: ParametricRow) -> None:
    """The counterexample as a call tree, if there is one."""
    if row.decision.verdict.trace is None:
        return
    emit("\n")
    emit_trace(row.model.family.in_finite(row.decision.verdict.trace))


def _conclusion(rows: Sequence[ParametricRow]) -> str:
    """What the exit code says, in words."""
    lists = {
        "not as expected": [row for row in rows if row.expectation and row.code is ExitCode.DIFFERENT],
        "violated": [row for row in rows if not row.expectation and row.word == "violated"],
        "unknown": [row for row in rows if row.word == "unknown"],
    }
    said = [f"{word}: {', '.join(row.revision.name for row in found)}" for word, found in lists.items() if found]
    if said:
        return "; ".join(said)
    return "every verdict is as expected" if any(row.expectation for row in rows) else "S1 holds"


def row_json(row: ParametricRow) -> dict[str, Any]:
    """A code base as JSON values."""
    return {
        "revision": row.revision.name,
        "date": row.revision.date,
        "digest": row.decision.system.digest,
        "verdict": row.word,
        "how": str(row.decision.verdict.reason),
        "expected": None if row.expectation is None else row.expectation.outcome.value,
        "argument": None if row.expectation is None else row.expectation.argument,
        "certificate_bytes": len(row.certificate) or None,
        "writes": row.decision.writes,
        "steps": row.steps,
        "file": row.file,
        "seconds": round(row.seconds, 4),
    }

"""`check-invariants parametric`: what it shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from check_invariants.exit import ExitCode
from check_invariants.output import Column, Styled, Table, counted, emit, emit_table, emit_trace
from check_invariants.work.parametric import ParametricRow

__all__ = ["row_json", "show"]


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

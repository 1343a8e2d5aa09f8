"""`check-invariants liveness`: what it shows."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable, Sequence
from itertools import groupby
from textwrap import fill
from typing import Any

from check_invariants.output import Column, Styled, Table, counted, emit, emit_table, emit_trace, tallied
from check_invariants.work.liveness import LivenessLine
from draincheck.run import Run
from drainspecs.mirror.liveness import ASSUMPTIONS, LIVENESS

__all__ = ["WIDTH", "line_json", "show", "show_traces"]


_LEGEND = "A column a demand: . holds, x violated, ? unknown; ! not as expected.\n"


#: of lines of prose
WIDTH = 110


def show(lines: Sequence[LivenessLine], notify: bool, full: bool, seconds: float) -> None:
    """Print a table for each scenario, what its columns mean, and what is taken for granted."""
    for block, group in groupby(lines, lambda line: line.block):
        part = list(group)
        emit(f"{block}\n\n")
        emit_table(_full_table(part) if full else _table(part, notify))
        emit("\n")
    if not full:
        emit(_LEGEND)
    if not notify:
        _print_demands()
    emit("".join(f"\nmodel fault: {line.name} {line.scenario}: {line.fault}\n" for line in lines if line.fault))
    emit(f"\n{_summary(lines, seconds)}\n")


def _table(lines: Sequence[LivenessLine], notify: bool) -> Table:
    """A line a row."""
    cells = [cell.name for cell in lines[0].cells]
    columns = [
        Column("model" if notify else "revision"),
        *([] if notify else [Column("date", give_way=2)]),
        Column(" ".join(f"{name:2}" for name in cells)),
        Column("what is different" if notify else "what changed", give_way=1, least=30),
    ]
    return Table(columns, [_row(line, notify) for line in lines])


def _row(line: LivenessLine, notify: bool) -> list[str | Styled]:
    strip = " ".join(cell.sign.ljust(max(2, len(cell.name))) for cell in line.cells)
    wrong = any(not cell.as_expected for cell in line.cells)
    bad = any(cell.outcome == "violated" for cell in line.cells)
    styled = Styled(strip, "bold yellow" if wrong else "red" if bad else "")
    date, words = line.about
    return [line.name, styled, words] if notify else [line.name, date, styled, words]


def _full_table(lines: Sequence[LivenessLine]) -> Table:
    """A line a demand."""
    columns = [
        Column("row"),
        Column("demand"),
        Column("verdict"),
        Column("expected"),
        Column("how", give_way=2),
        Column("why", give_way=1, least=30),
    ]
    rows: list[list[str | Styled]] = []
    for line in lines:
        for cell in line.cells:
            verdict = Styled(
                cell.outcome + ("" if cell.as_expected else "!"), "red" if cell.outcome == "violated" else ""
            )
            rows.append([line.name, cell.name, verdict, cell.expected or "", str(cell.verdict.reason), cell.argument])
    return Table(columns, rows)


def _print_demands() -> None:
    """What the columns mean, and what is taken for granted."""
    emit("\n" + "".join(f"  {item.name:3} {item.meaning}\n" for item in LIVENESS))
    emit("\ntaken for granted:\n")
    for item in ASSUMPTIONS:
        text = f"{item.name} ({item.strength} fairness): {item.reason}"
        emit(fill(text, WIDTH, initial_indent="  ", subsequent_indent="    ") + "\n")


def _summary(lines: Sequence[LivenessLine], seconds: float) -> str:
    cells = [cell for line in lines for cell in line.cells]
    said = tallied(Tally(cell.outcome for cell in cells), sum(not cell.as_expected for cell in cells))
    return f"{counted(len(lines), 'row')}, {said}; {seconds:.2f} s"


def show_traces(lines: Iterable[LivenessLine]) -> None:
    """A counterexample of everything that is violated; the same one is printed once."""
    seen: set[tuple[str, tuple[int, ...]]] = set()
    for cell in (cell for line in lines for cell in line.cells):
        trace = cell.verdict.trace
        if cell.outcome == "violated" and trace is not None and (trace.digest, trace.actions) not in seen:
            seen.add((trace.digest, trace.actions))
            emit("\n")
            emit_trace(Run.of(cell.system(), trace))


def line_json(line: LivenessLine) -> dict[str, Any]:
    """A row as JSON values."""
    cells = {
        cell.name: {
            "verdict": cell.outcome,
            "how": str(cell.verdict.reason),
            "expected": cell.expected,
            "argument": cell.argument,
        }
        for cell in line.cells
    }
    return {"table": line.scenario, "row": line.name, "properties": cells}

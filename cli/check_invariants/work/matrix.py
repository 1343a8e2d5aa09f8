"""`check-invariants matrix`: what it does and shows."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from typing import Any

from check_invariants.exit import ExitCode, of_comparison, of_verdict
from check_invariants.output import VERDICTS, Column, Styled, Table, counted, emit, emit_json, emit_table, sign, tallied
from draincheck.properties import Breach
from draincheck.qemu import Scenario
from draincheck.revisions import CONTROLS, Revision
from drainspecs.suite.matrix import Cell, Deviation, Row, RowResult, deviations

__all__ = ["cells_of", "codes_of", "ordered", "show", "show_json", "wanted"]


def ordered(rows: list[Row], order: str | None) -> list[Row]:
    """The rows with GSources in this order; as they are, if none is said."""
    from drainspecs.suite.matrix import with_order_any

    if order == "any":
        rows = [replace(row, revision=with_order_any(row.revision)) for row in rows]
    return [row for row in dict.fromkeys(rows) if order in (None, row.revision.knobs.order)]


def wanted(row: Row, revisions: Sequence[Revision], scenarios: Sequence[Scenario]) -> bool:
    """Whether the options select a row. GSource order is not the business of a revision's name."""
    names = {revision.name for revision in revisions}
    return (not names or row.revision.name in names) and (not scenarios or row.scenario in scenarios)


def cells_of(result: RowResult, properties: Sequence[str]) -> list[Cell]:
    """The chosen verdicts of a row."""
    return [cell for cell in result.cells if not properties or cell.property_name in properties]


def codes_of(result: RowResult, properties: Sequence[str]) -> list[ExitCode]:
    """The exit codes that a row makes."""
    return [of_comparison(False)] if result.fault else [_code(cell) for cell in cells_of(result, properties)]


def _code(cell: Cell) -> ExitCode:
    return of_verdict(cell.verdict.outcome, Breach.SAFETY, cell.expected)


# -- what it shows ---------------------------------------------------------------------------------


_LEGEND = """\
A column a property (`check-invariants list properties`): . holds, x violated, ? unknown; ! not as expected.
~ as far as modelled: the verdict could turn on something that is left out, and `--full` says on what.
The outcome in words: silent loss (S3, S4), abort or crash (A1), hang (F1); stray request: S1 alone; safe: none of these.
"""


_STYLES = {
    "safe": "green",
    "silent loss": "bold red",
    "abort": "red",
    "crash": "red",
    "hang": "magenta",
    "model fault": "bold yellow",
}


def show(results: Sequence[RowResult], properties: Sequence[str], seconds: float, full: bool) -> None:
    """A table a scenario, with the controls apart."""
    controls = {revision.name for revision in CONTROLS}
    for key, group in groupby(results, lambda result: result.row.key):
        block = list(group)
        emit(f"{key}: {block[0].row.scenario.meaning}\n\n")
        for _, part in groupby(block, lambda result: result.row.revision.name in controls):
            emit_table((_full_table if full else _table)(list(part), properties))
            emit("\n")
    emit(_limits(results, properties) if full else _LEGEND)
    emit("".join(f"unexpected: {line}\n" for line in _unexpected(results, properties)))
    emit(_summary(_sum(results, properties, seconds)))


def _table(block: Sequence[RowResult], properties: Sequence[str]) -> Table:
    """A line a code base."""
    names = [cell.property_name for cell in cells_of(block[0], properties)]
    columns = [
        Column("revision"),
        Column("date", give_way=4),
        Column("outcome"),
        Column(" ".join(f"{name:2}" for name in names), give_way=1),
        Column("states", right=True, give_way=3),
        Column("ms", right=True, give_way=5),
        Column("what changed", give_way=2, least=30),
    ]
    return Table(columns, [_line(result, properties) for result in block])


def _line(result: RowResult, properties: Sequence[str]) -> list[str | Styled]:
    revision, cells = result.row.revision, cells_of(result, properties)
    signs = [
        (cell.property_name, sign(cell.verdict.outcome.value, cell.as_expected, bool(cell.limits))) for cell in cells
    ]
    strip = " ".join(shown.ljust(max(2, len(name))) for name, shown in signs)
    outcome = ", ".join(result.consequences) + ("~" if _less_safe(result, cells) else "")
    return [
        revision.name,
        revision.date,
        Styled(outcome, _STYLES.get(result.consequences[0], "")),
        Styled(strip, "" if all(cell.as_expected for cell in cells) else "bold yellow"),
        str(result.counts.states),
        f"{result.milliseconds:.1f}",
        revision.subject,
    ]


def _less_safe(result: RowResult, cells: Sequence[Cell]) -> bool:
    """Whether nothing was found to be wrong, and some of that holds only as far as modelled."""
    return result.consequences == ("safe",) and any(cell.limits for cell in cells)


def _full_table(block: Sequence[RowResult], properties: Sequence[str]) -> Table:
    """A line a property."""
    columns = [
        Column("revision"),
        Column("date", give_way=3),
        Column("scenario", give_way=4),
        Column("property"),
        Column("verdict"),
        Column("expected"),
        Column("limited by"),
        Column("states", right=True, give_way=2),
        Column("ms", right=True, give_way=5),
        Column("what changed", give_way=1, least=30),
    ]
    return Table(columns, [_full_line(result, cell) for result in block for cell in cells_of(result, properties)])


def _full_line(result: RowResult, cell: Cell) -> list[str | Styled]:
    revision = result.row.revision
    verdict = cell.verdict.outcome.value + ("" if cell.as_expected else "!")
    return [
        revision.name,
        revision.date,
        result.row.key,
        cell.property_name,
        Styled(verdict, "" if cell.as_expected else "bold yellow"),
        "" if cell.expected is None else cell.expected.outcome.value,
        ", ".join(note.name for note in cell.limits),
        str(result.counts.states),
        f"{result.milliseconds:.1f}",
        revision.subject,
    ]


def _limits(results: Sequence[RowResult], properties: Sequence[str]) -> str:
    """What the verdicts above are limited by, each once."""
    notes = dict.fromkeys(note for result in results for cell in cells_of(result, properties) for note in cell.limits)
    return "".join(f"as far as modelled: {note.name}: {note.says}\n" for note in notes)


def _unexpected(results: Sequence[RowResult], properties: Sequence[str]) -> list[Deviation]:
    """The verdicts that are not as expected, and the models at fault; pinned counts are the gate's business."""
    found = [item for result in results for item in deviations(result) if item.kind != "counts"]
    return [item for item in found if not properties or item.kind == "fault" or item.what in properties]


@dataclass(frozen=True, slots=True)
class _Sum:
    """What the last line says."""

    rows: int
    verdicts: Mapping[str, int]
    unexpected: int
    systems: int
    states: int
    seconds: float


def _sum(results: Sequence[RowResult], properties: Sequence[str], seconds: float) -> _Sum:
    cells = [cell for result in results for cell in cells_of(result, properties)]
    tally = Tally(cell.verdict.outcome.value for cell in cells)
    systems = {result.digest: result.counts.states for result in results if not result.fault}
    return _Sum(
        len(results),
        {word: tally[word] for word in VERDICTS},
        sum(not cell.as_expected for cell in cells),
        len(systems),
        sum(systems.values()),
        round(seconds, 3),
    )


def _summary(s: _Sum) -> str:
    return (
        f"{counted(s.rows, 'row')}, {tallied(s.verdicts, s.unexpected)}; "
        f"{counted(s.systems, 'distinct system')}, {s.states} states, {s.seconds:.2f} s\n"
    )


def show_json(results: Sequence[RowResult], properties: Sequence[str], seconds: float, code: ExitCode) -> None:
    """Print all rows as one document."""
    rows = [_row_json(result, properties) for result in results]
    summary = asdict(_sum(results, properties, seconds))
    emit_json("matrix", {"rows": rows, "summary": summary, "exit_code": int(code)})


def _row_json(result: RowResult, properties: Sequence[str]) -> dict[str, Any]:
    revision, counts, pinned = result.row.revision, result.counts, result.pinned
    return {
        "revision": revision.name,
        "date": revision.date,
        "release": revision.release,
        "subject": revision.subject,
        "scenario": result.row.scenario.name,
        "order": revision.knobs.order,
        "outcome": list(result.consequences),
        "fault": result.fault,
        "digest": result.digest,
        "states": counts.states,
        "transitions": counts.transitions,
        "depth": counts.depth,
        "pinned": None if pinned is None else [pinned.states, pinned.transitions, pinned.depth],
        "milliseconds": round(result.milliseconds, 1),
        "properties": [_cell_json(cell) for cell in cells_of(result, properties)],
    }


def _cell_json(cell: Cell) -> dict[str, Any]:
    expected, trace = cell.expected, cell.verdict.trace
    return {
        "name": cell.property_name,
        "verdict": cell.verdict.outcome.value,
        "how": str(cell.verdict.reason),
        "expected": None if expected is None else expected.outcome.value,
        "argument": None if expected is None else expected.argument,
        "derived": None if expected is None else expected.derived,
        "as_expected": cell.as_expected,
        "actions": None if trace is None else len(trace.actions),
        "limits": [note.says for note in cell.limits],
    }

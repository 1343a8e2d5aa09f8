"""The matrix as the explorer shows it: a table of rows, and each of them as a subject to walk in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from draincheck.checking import Finding, Result
from draincheck.explorer.document import PageCell, PageMatrix, PageRow
from draincheck.explorer.examined import Examined
from draincheck.explorer.making import Gathered, gathered
from draincheck.explorer.runs import Tone
from draincheck.knobs import parse_setting
from draincheck.pool import in_processes
from draincheck.revisions import find_revision
from draincheck.verdict import Outcome
from drainspecs.mirror.code_base import CodeBase
from drainspecs.mirror.explored import examined
from drainspecs.mirror.impact import SAFE, matters
from drainspecs.suite.matrix import Row, RowResult, system_of

__all__ = ["gathered_of", "matrix_of", "subjects_of"]

#: rows that one process makes before it takes more: neighbours, which share most
PIECE: Final = 17


def matrix_of(results: Sequence[RowResult]) -> PageMatrix:
    """The table: a row a code base, a column a scenario, in the order of the results; the number of a cell's subject is that in `subjects_of`."""
    columns = {result.row.key: result.row.scenario.meaning for result in results}
    subjects = {id(result): number for number, result in enumerate(_sound(results))}
    rows: dict[str, dict[str, RowResult]] = {}
    for result in results:
        rows.setdefault(result.row.revision.name, {})[result.row.key] = result
    return PageMatrix(
        tuple(columns.items()),
        tuple(
            PageRow(name, _note(found), tuple(_cell(found.get(key), subjects) for key in columns))
            for name, found in rows.items()
        ),
    )


def subjects_of(results: Sequence[RowResult]) -> Iterator[Examined]:
    """The rows as subjects; one whose model is wrong, or that nobody came to, is none."""
    return map(_examined, _sound(results))


def gathered_of(results: Sequence[RowResult], processes: int | None = None) -> Iterator[Gathered]:
    """The subjects of the rows in parts, by as many processes as there are cores (or `processes`). Raises OutOfBudget."""
    found = _sound(results)
    parts = [found[start : start + PIECE] for start in range(0, len(found), PIECE)]
    return in_processes(lambda part: gathered(subjects_of(part)), parts, processes)


def _sound(results: Sequence[RowResult]) -> list[RowResult]:
    return [result for result in results if result.digest]


def _examined(result: RowResult) -> Examined:
    system = system_of(result.row)
    findings = [Finding(system.property_named(c.property_name), c.verdict, c.expected) for c in result.cells]
    return examined(_code_base(result.row), Result(system, findings, result.exploration))


def _code_base(row: Row) -> CodeBase:
    """The code base of a row, with the knobs that its name says are turned."""
    name, *settings = row.revision.name.split("+")
    revision, order = find_revision(name), row.revision.knobs.order
    own_order = None if order == revision.knobs.order else order
    return CodeBase(revision, row.scenario, own_order, dict(map(parse_setting, settings)))


def _note(found: dict[str, RowResult]) -> str:
    revision = next(iter(found.values())).row.revision
    return ", ".join(filter(None, [revision.date, revision.release, revision.subject]))


def _cell(result: RowResult | None, subjects: dict[int, int]) -> PageCell | None:
    if result is None:
        return None
    violated = [cell.property_name for cell in result.cells if cell.verdict.outcome is Outcome.VIOLATED]
    return PageCell(
        text=_text(result),
        tone=_tone(result),
        visible=tuple(filter(matters, violated)),
        inside=tuple(name for name in violated if not matters(name)),
        as_expected=all(cell.as_expected for cell in result.cells),
        subject=subjects.get(id(result)),
    )


def _text(result: RowResult) -> str:
    """What comes of it; `~`: nothing was found to be wrong, and some of that holds only as far as modelled."""
    safe = result.consequences == (SAFE,)
    return ", ".join(result.consequences) + "~" * (safe and any(cell.limits for cell in result.cells))


def _tone(result: RowResult) -> Tone:
    outcomes = {cell.verdict.outcome for cell in result.cells if matters(cell.property_name)}
    if Outcome.VIOLATED in outcomes:
        return Tone.BAD
    return Tone.UNKNOWN if Outcome.UNKNOWN in outcomes or not result.digest else Tone.GOOD

"""`check-invariants matrix`: what it does."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from check_invariants.exit import ExitCode, of_comparison, of_verdict
from draincheck.properties import Breach
from draincheck.qemu import Scenario
from draincheck.revisions import Revision
from drainspecs.suite.matrix import Cell, Row, RowResult

__all__ = ["cells_of", "codes_of", "ordered", "wanted"]


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

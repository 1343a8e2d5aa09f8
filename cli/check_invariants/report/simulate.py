"""`check-invariants simulate`: what it shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from check_invariants.exit import ExitCode
from check_invariants.output import Column, Table, counted, emit, emit_table
from check_invariants.work.simulate import code_of
from draincheck.core.run import CoreSimulation
from drainspecs.mirror.code_base import CodeBase

__all__ = ["row_json", "show"]


def row_json(item: CodeBase, result: CoreSimulation) -> dict[str, Any]:
    """How the runs of a code base ended, as JSON values."""
    outcomes = {outcome.value: number for outcome, number in result.outcomes.items()}
    unexpected = [outcome.value for outcome in result.outcomes if code_of(item, outcome) is ExitCode.DIFFERENT]
    return {
        "revision": item.turned.name,
        "scenario": item.scenario.name,
        "outcomes": outcomes,
        "unexpected": unexpected,
        "scheduling_points": result.points,
    }


_OUTCOMES = ("fine", "silent loss", "abort", "corruption", "hang", "unfinished")


def show(found: Sequence[tuple[CodeBase, CoreSimulation]], written: Sequence[str]) -> None:
    """Print how the runs ended, a line a code base."""
    rows: list[list[Any]] = []
    for item, result in found:
        numbers = {outcome.value: number for outcome, number in result.outcomes.items()}
        bad = any(code_of(item, outcome) is ExitCode.DIFFERENT for outcome in result.outcomes)
        counts = [str(numbers.get(name, "")) for name in _OUTCOMES]
        rows.append([item.turned.name, item.scenario.name, *counts, "NOT expected" if bad else ""])
    columns = [Column("revision"), Column("scenario"), *(Column(name, right=True) for name in _OUTCOMES), Column("")]
    emit_table(Table(columns, rows))
    points = sum(result.points for _, result in found)
    runs = sum(sum(result.outcomes.values()) for _, result in found)
    emit(
        f"{counted(runs, 'run')}, {counted(points, 'scheduling point')}; only a search: what it did not find may exist\n"
    )
    for path in written:
        emit(f"written: {path}\n")

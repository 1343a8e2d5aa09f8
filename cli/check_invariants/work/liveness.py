"""`check-invariants liveness`: what it does and shows."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from textwrap import fill
from typing import Any, NamedTuple

from msgspec.structs import replace

from check_invariants.exit import EmptySelection, ExitCode, of_comparison, of_verdict
from check_invariants.output import Column, Styled, Table, counted, emit, emit_table, emit_trace, sign, tallied
from draincheck.errors import ModelError
from draincheck.properties import Breach
from draincheck.reason import AtFault
from draincheck.subject import Expectation
from draincheck.system import TransitionSystem
from draincheck.trace import Run
from draincheck.verdict import Outcome, Verdict
from drainspecs.mirror.liveness import ASSUMPTIONS, LIVENESS
from drainspecs.suite.matrix import Row

__all__ = ["WIDTH", "LivenessLine", "codes_of", "line_json", "lines_of", "notify_lines", "show", "show_traces"]


class _Cell(NamedTuple):
    """The verdict on one demand, what is expected of it, and the system it was decided on."""

    name: str
    verdict: Verdict
    expectation: Expectation | None
    system: Callable[[], TransitionSystem]

    @property
    def outcome(self) -> str:
        """The verdict in a word."""
        return self.verdict.outcome.value

    @property
    def expected(self) -> str | None:
        """The expected verdict in a word."""
        return None if self.expectation is None else self.expectation.outcome.value

    @property
    def argument(self) -> str:
        """Why it is expected."""
        return "" if self.expectation is None else self.expectation.argument

    @property
    def as_expected(self) -> bool:
        """Nothing else was expected."""
        return self.expectation is None or self.expectation.outcome is self.verdict.outcome

    @property
    def sign(self) -> str:
        """The verdict in a sign."""
        return sign(self.outcome, self.as_expected)


class LivenessLine(NamedTuple):
    """A row: its name, the table it stands in, what else is said of it, its cells, and what is wrong with its model ("": nothing)."""

    name: str
    block: str
    about: tuple[str, str]
    cells: Sequence[_Cell]
    fault: str = ""

    @property
    def scenario(self) -> str:
        """The name of the table it stands in."""
        return self.block.partition(":")[0]


def lines_of(revisions: Sequence[Any], scenarios: Sequence[Any]) -> tuple[Iterator[LivenessLine], int]:
    """The code bases, and how many there are."""
    from drainspecs.suite.matrix import default_rows

    rows = default_rows(list(revisions), list(scenarios))
    if not rows:
        raise EmptySelection("none of these code bases can run these scenarios")
    return map(_line, rows), len(rows)


def _line(row: Row) -> LivenessLine:
    from drainspecs.mirror.liveness_expectations import expected_liveness

    found, fault = _verdicts(row)
    cells = [
        _Cell(name, verdict, expected_liveness(row.revision.name, row.scenario, name), partial(_system_of, row, name))
        for name, verdict in found.items()
    ]
    block = f"{row.scenario.name}: {row.scenario.meaning}"
    return LivenessLine(row.revision.name, block, (row.revision.date, row.revision.subject), cells, fault)


def _verdicts(row: Row) -> tuple[dict[str, Verdict], str]:
    """A row's verdicts; if its model is at fault they are all unknown, and the fault is said."""
    from drainspecs.mirror.liveness import LIVENESS, verdicts

    try:
        return verdicts(row.revision, row.scenario), ""
    except ModelError as error:
        fault = AtFault(str(error))
        return {item.name: Verdict(item.name, Outcome.UNKNOWN, fault) for item in LIVENESS}, fault.error


def _system_of(row: Row, name: str) -> TransitionSystem:
    """The system on which a demand is decided, under the row's name."""
    from drainspecs.mirror.liveness import systems

    system = systems(row.revision, row.scenario)[name]
    return replace(system, name=f"{row.revision.name} / {row.scenario.name}")


def notify_lines() -> tuple[Iterator[LivenessLine], int]:
    """The event notification protocol."""
    from drainspecs.notify import ROWS, check, system_of

    def lines() -> Iterator[LivenessLine]:
        for row in ROWS:
            cell = _Cell("served", check(row).worst, row.expectation, partial(system_of, row))
            yield LivenessLine(row.name, "QEMU's event notification protocol", ("", row.meaning), [cell])

    return lines(), len(ROWS)


def codes_of(line: LivenessLine) -> list[ExitCode]:
    """The exit codes that a row makes."""
    if line.fault:
        return [of_comparison(False)]
    return [of_verdict(cell.verdict.outcome, Breach.LIVENESS, cell.expectation) for cell in line.cells]


# -- what it shows ---------------------------------------------------------------------------------


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

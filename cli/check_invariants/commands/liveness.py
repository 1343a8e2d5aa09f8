"""`check-invariants liveness`: what must happen in the end, under stated assumptions of fairness."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, groupby
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from check_invariants.exit import EmptySelection, ExitCode, Interrupted, ending, of_comparison, of_verdict
from check_invariants.options import json_option, revision_option, scenario_option
from check_invariants.output import (
    Column,
    Styled,
    Table,
    counted,
    emit,
    emit_json,
    emit_table,
    emit_trace,
    sign,
    tallied,
    until_interrupted,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from draincheck.subject import Expectation
    from draincheck.system import TransitionSystem
    from draincheck.verdict import Verdict
    from drainspecs.suite.matrix import Row

__all__ = ["command"]

_LEGEND = "A column a demand: . holds, x violated, ? unknown; ! not as expected.\n"

#: of lines of prose
WIDTH = 110


@click.command("liveness")
@revision_option(multiple=True)
@scenario_option(multiple=True)
@click.option(
    "--notify", is_flag=True, help="QEMU's event notification protocol instead: three models, with and without bugs."
)
@click.option("--full", is_flag=True, help="A line a demand, with what is expected and why.")
@click.option("--trace", "traces", is_flag=True, help="Also a counterexample of everything that is violated.")
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    revisions: Sequence[Any],
    scenarios: Sequence[Any],
    notify: bool,
    full: bool,
    traces: bool,
    as_json: bool,
) -> None:
    """Decide liveness: what must happen in the end.

    Jobs complete, kicks are handled, drains end, nothing spins for ever: for every code base in the default scenarios, or
    for those named. The assumptions of fairness and their reasons are printed below the table. A counterexample is a
    path and a loop that the model really has, or a path to where nothing moves; `check --property L2` shows one, too.

    \b
    Exit codes: 0 every verdict is as expected; 10 one is not, or a model is at fault; 30 unknown; 2 wrong arguments;
    130 interrupted.

    \b
    Example: check-invariants liveness --scenario dataplane
    """
    if notify and (revisions or scenarios):
        raise click.UsageError("--notify is about models of its own, which have no --revision and no --scenario")
    started = perf_counter()
    lines, total = _notify_lines() if notify else _lines(revisions, scenarios)
    found, missing = until_interrupted(lines, "rows decided", total)
    code = ending(chain.from_iterable(map(_codes, found)), missing)
    if as_json:
        emit_json("liveness", {"rows": [_line_json(line) for line in found], "exit_code": int(code)})
    else:
        _print(found, notify, full, perf_counter() - started)
        if traces:
            _print_traces(found)
    if missing:
        raise Interrupted(f"interrupted: {len(found)} rows were decided")
    ctx.exit(code)


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


class _Line(NamedTuple):
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


# -- rows -------------------------------------------------------------------------------------------


def _lines(revisions: Sequence[Any], scenarios: Sequence[Any]) -> tuple[Iterator[_Line], int]:
    """The code bases, and how many there are."""
    from drainspecs.suite.matrix import default_rows

    rows = default_rows(list(revisions), list(scenarios))
    if not rows:
        raise EmptySelection("none of these code bases can run these scenarios")
    return map(_line, rows), len(rows)


def _line(row: Row) -> _Line:
    from drainspecs.mirror.liveness_expectations import expected_liveness

    found, fault = _verdicts(row)
    cells = [
        _Cell(name, verdict, expected_liveness(row.revision.name, row.scenario, name), partial(_system_of, row, name))
        for name, verdict in found.items()
    ]
    block = f"{row.scenario.name}: {row.scenario.meaning}"
    return _Line(row.revision.name, block, (row.revision.date, row.revision.subject), cells, fault)


def _verdicts(row: Row) -> tuple[dict[str, Verdict], str]:
    """A row's verdicts; if its model is at fault they are all unknown, and the fault is said."""
    from draincheck.errors import ModelError
    from draincheck.reason import AtFault
    from draincheck.verdict import Outcome, Verdict
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


def _notify_lines() -> tuple[Iterator[_Line], int]:
    """The event notification protocol."""
    from drainspecs.notify import ROWS, check, system_of

    def lines() -> Iterator[_Line]:
        for row in ROWS:
            cell = _Cell("served", check(row).worst, row.expectation, partial(system_of, row))
            yield _Line(row.name, "QEMU's event notification protocol", ("", row.meaning), [cell])

    return lines(), len(ROWS)


def _codes(line: _Line) -> list[ExitCode]:
    from draincheck.properties import Breach

    if line.fault:
        return [of_comparison(False)]
    return [of_verdict(cell.verdict.outcome, Breach.LIVENESS, cell.expectation) for cell in line.cells]


# -- text -------------------------------------------------------------------------------------------


def _print(lines: Sequence[_Line], notify: bool, full: bool, seconds: float) -> None:
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


def _table(lines: Sequence[_Line], notify: bool) -> Table:
    """A line a row."""
    cells = [cell.name for cell in lines[0].cells]
    columns = [
        Column("model" if notify else "revision"),
        *([] if notify else [Column("date", give_way=2)]),
        Column(" ".join(f"{name:2}" for name in cells)),
        Column("what is different" if notify else "what changed", give_way=1, least=30),
    ]
    return Table(columns, [_row(line, notify) for line in lines])


def _row(line: _Line, notify: bool) -> list[str | Styled]:
    strip = " ".join(cell.sign.ljust(max(2, len(cell.name))) for cell in line.cells)
    wrong = any(not cell.as_expected for cell in line.cells)
    bad = any(cell.outcome == "violated" for cell in line.cells)
    styled = Styled(strip, "bold yellow" if wrong else "red" if bad else "")
    date, words = line.about
    return [line.name, styled, words] if notify else [line.name, date, styled, words]


def _full_table(lines: Sequence[_Line]) -> Table:
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
    from textwrap import fill

    from drainspecs.mirror.liveness import ASSUMPTIONS, LIVENESS

    emit("\n" + "".join(f"  {item.name:3} {item.meaning}\n" for item in LIVENESS))
    emit("\ntaken for granted:\n")
    for item in ASSUMPTIONS:
        text = f"{item.name} ({item.strength} fairness): {item.reason}"
        emit(fill(text, WIDTH, initial_indent="  ", subsequent_indent="    ") + "\n")


def _summary(lines: Sequence[_Line], seconds: float) -> str:
    cells = [cell for line in lines for cell in line.cells]
    said = tallied(Tally(cell.outcome for cell in cells), sum(not cell.as_expected for cell in cells))
    return f"{counted(len(lines), 'row')}, {said}; {seconds:.2f} s"


def _print_traces(lines: Iterable[_Line]) -> None:
    """A counterexample of everything that is violated; the same one is printed once."""
    from draincheck.trace import Run

    seen: set[tuple[str, tuple[int, ...]]] = set()
    for cell in (cell for line in lines for cell in line.cells):
        trace = cell.verdict.trace
        if cell.outcome == "violated" and trace is not None and (trace.digest, trace.actions) not in seen:
            seen.add((trace.digest, trace.actions))
            emit("\n")
            emit_trace(Run.of(cell.system(), trace))


# -- JSON -------------------------------------------------------------------------------------------


def _line_json(line: _Line) -> dict[str, Any]:
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

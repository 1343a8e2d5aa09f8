"""`check-invariants liveness`: what must happen in the end, under stated assumptions of fairness."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from check_invariants.exit import EmptySelection, ExitCode, Interrupted
from check_invariants.options import json_option, revision_option, scenario_option
from check_invariants.output import Column, Styled, Table, emit, emit_json, emit_table, until_interrupted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from draincheck.verdict import Verdict
    from drainspecs.expectations import Expectation
    from drainspecs.matrix import Row

__all__ = ["command"]


@click.command("liveness")
@revision_option(multiple=True)
@scenario_option(multiple=True)
@click.option(
    "--notify", is_flag=True, help="QEMU's event notification protocol instead: three models, with and without bugs."
)
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    revisions: Sequence[Any],
    scenarios: Sequence[Any],
    notify: bool,
    as_json: bool,
) -> None:
    """Decide liveness: what must happen in the end.

    Jobs complete, kicks are handled, drains end, nothing spins for ever: for every code base in the default scenarios, or
    for those named. The assumptions of fairness and their reasons are printed below the table. A counterexample is a
    real loop.

    \b
    Exit codes: 0 every verdict is as expected; 10 one is not; 30 unknown; 2 wrong arguments; 130 interrupted.

    \b
    Example: check-invariants liveness --scenario dataplane
    """
    lines = _notify_lines() if notify else _lines(revisions, scenarios)
    found, missing = until_interrupted(lines, "rows decided", _total(notify, revisions, scenarios))
    code = _code(found)
    if as_json:
        emit_json("liveness", {"rows": [_line_json(line) for line in found], "exit_code": int(code)})
    else:
        _print(found, notify)
    if missing:
        raise Interrupted(f"interrupted: {len(found)} rows were decided")
    ctx.exit(code)


class _Line(NamedTuple):
    """A row's name, and for each property its verdict and what is expected of it."""

    name: str
    cells: dict[str, tuple[Verdict, str | None]]


def _rows(revisions: Sequence[Any], scenarios: Sequence[Any]) -> list[Row]:
    from drainspecs.matrix import default_rows

    rows = default_rows(list(revisions), list(scenarios))
    if not rows:
        raise EmptySelection("none of these code bases can run these scenarios")
    return rows


def _total(notify: bool, revisions: Sequence[Any], scenarios: Sequence[Any]) -> int:
    from drainspecs.notify import ROWS

    return len(ROWS) if notify else len(_rows(revisions, scenarios))


def _lines(revisions: Sequence[Any], scenarios: Sequence[Any]) -> Iterator[_Line]:
    from drainspecs.liveness import verdicts
    from drainspecs.liveness_expectations import expected_liveness

    for row in _rows(revisions, scenarios):
        found = verdicts(row.revision, row.scenario)
        expected = {name: expected_liveness(row.revision.name, row.scenario, name) for name in found}
        yield _Line(f"{row.scenario.name}  {row.revision.name}", {n: (v, _word(expected[n])) for n, v in found.items()})


def _word(expectation: Expectation | None) -> str | None:
    return None if expectation is None else expectation.outcome.value


def _notify_lines() -> Iterator[_Line]:
    from drainspecs.notify import ROWS, check

    for row in ROWS:
        result = check(row)
        name = f"{row.model} {row.bug or 'plain'}{' CHECK_REQ' if row.check_req else ''}"
        wanted = row.expected.value
        worst = next(v for v in result.verdicts.values() if v.outcome is result.outcome)
        yield _Line(name, {"every request is served": (worst, wanted)})


def _code(lines: Sequence[_Line]) -> ExitCode:
    cells = [cell for line in lines for cell in line.cells.values()]
    if any(wanted is not None and verdict.outcome.value not in (wanted, "unknown") for verdict, wanted in cells):
        return ExitCode.DIFFERENT
    return ExitCode.INCONCLUSIVE if any(verdict.outcome.value == "unknown" for verdict, _ in cells) else ExitCode.OK


def _print(lines: Sequence[_Line], notify: bool) -> None:
    names = list(lines[0].cells) if lines else []
    rows: list[list[str | Styled]] = [[line.name, *(_cell(*line.cells[name]) for name in names)] for line in lines]
    emit_table(Table([Column("row"), *(Column(name) for name in names)], rows))
    if notify:
        return
    from drainspecs.liveness import ASSUMPTIONS, LIVENESS

    emit("\n" + "".join(f"{item.name}: {item.meaning}\n" for item in LIVENESS))
    emit(
        "\ntaken for granted:\n" + "".join(f"  {item.name} ({item.strength}): {item.reason}\n" for item in ASSUMPTIONS)
    )


def _cell(verdict: Verdict, wanted: str | None) -> Styled:
    word = verdict.outcome.value
    mark = "!" if wanted is not None and word != wanted else ""
    return Styled(word + mark, {"holds": "green", "violated": "red"}.get(word, "yellow"))


def _line_json(line: _Line) -> dict[str, Any]:
    cells = {
        name: {"verdict": verdict.outcome.value, "how": verdict.how, "expected": wanted}
        for name, (verdict, wanted) in line.cells.items()
    }
    return {"row": line.name, "properties": cells}

"""`check-invariants liveness`: what it does and shows."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain, groupby
from time import perf_counter
from typing import NamedTuple

import click
from msgspec.structs import replace

from check_invariants import standard
from check_invariants.documents import Document, emit_json
from check_invariants.exit import EmptySelection, ExitCode, ending, of_answer, of_comparison, of_verdict
from check_invariants.judge import Asked
from check_invariants.names import merged
from check_invariants.output import advise, emit, emit_stop, emit_substitutes, emit_table, emit_trace, until_stopped
from check_invariants.own_models import load_model
from check_invariants.selection import check_possible
from check_invariants.table import Cell, Column, Styled, Table
from check_invariants.words import Listed, placed, tallied
from check_invariants.work.answered import check_one
from check_invariants.work.findings import Wanted
from draincheck import ModelError, ModelFile, Outcome, Run, TransitionSystem, Verdict
from draincheck.budget import look
from draincheck.knobs import Setting
from draincheck.properties import Breach, Liveness
from draincheck.qemu import Scenario
from draincheck.reason import AtFault, Reason, Stop, Undecided
from draincheck.report.layout import wrapped
from draincheck.revisions import Revision, called, substitutes, with_settings
from draincheck.verdict import NO_LIMITS, all_known, stopped_by
from draincheck.words import counted, share
from drainspecs import notify as protocol
from drainspecs.mirror.answer import answering_scenarios
from drainspecs.mirror.liveness import ASSUMPTIONS, LIVENESS, systems, verdicts
from drainspecs.mirror.liveness_expectations import expected_liveness
from drainspecs.mirror.scenarios import applies
from drainspecs.suite.matrix import Row, advice, default_rows

_LEGEND = "A column a demand: . holds, x violated, - never asked, ? unknown; ! not as expected.\n"

#: of lines of prose
WIDTH = 110


def command(
    *,
    model: str | None,
    settings: Sequence[tuple[str, Setting]],
    revisions: Sequence[Revision],
    scenarios: Sequence[Scenario],
    notify: bool,
    full: bool,
    traces: bool,
    as_json: bool,
) -> ExitCode:
    """Decide the rows, all if none is named; or a model of the user's."""
    _refuse_beside(model, notify, bool(revisions or scenarios), full, bool(settings))
    if model is not None:
        return _own(load_model(model, settings), traces, as_json)
    started, named = perf_counter(), bool(revisions or settings)
    rows = [] if notify else _asked(revisions, scenarios, settings)
    advise(advice(rows))
    lines = map(_notify_line, protocol.ROWS) if notify else map(partial(_line, named=named), rows)
    found, stop = until_stopped(lines, "row", "decided", total := len(protocol.ROWS) if notify else len(rows))
    found += [_line_of(row, named, _all_unknown(Undecided(stopped=stop))) for row in rows[len(found) :]]
    stop = stop or stopped_by(cell.verdict for line in found for cell in line.cells)
    code = ending(chain.from_iterable(line.codes for line in found), stop)
    answers = _answers(found) if named else []
    if as_json:
        told: Document = {
            "answers": answers,
            "substitutes": substitutes(revisions),
            "rows": [line.to_json() for line in found],
        }
        emit_json("liveness", told, code)
    else:
        summary = _summary(found, perf_counter() - started)
        with _between("".join(f"{line}\n" for line in answers or [summary])):
            emit_substitutes(revisions)
            _show(found, notify, full, summary if answers else "")
            _show_traces(found if traces else [])
    _emit_share(found, total, stop)
    return code


def _refuse_beside(model: str | None, notify: bool, selected: bool, full: bool, turned: bool) -> None:
    """Raise UsageError where what is asked for goes by itself, and does not stand alone."""
    if model is not None and (selected or notify or full):
        raise click.UsageError("a model of your own has no --revision, --scenario, --notify or --full")
    if notify and (selected or turned):
        raise click.UsageError("--notify is about models of its own, which have no --revision, --scenario or --set")


def _emit_share(lines: Sequence[_Line], total: int, stop: Stop | None) -> None:
    decided = sum(all_known(cell.verdict for cell in line.cells) for line in lines)
    emit_stop(stop, f"{share(decided, total, 'row')} decided; the others are unknown")


def _asked(
    revisions: Sequence[Revision], scenarios: Sequence[Scenario], settings: Sequence[tuple[str, Setting]]
) -> list[Row]:
    """The rows; of code bases that are named, all that `check` answers for. Raises EmptySelection."""
    asked = scenarios or (answering_scenarios() if revisions or settings else ())
    rows = _turned(default_rows(revisions, asked), merged(settings))
    if not rows:
        raise EmptySelection("none of these code bases can run these scenarios")
    return rows


@contextmanager
def _between(said: str) -> Generator[None]:
    """The answer before what is shown, and behind it."""
    emit(f"{said}\n")
    yield
    emit(f"\n{said}")


def _answers(lines: Sequence[_Line]) -> list[str]:
    """A line a code base: what is violated or unknown, and where."""
    found: dict[str, list[_Line]] = {}
    for line in lines:
        found.setdefault(line.called, []).append(line)
    return [f"{name}: {_said(rows)}" for name, rows in found.items()]


def _said(rows: Sequence[_Line]) -> str:
    parts: list[str] = []
    for word in ("violated", "unknown"):
        names = {row.scenario: [cell.name for cell in row.cells if cell.word == word] for row in rows}
        parts += [f"{word}: {placed(names)}"] if any(names.values()) else []
    return "; ".join(parts) or "everything that is asked holds"


def _turned(rows: Sequence[Row], settings: Mapping[str, Setting]) -> list[Row]:
    """The rows with knobs turned by hand. Raises MalformedInput for what no code base could be."""
    found = [replace(row, revision=with_settings(row.revision, settings)) for row in rows]
    for row in found if settings else ():
        check_possible(row.revision, row.scenario)
    return [row for row in found if applies(row.revision, row.scenario)]


def _own(model: ModelFile, traces: bool, as_json: bool) -> ExitCode:
    """What a model of the user's demands of whole runs. Raises EmptySelection if that is nothing."""
    names = [item.name for item in model.system().properties if isinstance(item, Liveness)]
    if not names:
        raise EmptySelection(
            f"{model.title} demands nothing of whole runs; give it something, such as m.eventually(...)"
        )
    asked = Asked(names, NO_LIMITS, "explicit", ())
    return check_one(model, asked, Wanted(None if traces else 0, False, None, None, as_json, strict=True))


class _Line(NamedTuple):
    """A row: its name, the table it stands in, what else is said of it, and its verdicts.

    Attributes:
        called: what people call it.
        system: the system that a verdict was reached on, by its name.
        fault: what is wrong with the model, "" if nothing is.
        named: it was asked about by its name, so that the verdicts themselves decide.
    """

    name: str
    called: str
    block: str
    about: tuple[str, str]
    cells: Sequence[Listed]
    system: Callable[[str], TransitionSystem]
    fault: str = ""
    named: bool = False

    @property
    def scenario(self) -> str:
        """The name of the table it stands in."""
        return self.block.partition(":")[0]

    @property
    def codes(self) -> Sequence[ExitCode]:
        """The exit codes that it makes."""
        if self.fault:
            return [of_comparison(False)]
        code = partial(of_answer, matters=True) if self.named else of_verdict
        return [code(cell.verdict.outcome, Breach.LIVENESS, expectation=cell.expectation) for cell in self.cells]

    def to_json(self) -> Document:
        """The row as JSON values."""
        cells = {cell.name: cell.to_json() for cell in self.cells}
        return {"table": self.scenario, "row": self.name, "properties": cells}


def _line(row: Row, named: bool) -> _Line:
    """A code base's; if its model is at fault its verdicts are all unknown, and the fault is said."""
    try:
        look()
        return _line_of(row, named, verdicts(row.revision, row.scenario))
    except ModelError as error:
        return _line_of(row, named, _all_unknown(AtFault(str(error))), str(error))


def _all_unknown(reason: Reason) -> Mapping[str, Verdict]:
    return {item.name: Verdict(item.name, Outcome.UNKNOWN, reason) for item in LIVENESS}


def _line_of(row: Row, named: bool, found: Mapping[str, Verdict], fault: str = "") -> _Line:
    """A code base's, with these verdicts."""
    revision, scenario = row.revision, row.scenario
    cells = [Listed(name, verdict, expected_liveness(revision.name, scenario, name)) for name, verdict in found.items()]
    block, about = f"{scenario.name}: {scenario.meaning}", (revision.date, revision.subject)
    return _Line(revision.name, called(revision), block, about, cells, partial(_system_of, row), fault, named)


def _system_of(row: Row, name: str) -> TransitionSystem:
    """The system on which a demand is decided, under the row's name."""
    system = systems(row.revision, row.scenario)[name]
    return replace(system, name=f"{row.revision.name} / {row.scenario.name}")


def _notify_line(row: protocol.NotifyRow) -> _Line:
    """One of the event notification protocol's."""
    cell = Listed("served", protocol.check(row).worst, row.expectation)
    block = "QEMU's event notification protocol"
    return _Line(row.name, row.name, block, ("", row.meaning), [cell], partial(_system_of_notify, row))


def _system_of_notify(row: protocol.NotifyRow, name: str) -> TransitionSystem:
    return protocol.system_of(row)


def _show(lines: Sequence[_Line], notify: bool, full: bool, summary: str) -> None:
    """Print a table for each scenario, what its columns mean, what is taken for granted, and the summary, unless it is the answer."""
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
    emit(f"\n{summary}\n" if summary else "")


def _table(lines: Sequence[_Line], notify: bool) -> Table:
    """A line a row."""
    names = " ".join(f"{cell.name:2}" for cell in lines[0].cells)
    columns: dict[Column, Callable[[_Line], Cell]] = {
        Column("model" if notify else "revision"): lambda line: line.name,
        Column("date", give_way=2): lambda line: line.about[0],
        Column(names): _strip,
        Column("what is different" if notify else "what changed", give_way=1, least=30): lambda line: line.about[1],
    }
    return Table.of(lines, columns).without_empty("date")


def _strip(line: _Line) -> Styled:
    """The verdicts as signs."""
    wrong = any(not cell.as_expected for cell in line.cells)
    bad = any(cell.word == "violated" for cell in line.cells)
    signs = (cell.sign.ljust(max(2, len(cell.name))) for cell in line.cells)
    return Styled(" ".join(signs), "bold yellow" if wrong else "red" if bad else "")


def _full_table(lines: Sequence[_Line]) -> Table:
    """A line a demand."""
    columns: dict[Column, Callable[[tuple[str, Listed]], Cell]] = {
        Column("row"): lambda item: item[0],
        Column("demand"): lambda item: item[1].name,
        Column("verdict"): lambda item: item[1].cell,
        Column("expected"): lambda item: item[1].expected,
        Column("how", give_way=2): lambda item: str(item[1].verdict.reason),
        Column("why", give_way=1, least=30): lambda item: item[1].argument,
    }
    return Table.of(((line.name, cell) for line in lines for cell in line.cells), columns)


def _print_demands() -> None:
    """What the columns mean, and what is taken for granted."""
    emit("\n" + "".join(f"  {item.name:3} {item.meaning}\n" for item in LIVENESS))
    emit("\ntaken for granted:\n")
    for item in ASSUMPTIONS:
        text = f"{item.name} ({item.strength} fairness): {item.reason}"
        emit("".join(f"{line}\n" for line in wrapped(text, min(standard.columns() or WIDTH, WIDTH), "  ", "    ")))


def _summary(lines: Sequence[_Line], seconds: float) -> str:
    cells = [cell for line in lines for cell in line.cells]
    unexpected = sum(cell.unexpected for cell in cells) if any(cell.expected for cell in cells) else None
    said = tallied(Tally(cell.word for cell in cells), unexpected)
    return f"{counted(len(lines), 'row')}, {said}; {seconds:.2f} s"


def _show_traces(lines: Iterable[_Line]) -> None:
    """A counterexample of everything that is violated; the same one is printed once."""
    seen: set[tuple[str, tuple[int, ...]]] = set()
    for line, cell in ((row, cell) for row in lines for cell in row.cells):
        trace = cell.verdict.trace
        if cell.word == "violated" and trace is not None and (trace.digest, trace.actions) not in seen:
            seen.add((trace.digest, trace.actions))
            emit("\n")
            emit_trace(Run.of(line.system(cell.name), trace))

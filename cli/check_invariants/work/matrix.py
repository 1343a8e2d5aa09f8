"""`check-invariants matrix`: what it does and shows."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import groupby
from time import perf_counter
from typing import NamedTuple

from msgspec.structs import asdict, replace

from check_invariants.documents import Document, emit_json
from check_invariants.exit import EmptySelection, ExitCode, ending, of_answer, of_comparison, of_verdict
from check_invariants.names import merged
from check_invariants.output import advise, emit, emit_stop, emit_substitutes, emit_table, until_stopped
from check_invariants.selection import check_possible
from check_invariants.table import Column, Styled, Table
from check_invariants.words import VERDICTS, Listed, tallied
from draincheck.knobs import Setting, shown
from draincheck.qemu import Scenario
from draincheck.revisions import CONTROLS, Revision, called, substitutes, with_settings
from draincheck.verdict import all_known
from draincheck.words import counted, share
from drainspecs.mirror.answer import answer, answering_scenarios
from drainspecs.mirror.impact import SAFE, breach_of, matters
from drainspecs.mirror.objections import objection
from drainspecs.mirror.scenarios import in_table
from drainspecs.suite import matrix
from drainspecs.suite.matrix import Cell, Deviation, Row, RowResult, deviations, with_order_any

_LEGEND = """\
A column a property (`check-invariants list properties`): . holds, x violated, - never asked, ? unknown; ! not as expected.
Before the bar stands what a guest can see, behind it rules inside QEMU, which may be broken where all is safe.
~ as far as modelled: the verdict could turn on something that is left out, and `--full` says on what.
The outcome in words: silent loss (S3, S4), abort or crash (A1), hang (F1); stray request: S1 alone; safe: none of these.
"""

#: code bases that are answered for before the tables, too
FEW = 5

_STYLES = {
    "safe": "green",
    "silent loss": "bold red",
    "abort": "red",
    "crash": "red",
    "hang": "magenta",
    "model fault": "bold yellow",
}


def command(
    *,
    revisions: Sequence[Revision],
    scenarios: Sequence[Scenario],
    properties: Sequence[str],
    order: str | None,
    settings: Sequence[tuple[str, Setting]],
    wide: bool,
    full: bool,
    strict: bool,
    processes: int | None,
    as_json: bool,
) -> ExitCode:
    """Decide the rows that the options select."""
    turned = merged(settings)
    order = shown(turned.pop("order")) if "order" in turned else order
    rows = _selected(revisions, scenarios, order, turned, wide)
    advise(matrix.advice(rows))
    started = perf_counter()
    results, stop = until_stopped(matrix.decide_all(rows, processes), "row", "decided", len(rows))
    seconds = perf_counter() - started
    results += [matrix.unknown(row, stop) for row in rows[len(results) :] if stop]
    stop = stop or next(filter(None, (result.stopped for result in results)), None)
    named = bool(revisions or turned)
    asked = _Asked(named, strict or bool(properties))
    code = ending((code for result in results for code in _codes(result, properties, asked)), stop)
    answers = _answers(results) if named else ""
    if as_json:
        found = [_row_json(result, properties) for result in results]
        summary = _Sum.of(results, properties, seconds)._asdict()
        said: Document = {"answers": answers.splitlines(), "substitutes": substitutes(revisions)}
        emit_json("matrix", {**said, "rows": found, "summary": summary}, code)
    else:
        few = 0 < answers.count("\n") <= FEW
        emit(f"{answers}\n" if few else f"{_Sum.of(results, properties, seconds)}\n\n")
        emit_substitutes(revisions)
        show(results, properties, seconds, full)
        emit(answers)
    decided = sum(all_known(result.exploration.verdicts.values()) for result in results)
    emit_stop(stop, f"{share(decided, len(rows), 'row')} decided; the others are unknown")
    return code


def _selected(
    revisions: Sequence[Revision],
    scenarios: Sequence[Scenario],
    order: str | None,
    turned: Mapping[str, Setting],
    wide: bool,
) -> list[Row]:
    """The rows that are asked about. Raises EmptySelection for none."""
    if (revisions or turned) and not (scenarios or wide):
        scenarios = answering_scenarios()
    rows = _wide(scenarios) if wide else matrix.default_rows(scenarios=scenarios)
    wanted = [_as_asked(row, revisions) for row in _ordered(rows, order) if _wanted(row, revisions, scenarios)]
    rows = _turned(wanted, turned)
    if not rows:
        raise EmptySelection("nothing selected: none of these code bases can run any of these scenarios")
    return rows


def _wide(scenarios: Sequence[Scenario]) -> list[Row]:
    """All rows, and those of scenarios that the table does not have."""
    beyond = [scenario for scenario in scenarios if not in_table(scenario)]
    return [*matrix.all_rows(), *(matrix.default_rows(scenarios=beyond) if beyond else [])]


def _ordered(rows: Sequence[Row], order: str | None) -> list[Row]:
    """The rows with GSources in this order; as they are, if none is said."""
    if order == "any":
        rows = [replace(row, revision=with_order_any(row.revision)) for row in rows]
    return [row for row in dict.fromkeys(rows) if order in (None, row.revision.knobs.order)]


def _turned(rows: Sequence[Row], settings: Mapping[str, Setting]) -> list[Row]:
    """The rows with knobs turned by hand, as far as such a code base could be. Raises MalformedInput if none could."""
    if not settings:
        return list(rows)
    turned = [replace(row, revision=with_settings(row.revision, settings)) for row in rows]
    found = [row for row in turned if not objection(row.revision.knobs, row.scenario)]
    if turned and not found:
        check_possible(turned[0].revision, turned[0].scenario)
    return found


def _wanted(row: Row, revisions: Sequence[Revision], scenarios: Sequence[Scenario]) -> bool:
    """Whether the options select a row. GSource order is not the business of a revision's name."""
    names = {revision.name for revision in revisions}
    return (not names or row.revision.name in names) and (not scenarios or row.scenario in scenarios)


def _as_asked(row: Row, revisions: Sequence[Revision]) -> Row:
    """The row under the name by which it was asked for; of several names its own comes first."""
    names = [revision.stands_for for revision in revisions if revision.name == row.revision.name]
    return replace(row, revision=replace(row.revision, stands_for=min(names, default="")))


def _cells(result: RowResult, properties: Sequence[str]) -> list[Cell]:
    """The chosen verdicts of a row."""
    return [cell for cell in result.cells if not properties or cell.property_name in properties]


def _listed(cell: Cell) -> Listed:
    return Listed(cell.property_name, cell.verdict, cell.expected)


class _Asked(NamedTuple):
    """What is asked: about code bases that are `named`, or whether all is as expected; and whether rules inside QEMU matter."""

    named: bool
    strict: bool

    def code(self, cell: Cell) -> ExitCode:
        """What a verdict comes to."""
        name, outcome = cell.property_name, cell.verdict.outcome
        if self.named:
            return of_answer(outcome, breach_of(name), self.strict or matters(name), cell.expected)
        return of_verdict(outcome, breach_of(name), cell.expected)


def _codes(result: RowResult, properties: Sequence[str], asked: _Asked) -> list[ExitCode]:
    """The exit codes that a row makes."""
    if result.fault:
        return [of_comparison(False)]
    return [asked.code(cell) for cell in _cells(result, properties)]


def _answers(results: Sequence[RowResult]) -> str:
    """A line a code base: what comes of it, and in which scenarios."""
    found: dict[str, list[RowResult]] = {}
    for result in results:
        found.setdefault(called(result.row.revision), []).append(result)
    return "".join(f"{_answer(name, rows)}\n" for name, rows in found.items())


def _answer(name: str, results: Sequence[RowResult]) -> str:
    words = {result.row.key: result.consequences for result in results}
    short = any(result.consequences == (SAFE,) and any(cell.limits for cell in result.cells) for result in results)
    return answer(name, words) + ", as far as modelled" * short


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
    emit("".join(f"{_wrong(line)}: {line}\n" for line in _unexpected(results, properties)))
    emit(f"{_Sum.of(results, properties, seconds)}\n")


def _table(block: Sequence[RowResult], properties: Sequence[str]) -> Table:
    """A line a code base."""
    names = [cell.property_name for cell in _cells(block[0], properties)]
    columns: dict[Column, Callable[[RowResult], str | Styled]] = {
        Column("revision"): lambda result: result.row.revision.name,
        Column("date", give_way=4): lambda result: result.row.revision.date,
        Column("outcome"): lambda result: _outcome(result, properties),
        **_strips(names),
        Column("states", right=True, give_way=3): lambda result: str(result.counts.states),
        Column("ms", right=True, give_way=5): lambda result: f"{result.milliseconds:.1f}",
        Column("what changed", give_way=2, least=30): lambda result: result.row.revision.subject,
    }
    return Table.of(block, columns)


def _outcome(result: RowResult, properties: Sequence[str]) -> Styled:
    """What comes of it; `~`: nothing was found to be wrong, and some of that holds only as far as modelled."""
    less = result.consequences == ("safe",) and any(cell.limits for cell in _cells(result, properties))
    return Styled(", ".join(result.consequences) + "~" * less, _STYLES.get(result.consequences[0], ""))


def _strips(names: Sequence[str]) -> dict[Column, Callable[[RowResult], Styled]]:
    """The verdicts as signs: what a guest can see, and apart from it the rules inside QEMU."""
    seen, rules = ([name for name in names if matters(name) is visible] for visible in (True, False))
    columns: dict[Column, Callable[[RowResult], Styled]] = {}
    for head, group in (("", seen), ("| ", rules)):
        if group:
            columns[Column(head + " ".join(f"{name:2}" for name in group), give_way=1, grid=True)] = partial(
                _strip, group, head
            )
    return columns


def _strip(names: Sequence[str], head: str, result: RowResult) -> Styled:
    """The verdicts on some properties as signs."""
    cells = [cell for cell in result.cells if cell.property_name in names]
    signs = [(_listed(cell).sign + "~" * bool(cell.limits)).ljust(max(2, len(cell.property_name))) for cell in cells]
    return Styled(head + " ".join(signs), "" if all(cell.as_expected for cell in cells) else "bold yellow")


def _full_table(block: Sequence[RowResult], properties: Sequence[str]) -> Table:
    """A line a property."""
    columns: dict[Column, Callable[[tuple[RowResult, Cell]], str | Styled]] = {
        Column("revision"): lambda item: item[0].row.revision.name,
        Column("date", give_way=3): lambda item: item[0].row.revision.date,
        Column("scenario", give_way=4): lambda item: item[0].row.key,
        Column("property"): lambda item: item[1].property_name,
        Column("verdict"): lambda item: _listed(item[1]).cell,
        Column("expected"): lambda item: _listed(item[1]).expected,
        Column("limited by"): lambda item: ", ".join(note.name for note in item[1].limits),
        Column("states", right=True, give_way=2): lambda item: str(item[0].counts.states),
        Column("ms", right=True, give_way=5): lambda item: f"{item[0].milliseconds:.1f}",
        Column("what changed", give_way=1, least=30): lambda item: item[0].row.revision.subject,
    }
    return Table.of(((result, cell) for result in block for cell in _cells(result, properties)), columns)


def _limits(results: Sequence[RowResult], properties: Sequence[str]) -> str:
    """What the verdicts above are limited by, each once."""
    notes = dict.fromkeys(note for result in results for cell in _cells(result, properties) for note in cell.limits)
    return "".join(f"as far as modelled: {note.name}: {note.says}\n" for note in notes)


def _wrong(line: Deviation) -> str:
    """What is wrong with it, in a word."""
    return "unknown" if line.kind == "unknown" else "unexpected"


def _unexpected(results: Sequence[RowResult], properties: Sequence[str]) -> list[Deviation]:
    """The verdicts that are not as expected, or unknown, and the models at fault; pinned counts are the gate's business."""
    found = [item for result in results for item in deviations(result) if item.kind != "counts"]
    return [item for item in found if not properties or item.kind == "fault" or item.what in properties]


class _Sum(NamedTuple):
    """What the last line says."""

    rows: int
    verdicts: Mapping[str, int]
    unexpected: int | None
    systems: int
    states: int
    seconds: float

    @classmethod
    def of(cls, results: Sequence[RowResult], properties: Sequence[str], seconds: float) -> _Sum:
        """Count."""
        found = [cell for result in results for cell in _cells(result, properties)]
        tally = Tally(cell.verdict.outcome.value for cell in found)
        systems = {result.digest: result.counts.states for result in results if result.digest}
        return cls(
            len(results),
            {word: tally[word] for word in VERDICTS},
            sum(cell.unexpected for cell in found) if any(cell.expected for cell in found) else None,
            len(systems),
            sum(systems.values()),
            round(seconds, 3),
        )

    def __str__(self) -> str:
        return (
            f"{counted(self.rows, 'row')}, {tallied(self.verdicts, self.unexpected)}; "
            f"{counted(self.systems, 'distinct system')}, {counted(self.states, 'state')}, {self.seconds:.2f} s"
        )


def _row_json(result: RowResult, properties: Sequence[str]) -> Document:
    revision, pinned = result.row.revision, result.pinned
    return {
        "revision": revision.name,
        "date": revision.date,
        "release": revision.release,
        "subject": revision.subject,
        "scenario": result.row.scenario.name,
        "order": revision.knobs.order,
        "outcome": result.consequences,
        "fault": result.fault,
        "digest": result.digest,
        **asdict(result.counts),
        "pinned": None if pinned is None else list(asdict(pinned).values()),
        "milliseconds": round(result.milliseconds, 1),
        "properties": [_cell_json(cell) for cell in _cells(result, properties)],
    }


def _cell_json(cell: Cell) -> Document:
    trace = cell.verdict.trace
    return {
        "name": cell.property_name,
        **_listed(cell).to_json(),
        "derived": None if cell.expected is None else cell.expected.derived,
        "as_expected": cell.as_expected,
        "actions": None if trace is None else len(trace.actions),
        "limits": [note.says for note in cell.limits],
    }

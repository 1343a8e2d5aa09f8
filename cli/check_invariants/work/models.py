"""`check-invariants check` of models of the user's: one, all variants of a file, or a function with several values of its parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import click
from msgspec import Struct

from check_invariants.documents import Document, emit_json
from check_invariants.exit import EmptySelection, ExitCode, MalformedInput, ending, of_answer, of_verdict
from check_invariants.judge import Asked, checked, compiled, instead, warn
from check_invariants.output import emit, emit_stop, emit_table, until_stopped
from check_invariants.own_models import Maker, Models, load_models
from check_invariants.selection import check_names, had_by, names_of, own_settings
from check_invariants.table import Cell, Column, Styled, Table
from check_invariants.words import Listed, searched
from check_invariants.work.answered import check_one
from check_invariants.work.findings import Wanted
from draincheck import ModelFile, Subject
from draincheck.checking import Finding, Result
from draincheck.knobs import Setting
from draincheck.parameters import assigned
from draincheck.reason import Stop
from draincheck.verdict import all_known
from draincheck.words import counted, listed, share, some

if TYPE_CHECKING:
    from check_invariants.selectors import Selectors

__all__ = ["check"]


def check(
    asked: Asked,
    wanted: Wanted,
    processes: int | None,
    named: Selectors,
    *,
    one: Callable[[Subject, Asked, Wanted], ExitCode] = check_one,
    several: Callable[[str, Sequence[tuple[str, Setting]], ExitCode], object] = lambda name, settings, code: None,
) -> ExitCode:
    """Check the model that the options name, or several.

    `one` checks a single one, `several` is told of others how they were named, once they are decided, and with which code. Raises as `load_models`.
    """
    name, settings = named["model"], own_settings(named)
    assert name is not None
    subject = load_models(name, settings)
    if not isinstance(subject, Models):
        return one(subject, asked, wanted)
    _refuse_for_several(subject, wanted)
    code = command(subject, asked.of_all_states, wanted.as_json)
    several(name, settings, code)
    return code


def _refuse_for_several(models: Models, wanted: Wanted) -> None:
    """Raise UsageError for what one model alone has."""
    given_for_one = (
        ("--trace-out", wanted.trace_out is not None),
        ("--traces", wanted.traces is None),
        ("--short", wanted.short),
    )
    for option, given in given_for_one:
        if given:
            raise click.UsageError(
                f"{option} is for one model, and {models.called} is {len(models.all)} here: name one"
            )


def command(models: Models, asked: Asked, as_json: bool) -> ExitCode:
    """Decide each, a line each: variants against what the file expects of them, others by their verdicts. The worst decides."""
    rows, stop = until_stopped(map(partial(_row, asked), models.all), "model", "decided", len(models.all))
    if stop is None:
        _refuse_unknown(rows, asked)
    stop = stop or next((row.result.stopped for row in rows if row.result and row.result.stopped), None)
    code = ending((code for row in rows for code in row.codes), stop)
    if as_json:
        emit_json("check-models", _json(models, rows, stop), code)
    else:
        _show(models, rows, stop)
    decided = sum(row.result is not None and all_known(row.result.verdicts.values()) for row in rows)
    emit_stop(stop, f"{share(decided, len(models.all), 'model')} decided", instead(asked, stop))
    return code


class _Row(Struct, frozen=True):
    """A model, and what the check of it found.

    Attributes:
        made: what tells it from the others, and how it is named.
        model: the model, if it could be built.
        result: what was found, if anything was.
        refused: why nothing was.
        code: what that comes to.
        lacks: the properties that it was asked about and does not have.
    """

    made: Maker
    model: ModelFile | None
    result: Result | None = None
    refused: str = ""
    code: ExitCode = ExitCode.OK
    lacks: Sequence[str] = ()

    @property
    def listed(self) -> list[Listed]:
        """The verdicts beside what the file expects."""
        return [Listed(item.name, item.verdict, item.expectation) for item in self._findings]

    @property
    def _findings(self) -> Sequence[Finding]:
        return () if self.result is None else self.result.findings

    @property
    def codes(self) -> Iterator[ExitCode]:
        """What the verdicts make: compared with what is expected of a variant, by themselves for any other model."""
        yield self.code
        for item in self._findings:
            if item.expectation is None:
                yield of_answer(item.outcome, item.item.breach, True)
            else:
                yield of_verdict(item.outcome, item.item.breach, item.expectation)

    def named(self, word: str) -> str:
        """The properties with this verdict."""
        return ", ".join(item.name for item in self.listed if item.word == word)

    @property
    def differences(self) -> str:
        """What is not as expected."""
        return ", ".join(f"{item.name} {item.word}" for item in self.listed if item.unexpected)

    @property
    def states(self) -> str:
        """How many states there are, if the engine says so."""
        found = None if self.result is None else self.result.exploration
        return "" if found is None else str(found.statistics.states)

    @property
    def searched(self) -> str:
        """The same, and whether these are those of a reduced system."""
        found = None if self.result is None else self.result.exploration
        return "" if found is None else searched(found)


def _row(asked: Asked, made: Maker) -> _Row:
    """Check one of them; that one demands nothing, or not this, or cannot be built or searched, is said of it, and the others are decided."""
    model = None
    try:
        model = made.make()
        had = had_by(compiled(model), asked.properties)
        if asked.properties and not had:
            return _Row(made, model, lacks=asked.properties)
        warn(result := checked(model, asked._replace(properties=had)))
    except (EmptySelection, MalformedInput) as error:
        return _Row(made, model, None, error.message, ExitCode.of(error))
    return _Row(made, model, result, lacks=[name for name in asked.properties if name not in had])


def _refuse_unknown(rows: Sequence[_Row], asked: Asked) -> None:
    """Raise BadParameter for a property that none of the models has, if all could be built."""
    built = [row.model for row in rows if row.model is not None and not row.refused]
    if len(built) == len(rows):
        check_names(
            asked.properties, list(dict.fromkeys(name for model in built for name in names_of(compiled(model))))
        )


def _answer(models: Models, rows: Sequence[_Row], stop: Stop | None) -> str:
    """What came of all of them, in a sentence; with a stop some may be missing."""
    what = "variant" if models.variants else "model"
    said = _of_variants(rows) if models.variants else _of_models(rows)
    missing = [named.name for named in models.all[len(rows) :]]
    if missing:
        return "; ".join(
            [f"{models.called}: {counted(len(models.all), what)}", *said, f"unknown: {some(missing)} ({stop})"]
        )
    well = sorted({row.result.well for row in rows if row.result is not None}, key="everything holds".__eq__)
    otherwise = "all verdicts are as expected" if models.variants else f"{next(iter(well), '')} in each"
    return f"{models.called}: {counted(len(rows), what)}; {'; '.join([*(said or [otherwise]), *_lacking(rows)])}"


def _of_variants(rows: Sequence[_Row]) -> list[str]:
    wrong = [f"{row.made.name} ({row.differences})" for row in rows if row.differences]
    unknown = [f"{row.made.name} ({row.named('unknown')})" for row in rows if row.named("unknown")]
    found = {"not as expected": wrong, "unknown": unknown}
    return [*(f"{word}: {some(names)}" for word, names in found.items() if names), *_refused(rows)]


def _of_models(rows: Sequence[_Row]) -> list[str]:
    found = [f"{word} in {_where(rows, word)}" for word in ("violated", "never asked", "unknown") if _where(rows, word)]
    return [*found, *_refused(rows)]


def _refused(rows: Sequence[_Row]) -> list[str]:
    """Which of them demand nothing, or cannot be built."""
    names = [row.made.name for row in rows if row.refused]
    return [f"refused: {some(names)}"] if names else []


def _lacking(rows: Sequence[_Row]) -> list[str]:
    """Which of them do not have what they were asked about."""
    names = dict.fromkeys(name for row in rows for name in row.lacks)
    return [f"without {name}: {some([row.made.name for row in rows if name in row.lacks])}" for name in names]


def _where(rows: Sequence[_Row], word: str) -> str:
    """How many models have properties with this verdict, and which: "" if none has."""
    found = [row for row in rows if row.named(word)]
    names = dict.fromkeys(item.name for row in found for item in row.listed if item.word == word)
    return f"{len(found)} ({', '.join(names)})" if found else ""


def _show(models: Models, rows: Sequence[_Row], stop: Stop | None) -> None:
    """The answer, a line a model, where to look, and the answer again."""
    answer = _answer(models, rows, stop)
    emit(f"{answer}\n\n")
    emit_table(_table(models, rows))
    refused = [row for row in rows if row.refused]
    violated = [row for row in rows if row.differences] or [
        row for row in rows if row.named("violated") and not refused
    ]
    emit("\n" + "".join(f"see: check-invariants check {row.made.options}\n" for row in (*refused, *violated[:1])))
    emit(f"{answer}\n")


def _table(models: Models, rows: Sequence[_Row]) -> Table:
    """A line a model."""

    def those(word: str, style: str) -> Callable[[_Row], Cell]:
        return lambda row: Styled(row.named(word), style)

    columns: dict[Column, Callable[[_Row], Cell]] = {
        Column("variant" if models.variants else "parameters"): lambda row: row.made.name,
        Column("with"): lambda row: assigned(row.model.parameters) if row.model and models.variants else "",
        Column("violated"): those("violated", "red"),
        Column("never asked"): those("never asked", "magenta"),
        Column("unknown"): those("unknown", "yellow"),
        Column("not as expected"): lambda row: Styled(row.differences, "bold yellow"),
        Column("without"): lambda row: listed(row.lacks),
        Column("refused"): lambda row: Styled(row.refused, "bold red"),
        Column("states", right=True): lambda row: row.searched,
    }
    table = Table.of(rows, columns)
    for header in ("with", "never asked", "unknown", "not as expected", "without", "refused", "states"):
        table = table.without_empty(header)
    return table


def _json(models: Models, rows: Sequence[_Row], stop: Stop | None) -> Document:
    """The same as JSON values."""
    return {
        "answer": _answer(models, rows, stop),
        "models": [_row_json(row) for row in rows],
        "undecided": [named.name for named in models.all[len(rows) :]],
        "stopped": None if stop is None else str(stop),
    }


def _row_json(row: _Row) -> Document:
    return {
        "name": row.made.name,
        "model": None if row.model is None else row.model.system().name,
        "digest": None if row.model is None else row.model.system().digest,
        "source": None if row.model is None else row.model.source(),
        "variant": row.made.variant,
        "states": int(row.states) if row.states else None,
        "properties": [{"name": item.name, **item.to_json()} for item in row.listed],
        "lacks": list(row.lacks),
        "refused": row.refused or None,
    }

"""`check-invariants trace diff`: what it does and shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import dropwhile, groupby

import click
from msgspec import Struct, to_builtins

from check_invariants.documents import Document, emit_json
from check_invariants.exit import ExitCode, of_comparison
from check_invariants.judge import compiled
from check_invariants.options import STDOUT
from check_invariants.output import emit, emit_table
from check_invariants.own_models import select_from_source
from check_invariants.table import Column, Table
from check_invariants.work.trace import read_as
from draincheck import Run, TraceError, read_trace
from draincheck.conformance.reproduced import reproduced
from draincheck.report.told import ToldStep, ToldTrace, told_trace
from draincheck.report.trace_diff import StepPair, TraceDifference, Values, compared
from draincheck.words import counted, listed


class Ended(Struct, frozen=True):
    """What a trace comes to on the reference core, and the writes that are lost."""

    outcome: str
    lost: Sequence[str]

    @classmethod
    def of(cls, data: bytes) -> Ended | None:
        """That of a trace file; None where the core, or its model, does not follow it, and for a model of the user's."""
        read = read_trace(data)
        try:
            subject = select_from_source(read.source)
            ended = reproduced(Run.of(compiled(subject), read.trace), subject)
        except (click.ClickException, TraceError):
            return None
        return None if ended is None else cls(ended.outcome.value, [write.name for write in ended.lost])

    def __str__(self) -> str:
        return f"{self.outcome} of {listed(self.lost)}" if self.lost else self.outcome


class _Sides(Struct, frozen=True):
    """Two traces, and what differs."""

    a: ToldTrace
    b: ToldTrace
    ended: tuple[Ended | None, Ended | None]
    found: TraceDifference

    @property
    def is_same(self) -> bool:
        """Whether nothing differs; what the core says counts where it says something of both."""
        one, other = self.ended
        return self.found.is_same and (one is None or other is None or one == other)

    def step(self, pair: StepPair) -> ToldStep:
        """The step that a pair is about."""
        return self.a.steps[pair.a - 1] if pair.a else self.b.steps[(pair.b or 0) - 1]

    def row(self, pair: StepPair) -> list[str]:
        """A step that is not the same in both."""
        step = self.step(pair)
        return [str(pair.a or ""), str(pair.b or ""), f"{step.process}: {step.label}", "; ".join(_differing(pair))]


def command(file: str, other: str, *, as_json: bool) -> ExitCode:
    """Compare two trace files."""
    if file == other == STDOUT:
        raise click.UsageError("only one of the traces can come from standard input")
    (data, a), (more, b) = (read_as(told_trace, name) for name in (file, other))
    sides = _Sides(a, b, (Ended.of(data), Ended.of(more)), compared(a, b))
    code = of_comparison(sides.is_same)
    if as_json:
        emit_json("trace-diff", _json(sides), code)
    else:
        _show(sides, file, other)
    return code


def _show(sides: _Sides, file: str, other: str) -> None:
    """The answer, what each is, the steps, the ends, and the answer again."""
    answer, found = _answer(sides), sides.found
    emit(f"{answer}\n\nA: {_what(sides.a)} ({file})\nB: {_what(sides.b)} ({other})\n")
    _show_values("what they say", found.about)
    _show_values("at the start", found.start)
    if not all(pair.is_same for pair in found.pairs):
        emit("\n")
        emit_table(_steps(sides))
    _show_values("at the end", found.end)
    for side, names in zip("AB", found.only, strict=True):
        emit(f"\nin {side} alone: {', '.join(names)}\n" if names else "")
    ends = ", ".join(f"{side} {ended or 'not executed'}" for side, ended in zip("AB", sides.ended, strict=True))
    emit(f"\non the core: {ends}\n" if any(sides.ended) else "")
    emit(f"\n{answer}\n")


def _what(trace: ToldTrace) -> str:
    """What a trace is of, in a few words."""
    shows = f"{trace.demand} {trace.verdict}" if trace.verdict else trace.demand or "no property"
    return f"{trace.model}, {shows}, {counted(len(trace.steps), 'step')}"


def _show_values(head: str, values: Mapping[str, Values]) -> None:
    """A table of what has another value in each."""
    if values:
        emit("\n")
        rows = [[name, _value(one), _value(other)] for name, (one, other) in values.items()]
        emit_table(Table([Column(head), Column("A"), Column("B")], rows))


def _value(value: bool | int | str | None) -> str:
    return "-" if value is None else str(int(value)) if isinstance(value, bool) else str(value)


def _answer(sides: _Sides) -> str:
    """Where they part, in a sentence."""
    found, steps = sides.found, (len(sides.a.steps), len(sides.b.steps))
    if found.parting is None:
        same = f"the same {counted(steps[0], 'step')}"
        return same if sides.is_same else f"{same}, and not the same otherwise"
    a, b = (
        f"step {number} of {side}" if number else f"the end of {side}"
        for side, number in zip("AB", _parting(found), strict=True)
    )
    return f"they part at {a}, {b}; both take {found.shared} of {steps[0]} and {counted(steps[1], 'step')}"


def _parting(found: TraceDifference) -> tuple[int | None, int | None]:
    """The numbers of the first steps of both that are not the same; None for one that has come to its end."""
    rest = list(dropwhile(lambda pair: pair.is_same, found.pairs))
    return next((pair.a for pair in rest if pair.a), None), next((pair.b for pair in rest if pair.b), None)


def _steps(sides: _Sides) -> Table:
    """All steps, those that are the same in a row together."""
    rows = [
        row
        for same, pairs in groupby(sides.found.pairs, lambda pair: pair.is_same)
        for row in (_folded(list(pairs)) if same else map(sides.row, pairs))
    ]
    columns = [Column("A", right=True), Column("B", right=True), Column("step"), Column("what differs")]
    return Table(columns, rows).without_empty("what differs")


def _folded(pairs: Sequence[StepPair]) -> Iterator[list[str]]:
    """Steps that are the same."""
    first, last = pairs[0], pairs[-1]
    numbers = (f"{one}-{other}" if one != other else str(one) for one, other in ((first.a, last.a), (first.b, last.b)))
    yield [*numbers, f"... {counted(len(pairs), 'step')}, the same in both", ""]


def _differing(pair: StepPair) -> Iterator[str]:
    """What differs in a step that both take."""
    yield from (f"{name}: {_value(one)} | {_value(other)}" for name, (one, other) in pair.changes.items())
    if pair.broken:
        yield " | ".join(f"breaks {', '.join(names)}" if names else "breaks nothing" for names in pair.broken)
    if pair.actions:
        yield "another step of that name"


def _json(sides: _Sides) -> Document:
    """The same as JSON values."""
    found = sides.found
    return {
        "answer": _answer(sides),
        "same": sides.is_same,
        "traces": [_trace_json(trace, ended) for trace, ended in zip((sides.a, sides.b), sides.ended, strict=True)],
        "about": to_builtins(found.about),
        "start": to_builtins(found.start),
        "steps": [_pair_json(sides, pair) for pair in found.pairs],
        "end": to_builtins(found.end),
        "only": to_builtins(found.only),
    }


def _trace_json(trace: ToldTrace, ended: Ended | None) -> Document:
    return {
        "model": trace.model,
        "digest": trace.digest,
        "property": trace.demand,
        "verdict": trace.verdict,
        "steps": len(trace.steps),
        "core": None if ended is None else to_builtins(ended),
    }


def _pair_json(sides: _Sides, pair: StepPair) -> Document:
    step = sides.step(pair)
    return {"process": step.process, "label": step.label, **to_builtins(pair)}

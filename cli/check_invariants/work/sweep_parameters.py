"""`check-invariants sweep` of a model of the user's: all combinations of its parameters, the safe ones as a decision table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter

import click
from msgspec import Struct

from check_invariants.documents import Document, emit_json
from check_invariants.exit import ExitCode, LimitReached, ending
from check_invariants.output import emit, emit_stop, emit_table, until_stopped
from check_invariants.own_models import Varied, refusing, varied
from check_invariants.selection import chosen_properties
from check_invariants.table import Column, Styled, Table
from draincheck.analysis.decision_tables import Cube
from draincheck.budget import grace
from draincheck.errors import SpaceTooLarge
from draincheck.knobs import Setting
from draincheck.model_file import Builder
from draincheck.parameters import assigned, distinct, shown
from draincheck.reason import Stop
from draincheck.sorts import Value
from draincheck.words import counted, listed, share
from drainspecs.questions.parameters import Combination, compared, decide_all, demands, points_of, safe_cubes


class Swept(Struct, frozen=True):
    """What is swept: the function, the parameters with the values that are tried, and those that stay as they are."""

    name: str
    varied: Varied

    @classmethod
    def of(cls, name: str, settings: Sequence[tuple[str, Setting]], knobs: Sequence[str]) -> Swept:
        """The parameters of these names, or all whose values can be listed. Raises UsageError if there is none to try."""
        found = varied(name, settings, knobs)
        if not found.axes:
            raise click.UsageError(
                f"there is no parameter with values to try: list some, as in --set {'NAME'}=1..3; {found.builder.parameters.takes}"
            )
        return cls(name, found)

    @property
    def title(self) -> str:
        """The function, and what stays as it is."""
        fixed = assigned(self.varied.fixed)
        return f"{self.name} with {fixed}" if fixed else self.name


def swept(asked: Swept, properties: Sequence[str], processes: int | None, as_json: bool) -> ExitCode:
    """Decide all combinations. Raises LimitReached for too many, and MalformedInput."""
    started = perf_counter()
    try:
        points = points_of(asked.varied.axes, asked.varied.fixed)
        with refusing():
            _refuse_unknown(asked.varied.builder, points, properties)
            decided = decide_all(asked.varied.builder, points, properties, processes)
            found, stop = until_stopped(decided, "model", "decided", len(points))
        found = compared(found)
        with grace():
            cubes = safe_cubes(found, asked.varied.axes)
    except SpaceTooLarge as error:
        raise LimitReached(str(error)) from error
    stop = stop or next((item.stopped for item in found if item.stopped), None)
    result = _Found(asked, found, cubes, len(points), perf_counter() - started, stop)
    code = ending([ExitCode.INCONCLUSIVE] if result.undecided else [], stop)
    if as_json:
        emit_json("sweep-model", _json(result), code)
    else:
        _show(result)
    emit_stop(stop, f"{share(len(points) - result.undecided, len(points), 'model')} decided")
    return code


def _refuse_unknown(builder: Builder, points: Sequence[dict[str, Value]], names: Sequence[str]) -> None:
    """Raise BadParameter for a property that none of the models has, and EmptySelection if none demands anything."""
    for asked in [[name] for name in names] or [[]]:
        if not any(demands(builder.build(point).system(), asked) for point in points):
            chosen_properties(builder.build(points[0]).system(), asked)


class _Found(Struct, frozen=True):
    """What was found: each combination that was looked at, of so many, and the cubes of those in which everything holds."""

    asked: Swept
    all: Sequence[Combination]
    cubes: Sequence[Cube]
    size: int
    seconds: float
    stop: Stop | None

    @property
    def properties(self) -> list[str]:
        """Those that were asked about, and the errors of runs that some model meets."""
        return list(dict.fromkeys(name for item in self.all for name in item.outcomes))

    @property
    def safe(self) -> int:
        """In how many all of them hold."""
        return sum(item.good for item in self.all)

    @property
    def lacking(self) -> list[Combination]:
        """Those that meet what they demand, and do not demand all that others do."""
        return [item for item in self.all if item.meets and item.lacking]

    @property
    def undecided(self) -> int:
        """Of how many it is unknown whether they do."""
        return self.size - sum(not item.undecided for item in self.all)

    @property
    def fitting(self) -> list[int]:
        """How many models are in each cube."""
        return [sum(_fits(item.values, cube) for item in self.all) for cube in self.cubes]

    @property
    def answer(self) -> str:
        """The answer in a sentence."""
        what = f"{listed(self.properties)} hold{'s' * (len(self.properties) == 1)}" if self.all else "everything holds"
        unknown = f"; {self.undecided} unknown" if self.undecided else ""
        return f"{self.asked.title}: {what} in {self.safe} of {counted(self.size, 'model')}{self._lacking}{unknown}"

    @property
    def _lacking(self) -> str:
        """In how many others something is not demanded, and all else holds; "" if in none."""
        names = dict.fromkeys(name for item in self.lacking for name in item.lacking)
        return f"; not demanded in {len(self.lacking)} where all else holds: {', '.join(names)}" if names else ""


def _fits(values: Mapping[str, Value], cube: Cube) -> bool:
    return all(distinct(values[name]) in map(distinct, allowed) for name, allowed in cube.allowed)


def _show(found: _Found) -> None:
    """The answer, the decision table, and how it was come by."""
    digests = {item.digest for item in found.all}
    emit(f"{found.answer}\n\n")
    if found.cubes:
        others = f"; of {counted(found.undecided, 'other')} that is unknown" if found.undecided else ", and no other"
        emit(f"safe are those that fit a row, whatever stands in empty cells{others}:\n\n")
        emit_table(_table(found))
        emit("\n")
    emit("".join(f"not demanded with {assigned(item.values)}: {', '.join(item.lacking)}\n" for item in found.lacking))
    tried = ", ".join(f"{name} ({', '.join(map(shown, values))})" for name, values in found.asked.varied.axes.items())
    emit(f"tried: {tried}; {counted(len(digests), 'distinct model')}, {found.seconds:.1f} s\n{found.answer}\n")


def _table(found: _Found) -> Table:
    """A line a cube; what matters in none is left out."""
    kept = [name for name in found.asked.varied.axes if any(name in dict(cube.allowed) for cube in found.cubes)]
    columns = [*map(Column, kept), Column("models", right=True)]
    cells = [
        [Styled(" or ".join(map(shown, dict(cube.allowed).get(name, ()))), "green") for name in kept]
        for cube in found.cubes
    ]
    return Table(columns, [[*row, str(number)] for row, number in zip(cells, found.fitting, strict=True)])


def _json(found: _Found) -> Document:
    """The same as JSON values."""
    return {
        "answer": found.answer,
        "model": found.asked.name,
        "properties": found.properties,
        "fixed": dict(found.asked.varied.fixed),
        "parameters": {name: list(values) for name, values in found.asked.varied.axes.items()},
        "models": [
            {
                "parameters": dict(item.values),
                "digest": item.digest,
                "verdicts": {name: outcome.value for name, outcome in item.outcomes.items()},
                "not_demanded": list(item.lacking),
            }
            for item in found.all
        ],
        "safe": found.safe,
        "table": [{name: list(values) for name, values in cube.allowed} for cube in found.cubes],
        "fitting": found.fitting,
        "undecided": found.undecided,
        "stopped": None if found.stop is None else str(found.stop),
        "milliseconds": round(found.seconds * 1000, 1),
    }

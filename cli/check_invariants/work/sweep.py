"""`check-invariants sweep`: what it does and shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Unpack

from check_invariants.documents import Document, emit_json
from check_invariants.exit import ExitCode, LimitReached, ending
from check_invariants.judge import asking
from check_invariants.output import Counter, emit, emit_stop, emit_table
from check_invariants.selection import own_settings, probes_of_states, select_code_base
from check_invariants.table import Column, Styled, Table
from check_invariants.work.sweep_parameters import Swept, swept
from draincheck.errors import SpaceTooLarge
from draincheck.knobs import Knob
from draincheck.words import counted
from drainspecs.questions.sweep import Sweep, sweep

if TYPE_CHECKING:
    from check_invariants.selectors import CodeBaseOptions


def command(
    model: str | None,
    properties: Sequence[str],
    knobs: Sequence[Knob | str],
    processes: int | None,
    as_json: bool,
    **selectors: Unpack[CodeBaseOptions],
) -> ExitCode:
    """Decide all code bases that the knobs make up, or all models that the parameters do.

    Raises LimitReached, MalformedInput and Interrupted.
    """
    if model is not None:
        return swept(Swept.of(model, own_settings(selectors), list(map(str, knobs))), properties, processes, as_json)
    return _sweep([knob for knob in knobs if isinstance(knob, Knob)], properties, processes, as_json, **selectors)


def _sweep(
    knobs: Sequence[Knob],
    properties: Sequence[str],
    processes: int | None,
    as_json: bool,
    **selectors: Unpack[CodeBaseOptions],
) -> ExitCode:
    names = tuple(dict.fromkeys(properties)) or ("S1",)
    selected = select_code_base(names, **selectors)
    probes, counter = probes_of_states(selected, "sweep"), Counter("system", "built")
    with asking(selected.title, counter, "after {} which code bases are safe is unknown"):
        try:
            found = sweep(
                selected.scenario,
                names,
                knobs=[knob.name for knob in knobs] or None,
                base=selected.turned,
                probes=probes,
                advance=counter.advance,
                processes=processes,
            )
        except SpaceTooLarge as error:
            raise LimitReached(str(error)) from error
    code = ending([], found.stopped)
    if as_json:
        emit_json("sweep", _json(found), code)
    else:
        _show(found)
    emit_stop(
        found.stopped, f"{counted(found.systems, 'distinct model')} decided; which other code bases are safe is unknown"
    )
    return code


def _show(found: Sweep) -> None:
    """Print the decision table and what it is about."""
    emit("".join(f"{line}\n" for line in _head(found)))
    if found.table:
        emit("\n")
        emit_table(_table(found))
    emit("".join(f"\n{line}" for line in _foot(found)) + f"\n\n{_answer(found)}\n")


def _answer(found: Sweep) -> str:
    """The first and the last line."""
    what = f"{' and '.join(found.properties)} hold{'s' * (len(found.properties) == 1)}"
    of = "of those that were decided" if found.stopped else f"of {counted(found.code_bases, 'code base')}"
    return f"{found.scenario.name}: {what} in {found.safe_count or 'none'} {of}"


def _head(found: Sweep) -> Iterator[str]:
    yield _answer(found)
    yield (
        f"{counted(found.space.size, 'setting')} of {counted(len(found.space.knobs), 'knob')}, "
        f"{counted(found.code_bases, 'code base')} among them, {counted(found.systems, 'distinct model')}, decided in {found.seconds:.1f} s"
    )
    if found.stopped:
        yield f"{found.stopped}: {counted(found.undecided, 'setting')} not decided; those that hold fit the rows"
    elif found.table:
        yield "safe are those that fit a row, whatever stands in empty cells, and no other"


def _foot(found: Sweep) -> Iterator[str]:
    yield f"the other knobs are those of {found.base.name}"
    yield from (f"not read in this scenario: {knob}" for knob in found.ignored)
    left_out = counted(found.space.size - found.code_bases - found.undecided, "setting")
    if found.objections:
        yield f"left out: {left_out} that no code base could have"
        yield from (f"  {reason}" for reason in found.objections)


def _table(found: Sweep) -> Table:
    """The decision table, without columns that matter in no row; a code base may fit several rows."""
    rows = list(found.rows())
    kept = [place for place in range(len(found.space.knobs)) if any(row[place] for row in rows)]
    columns = [*(Column(found.space.knobs[place]) for place in kept), Column("code bases", right=True)]
    cells = [[Styled(row[place], "green") for place in kept] for row in rows]
    return Table(columns, [[*row, str(fitting)] for row, fitting in zip(cells, found.fitting, strict=True)])


def _json(found: Sweep) -> Document:
    """The same as JSON values."""
    return {
        "answer": _answer(found),
        "scenario": found.scenario.name,
        "properties": list(found.properties),
        "base": found.base.name,
        "knobs": {knob: list(values) for knob, values in zip(found.space.knobs, found.space.values, strict=True)},
        "not_read": list(found.ignored),
        "vectors": found.space.size,
        "code_bases": found.code_bases,
        "systems": found.systems,
        "safe": found.safe_count,
        "table": [{knob: list(values) for knob, values in cube.allowed} for cube in found.table],
        "fitting": list(found.fitting),
        "left_out": list(found.objections),
        "undecided": found.undecided,
        "stopped": None if found.stopped is None else str(found.stopped),
        "milliseconds": round(found.seconds * 1000, 1),
    }

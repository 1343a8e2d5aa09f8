"""`check-invariants gate` of the built-in story: matrix, liveness, notify and claims."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter

import click
from msgspec.structs import asdict

from check_invariants import standard
from check_invariants.again import command_again
from check_invariants.documents import Document, emit_json
from check_invariants.exit import ExitCode, ending, of_comparison
from check_invariants.files import check_output, write_to
from check_invariants.output import advise, emit, emit_stop, until_stopped
from check_invariants.refusal import unfinished
from check_invariants.reports import Reports
from draincheck import __version__
from draincheck.errors import SourceLine
from draincheck.reason import Stop
from draincheck.report.account import Account, Item, Standing, Suite
from draincheck.verdict import Outcome
from draincheck.words import counted, share
from drainspecs.mirror import claims, expectations
from drainspecs.notify import ROWS
from drainspecs.suite import matrix
from drainspecs.suite.account import suites_of
from drainspecs.suite.liveness import liveness_deviations, liveness_rows, notify_deviations
from drainspecs.suite.matrix import Deviation, Row, RowResult, deviations, fault_of


def command(quick: bool, pin: bool, as_list: bool, processes: int | None, reports: Reports) -> ExitCode:
    """Decide everything, and say what differs."""
    rows = matrix.default_rows() if quick else matrix.all_rows()
    if as_list:
        return _list(rows, reports.as_json)
    if pin:
        _check_pinnable()
    again = command_again("gate", "--built-in", *(["--quick"] if quick else []))
    file = _from_here(Path(expectations.__file__))
    reports.begin(unfinished("gate", again, file))
    advise(matrix.advice(rows))
    start = perf_counter()
    results, stop = until_stopped(matrix.decide_all(rows, processes), "row", "decided", len(rows))
    compared = [result for result in results if result.stopped is None]
    stop = stop or next(filter(None, (result.stopped for result in results)), None)
    found = [item for result in results for item in deviations(result)]
    beyond: list[Deviation] = []
    left = "liveness and claims were not"
    if stop is None:
        if pin:
            _pin(results, keep=quick)
            found = [item for item in found if item.kind != "counts"]
        beyond, stop = _liveness_differences([result.row for result in results if not result.fault], processes)
        left = "liveness was not all, claims were not"
    if stop is None:
        claimed, stop = until_stopped(_claim_differences(), "claim", "decided", len(claims.CLAIMS))
        beyond += filter(None, claimed)
        left = "liveness was, claims were not all"
    found += beyond
    code = ending((of_comparison(False, item.kind == "unknown") for item in found), stop)
    violated = sum(cell.verdict.outcome is Outcome.VIOLATED for result in compared for cell in result.cells)
    seen = f"{share(len(compared), len(rows), 'row')} compared, {left}" if stop else _checked(results)
    said = f"built-in story: {seen}; {_differ(found, violated, stop)}"
    if reports.as_json:
        emit_json("gate", {"rows": len(results), "differences": _differences(found), "answer": said}, code)
    reports.show("".join(f"{item}\n    {item.command}\n" for item in found) + f"{said}\n")
    if reports.wanted:
        suites = [*suites_of(results), Suite(title="liveness, notify and claims", items=_beyond(beyond, stop))]
        reports.write(_account(suites, stop, code, again, perf_counter() - start))
    emit_stop(stop, seen)
    return code


def _differences(found: Sequence[Deviation]) -> list[Document]:
    """The deviations as JSON values, with the command that shows each."""
    return [{**asdict(item), "command": item.command} for item in found]


def _check_pinnable() -> None:
    """Raise UsageError outside of a checkout, and NotWritable where the counts cannot be written."""
    path = matrix.counts_path()
    if matrix.is_of_a_package():
        raise click.UsageError(
            f"--pin is for a checkout, and {path} belongs to an installed copy: pip would not know of it"
        )
    check_output(str(path))


def _list(rows: Sequence[Row], as_json: bool) -> ExitCode:
    """What would be checked."""
    if as_json:
        expected = "as QEMU's history says"
        names = (f"{row.revision.name} / {row.key}" for row in rows)
        items: list[Document] = [{"line": None, "what": name, "properties": [], "expected": expected} for name in names]

        emit_json("gate-list", {"config": None, "items": items})
        return ExitCode.OK
    emit("".join(f"{row.revision.name} / {row.key}\n" for row in rows))
    demanding = counted(len(liveness_rows(rows)), "row")
    emit(f"{counted(len(rows), 'row')} and their counts, liveness of {demanding}, {_others()}\n")
    return ExitCode.OK


def _others() -> str:
    return f"{counted(len(ROWS), 'row')} of the notify protocol, {counted(len(claims.CLAIMS), 'claim')}"


def _checked(results: Sequence[RowResult]) -> str:
    """What was looked at, in words."""
    sound = [result for result in results if not result.fault]
    verdicts = sum(len(result.exploration.verdicts) for result in sound)
    demanding = len(liveness_rows([result.row for result in sound]))
    rows = f"{counted(len(results), 'row')} with {counted(verdicts, 'verdict')} and their counts"
    return f"{rows}, liveness of {counted(demanding, 'row')}, {_others()}"


def _differ(found: Sequence[Deviation], violated: int, stop: Stop | None) -> str:
    """How the comparison went, or how it had gone when it was stopped; what is unknown is neither as expected nor otherwise."""
    wrong = sum(item.kind != "unknown" for item in found)
    if stop is not None:
        return f"{wrong} not as expected so far"
    if found:
        numbers = {"not as expected": wrong, "not decided": len(found) - wrong}
        return ", ".join(f"{number} {what}" for what, number in numbers.items() if number)
    return f"all as expected, of them {violated} violated" if violated else "all as expected"


def _liveness_differences(rows: Sequence[Row], processes: int | None) -> tuple[list[Deviation], Stop | None]:
    """Those of the rows and of the notify suite; with a stop, not all of them."""
    demanding = liveness_rows(rows)
    deviations = liveness_deviations(demanding, processes)
    found, stop = until_stopped(deviations, "row", "decided for liveness", len(demanding))
    return [*(item for part in found for item in part), *([] if stop else notify_deviations())], stop


def _claim_differences() -> Iterator[Deviation | None]:
    """For each claim that its verdict is another one, or that it rests on a model at fault; None if neither."""
    for found in claims.decide_claims(claims.CLAIMS):
        name = found.claim.name
        if found.fault:
            yield fault_of("claim", name, found.fault)
        elif not found.as_expected:
            yield Deviation("claim", "claim", name, "verdict", found.claim.expected.value, found.verdict.value)
        else:
            yield None


def _pin(results: Sequence[RowResult], keep: bool) -> None:
    """Rewrite the pinned counts, whole or not at all; `keep` those of rows that were not looked at. A model at fault has none to pin."""
    sound = [result for result in results if not result.fault]
    keep = keep or len(sound) < len(results)
    path = matrix.counts_path()
    write_to(str(path), matrix.counts_text(sound, matrix.pinned_counts() if keep else None))
    changed = sum(result.pinned != result.counts for result in sound)
    standard.note(f"{counted(len(sound), 'row')} pinned, {changed} of them changed, in {_from_here(path)}\n")


def _from_here(path: Path) -> str:
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


# -- for reports ------------------------------------------------------------------------------------

#: how a difference is shown
_STANDINGS = {"unknown": Standing.UNDECIDED, "fault": Standing.FAULT}


def _account(suites: Sequence[Suite], stop: Stop | None, code: ExitCode, again: str, seconds: float) -> Account:
    """The run as reports take it."""
    return Account(
        title="gate",
        command=again,
        exit_code=int(code),
        why="" if stop is None else str(stop),
        seconds=seconds,
        suites=suites,
        version=__version__,
        place=SourceLine(_from_here(Path(expectations.__file__)), 1),
    )


def _beyond(found: Sequence[Deviation], stop: Stop | None) -> list[Item]:
    """What differs in liveness, notify and claims; or that nothing does, or that not all were decided."""
    items = [
        Item(
            name=f"{item.revision} {item.row} {item.what}",
            standing=_STANDINGS.get(item.kind, Standing.WRONG),
            why=f"expected {item.expected}, found {item.found}",
            command=item.command,
        )
        for item in found
    ]
    if stop is not None:
        return [*items, Item(name="all of them", standing=Standing.UNDECIDED, why=f"not all were decided: {stop}")]
    return items or [Item(name="all of them", standing=Standing.FINE)]

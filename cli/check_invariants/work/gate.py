"""`check-invariants gate`: what it does and shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec.structs import asdict

from check_invariants import standard
from check_invariants.exit import ExitCode, ending, of_comparison
from check_invariants.output import check_output, emit, emit_json, emit_stop, until_stopped, write_to
from draincheck.reason import Stop
from draincheck.words import counted
from drainspecs.mirror import claims
from drainspecs.suite import matrix
from drainspecs.suite.liveness import liveness_deviations, liveness_rows, notify_deviations
from drainspecs.suite.matrix import Deviation, Row, RowResult, deviations, fault_of


def command(quick: bool, pin: bool, jobs: int | None, as_json: bool) -> ExitCode:
    """Decide everything, and say what differs."""
    if pin:
        check_output(str(matrix.counts_path()))
    rows = matrix.default_rows() if quick else matrix.all_rows()
    results, stop = until_stopped(matrix.decide_all(rows, jobs), "rows decided", len(rows))
    compared = [result for result in results if result.stopped is None]
    stop = stop or next(filter(None, (result.stopped for result in results)), None)
    found = [item for result in results for item in deviations(result)]
    left = "liveness and claims were not"
    if stop is None:
        if pin:
            _pin(results, keep=quick)
            found = [item for item in found if item.kind != "counts"]
        liveness, stop = _liveness_differences([result.row for result in results if not result.fault], jobs)
        found += liveness
    if stop is None:
        claimed, stop = until_stopped(_claim_differences(), "claims decided", len(claims.CLAIMS))
        found += filter(None, claimed)
        left = "liveness was, claims were not all"
    code = ending((of_comparison(False, item.kind == "unknown") for item in found), stop)
    if as_json:
        emit_json("gate", {"rows": len(results), "differences": list(map(asdict, found))}, code)
    else:
        emit("".join(f"{item}\n" for item in found))
    emit_stop(stop, f"{len(compared)} of {len(rows)} rows were compared, {left}")
    return code


def _liveness_differences(rows: Sequence[Row], jobs: int | None) -> tuple[list[Deviation], Stop | None]:
    """Those of the rows and of the notify suite; with a stop, not all of them."""
    demanding = liveness_rows(rows)
    deviations = liveness_deviations(demanding, jobs)
    found, stop = until_stopped(deviations, "rows decided for liveness", len(demanding))
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
    shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    standard.note(f"{counted(len(sound), 'row')} pinned, {changed} of them changed, in {shown}\n")

"""`check-invariants gate`: matrix, liveness and claims against what is expected and pinned, for CI."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import asdict

from check_invariants.exit import Interrupted, ending, of_comparison
from check_invariants.options import jobs_option, json_option
from check_invariants.output import counted, emit, emit_json, until_interrupted, write_to

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drainspecs.suite.matrix import Deviation, Row, RowResult

__all__ = ["command"]


@click.command("gate")
@click.option(
    "--quick", is_flag=True, help="Only the five default scenarios, with GSources in the order of attachment."
)
@click.option(
    "--pin", is_flag=True, help="Write the counts that were found as the ones to expect from now on (counts.json)."
)
@jobs_option
@json_option
@click.pass_context
def command(ctx: click.Context, /, *, quick: bool, pin: bool, jobs: int | None, as_json: bool) -> None:
    """Compare all verdicts with what is expected: for CI.

    Of every code base in every scenario, and with GSources in any order: every verdict, every exact count of states,
    transitions and depth, and what must happen in the end; QEMU's notify protocol; every claim. Prints a line for each
    difference, and nothing if there is none. A model at fault (a value leaves its range, a coroutine is entered twice) is
    one of them. With --pin, counts that differ are written down instead (in a checkout; look at the change before you
    commit it).

    \b
    Exit codes: 0 no difference; 10 differences; 30 a verdict was not reached; 2 wrong arguments, or
    the counts cannot be written; 130 interrupted.

    \b
    Example: check-invariants gate || echo "the drain story has changed"
    """
    from drainspecs.suite.matrix import all_rows, decide_all, default_rows, deviations

    rows = default_rows() if quick else all_rows()
    results, missing = until_interrupted(decide_all(rows, jobs), "rows decided", len(rows))
    found = [item for result in results for item in deviations(result)]
    if not missing:
        if pin:
            _pin(results, keep=quick)
            found = [item for item in found if item.kind != "counts"]
        liveness, missing = _liveness_differences([result.row for result in results if not result.fault], jobs)
        found += [*liveness, *_claim_differences()]
    code = ending((of_comparison(False, item.kind == "unknown") for item in found), missing)
    if as_json:
        differences = list(map(asdict, found))
        emit_json("gate", {"rows": len(results), "differences": differences, "exit_code": int(code)})
    else:
        emit("".join(f"{item}\n" for item in found))
    if missing:
        raise Interrupted(
            f"interrupted: {len(results)} of {len(rows)} rows were compared, liveness and claims were not"
        )
    ctx.exit(code)


def _liveness_differences(rows: Sequence[Row], jobs: int | None) -> tuple[list[Deviation], bool]:
    """Those of the rows and of the notify suite; with True if that was interrupted."""
    from drainspecs.suite.liveness import liveness_deviations, liveness_rows, notify_deviations

    demanding = liveness_rows(rows)
    deviations = liveness_deviations(demanding, jobs)
    found, missing = until_interrupted(deviations, "rows decided for liveness", len(demanding))
    return [*(item for part in found for item in part), *notify_deviations()], missing


def _claim_differences() -> Iterator[Deviation]:
    """Claims whose verdict is another one, or that rest on a model at fault."""
    from drainspecs.mirror.claims import CLAIMS, decide_claims
    from drainspecs.suite.matrix import Deviation, fault_of

    for found in decide_claims(CLAIMS):
        name = found.claim.name
        if found.fault:
            yield fault_of("claim", name, found.fault)
        elif not found.as_expected:
            yield Deviation("claim", "claim", name, "verdict", found.claim.expected.value, found.verdict.value)


def _pin(results: Sequence[RowResult], keep: bool) -> None:
    """Rewrite the pinned counts, whole or not at all; `keep` those of rows that were not looked at. A model at fault has none to pin."""
    from drainspecs.suite.matrix import counts_path, counts_text, pinned_counts

    sound = [result for result in results if not result.fault]
    keep = keep or len(sound) < len(results)
    write_to(str(counts_path()), counts_text(sound, pinned_counts() if keep else None))
    changed = sum(result.pinned != result.counts for result in sound)
    click.echo(f"{counted(len(sound), 'row')} pinned, {changed} of them changed, in {_shown(counts_path())}", err=True)


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)

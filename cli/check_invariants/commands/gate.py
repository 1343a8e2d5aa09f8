"""`check-invariants gate`: matrix, liveness and claims against what is expected and pinned, for CI."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from check_invariants.exit import ExitCode, Interrupted, worst
from check_invariants.options import all_option, jobs_option, json_option
from check_invariants.output import counted, emit, emit_json, until_interrupted, write_to

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drainspecs.matrix import Difference, RowResult

__all__ = ["command"]


@click.command("gate")
@all_option
@click.option(
    "--pin", is_flag=True, help="Write the counts that were found as the ones to expect from now on (counts.json)."
)
@jobs_option
@json_option
@click.pass_context
def command(ctx: click.Context, /, *, wide: bool, pin: bool, jobs: int | None, as_json: bool) -> None:
    """Compare all verdicts with what is expected: for CI.

    Every verdict, every exact count of states, transitions and depth, what must happen in the end (of the default rows, and
    QEMU's notify protocol), every claim. Prints a line for each difference, and nothing if there is none. With --pin, counts
    that differ are written down instead (in a checkout; look at the change before you commit it).

    \b
    Exit codes: 0 no difference; 10 differences; 30 a verdict was not reached; 2 wrong arguments, or
    the counts cannot be written; 130 interrupted.

    \b
    Example: check-invariants gate || echo "the drain story has changed"
    """
    from drainspecs.matrix import all_rows, decide_all, default_rows, deviations

    rows = all_rows() if wide else default_rows()
    results, missing = until_interrupted(decide_all(rows, jobs), "rows decided", len(rows))
    found = [item for result in results for item in deviations(result)]
    if not missing:
        if pin:
            _pin(results, keep=not wide)
            found = [item for item in found if item.kind != "counts"]
        liveness, missing = _liveness_differences()
        found += [*liveness, *_claim_differences()]
    code = worst(ExitCode.INCONCLUSIVE if item.kind == "unknown" else ExitCode.DIFFERENT for item in found)
    if as_json:
        differences, code = list(map(_json, found)), ExitCode.INTERRUPTED if missing else code
        emit_json("gate", {"rows": len(results), "differences": differences, "exit_code": int(code)})
    else:
        emit("".join(f"{item}\n" for item in found))
    if missing:
        raise Interrupted(
            f"interrupted: {len(results)} of {len(rows)} rows were compared, liveness and claims were not"
        )
    ctx.exit(code)


def _liveness_differences() -> tuple[list[Difference], bool]:
    """Those of the default rows and of the notify suite; with True if that was interrupted."""
    from drainspecs.liveness_matrix import liveness_deviations, notify_deviations
    from drainspecs.matrix import default_rows

    rows = default_rows()
    found, missing = until_interrupted(liveness_deviations(rows), "rows decided for liveness", len(rows))
    return [*(item for part in found for item in part), *notify_deviations()], missing


def _claim_differences() -> Iterator[Difference]:
    from drainspecs.claims import CLAIMS, decide_claims
    from drainspecs.matrix import Difference

    for result in decide_claims(CLAIMS):
        if not result.as_expected:
            expected, found = result.claim.expected.value, result.verdict.value
            yield Difference("claim", "claim", result.claim.name, "verdict", expected, found)


def _pin(results: Sequence[RowResult], keep: bool) -> None:
    """Rewrite the pinned counts, whole or not at all; `keep` those of rows that were not looked at."""
    from drainspecs.matrix import counts_path, counts_text, pinned_counts

    write_to(str(counts_path()), counts_text(results, pinned_counts() if keep else None))
    changed = sum(result.pinned != result.counts for result in results)
    click.echo(
        f"{counted(len(results), 'row')} pinned, {changed} of them changed, in {_shown(counts_path())}", err=True
    )


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _json(item: Difference) -> dict[str, Any]:
    return {
        "kind": item.kind,
        "revision": item.revision,
        "row": item.row,
        "what": item.what,
        "expected": item.expected,
        "found": item.found,
    }

"""`check-invariants gate`: matrix and claims against what is expected and pinned, for CI."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from check_invariants.exit import ExitCode, Interrupted, worst
from check_invariants.options import all_option, jobs_option, json_option
from check_invariants.output import Counter, counted, emit, emit_json, write_to

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drainspecs.matrix import Difference, Row, RowResult

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
    """Compare matrix and claims with what is expected: for CI.

    Every verdict, every exact count of states, transitions and depth, every claim. Prints a line for each difference, and nothing if
    there is none. With --pin, counts that differ are written down instead (in a checkout; look at the change before you commit it).

    \b
    Exit codes: 0 no difference; 10 differences; 30 a verdict was not reached; 2 wrong arguments, or
    the counts cannot be written; 130 interrupted.

    \b
    Example: check-invariants gate || echo "the drain story has changed"
    """
    from drainspecs.matrix import all_rows, default_rows, deviations

    rows = all_rows() if wide else default_rows()
    results = _decided(rows, jobs)
    found = [item for result in results for item in deviations(result)]
    if pin:
        _pin(results, keep=not wide)
        found = [item for item in found if item.kind != "counts"]
    found += _claim_differences()
    code = worst(ExitCode.INCONCLUSIVE if item.kind == "unknown" else ExitCode.DIFFERENT for item in found)
    if as_json:
        emit_json("gate", {"rows": len(rows), "differences": list(map(_json, found)), "exit_code": int(code)})
    else:
        emit("".join(f"{item}\n" for item in found))
    ctx.exit(code)


def _decided(rows: Sequence[Row], jobs: int | None) -> list[RowResult]:
    from drainspecs.matrix import decide_all, differences

    results: list[RowResult] = []
    try:
        with Counter("rows decided", len(rows)) as counter:
            for result in decide_all(rows, jobs):
                results.append(result)
                counter.advance(len(results))
    except KeyboardInterrupt as error:
        emit("".join(f"{line}\n" for result in results for line in differences(result)))
        raise Interrupted(f"interrupted: {len(results)} of {len(rows)} rows were compared, no claim was") from error
    return results


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

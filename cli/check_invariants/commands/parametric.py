"""`check-invariants parametric`: the drain invariant for any number of guest writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from check_invariants.exit import Interrupted, ending
from check_invariants.options import json_option, revision_option, set_option
from check_invariants.output import counted, emit_json, make_directory, until_interrupted

if TYPE_CHECKING:
    from draincheck.knobs import Setting
    from draincheck.revisions import Revision

__all__ = ["command"]


@click.command("parametric")
@revision_option(multiple=True)
@set_option
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Give each code base so much time.",
)
@click.option(
    "-o",
    "--output",
    "directory",
    metavar="DIR",
    help="Write a file for each code base: a certificate where S1 holds, a trace where it is violated.",
)
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    revisions: Sequence[Revision],
    settings: Sequence[tuple[str, Setting]],
    timeout: float | None,
    directory: str | None,
    as_json: bool,
) -> None:
    """Decide the drain invariant for any number of guest writes.

    S1 in the scenario mirror, with requests counted by natural numbers that have no upper end. It holds where z3 finds the
    invariant in the specification inductive: that is a certificate, and certificate check has it checked again. Where it is
    violated, the shortest path for any number of writes has been executed with as few writes as it needs. One code base that
    violates it: with this path as a call tree.

    \b
    Exit codes. Without --set the verdicts are compared with those expected of the scenario mirror: 0 all as
    expected; 10 one is not. With --set the verdicts themselves: 0 S1 holds; 12 it is violated. Always:
    30 unknown; 150 the model with these knobs is malformed; 2 wrong arguments, or a file cannot be written;
    130 interrupted.

    \b
    Example: check-invariants parametric --revision d4a92a8420 --revision 9a0cec664e -o proofs
    """
    from check_invariants.work.parametric import chosen_from, limits_from, row_json, rows_of, show

    chosen = chosen_from(revisions, settings)
    if directory is not None:
        make_directory(directory)
    rows, missing = until_interrupted(rows_of(chosen, limits_from(timeout), directory), "code bases", len(chosen))
    code = ending((row.code for row in rows), missing)
    if as_json:
        emit_json("parametric", {"rows": [row_json(row) for row in rows], "exit_code": int(code)})
    else:
        show(rows)
    if missing:
        raise Interrupted(f"interrupted: {counted(len(rows), 'code base')} of {len(chosen)} decided")
    ctx.exit(code)

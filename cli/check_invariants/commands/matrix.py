"""`check-invariants matrix`, which is also what runs without a command: every code base in every scenario."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import TYPE_CHECKING

import click

from check_invariants.exit import EmptySelection, Interrupted, ending
from check_invariants.options import (
    all_option,
    jobs_option,
    json_option,
    order_option,
    property_option,
    revision_option,
    scenario_option,
)
from check_invariants.output import until_interrupted

if TYPE_CHECKING:
    from draincheck.qemu import Scenario
    from draincheck.revisions import Revision

__all__ = ["command"]


@click.command("matrix")
@revision_option(multiple=True)
@scenario_option(multiple=True)
@property_option(of_matrix=True)
@order_option
@all_option
@click.option("--full", is_flag=True, help="A line a property, with everything about it.")
@jobs_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    revisions: Sequence[Revision],
    scenarios: Sequence[Scenario],
    properties: Sequence[str],
    order: str | None,
    wide: bool,
    full: bool,
    jobs: int | None,
    as_json: bool,
) -> None:
    """Check every code base in every scenario (what runs without a command).

    Each line is a code base: QEMU's source right after a commit. Every verdict comes from an exhaustive search and is compared with
    what QEMU's history says. A model that is wrong itself is said to be, and keeps no other from being checked.

    \b
    Exit codes: 0 every verdict as expected, also an expected violation; 10 one is not, a model is at fault,
    or nothing was selected; 30 one was not reached; 2 wrong arguments; 130 interrupted.

    \b
    Example: check-invariants --scenario mirror --revision ab27c3b5e7~1 --revision ab27c3b5e7
    """
    from check_invariants.work.matrix import codes_of, ordered, show, show_json, wanted
    from drainspecs.suite.matrix import all_rows, decide_all, default_rows

    rows = all_rows() if wide else default_rows(scenarios=scenarios)
    rows = [row for row in ordered(rows, order) if wanted(row, revisions, scenarios)]
    if not rows:
        raise EmptySelection("nothing selected: none of these code bases can run any of these scenarios")
    started = perf_counter()
    results, missing = until_interrupted(decide_all(rows, jobs), "rows decided", len(rows))
    seconds = perf_counter() - started
    code = ending((code for result in results for code in codes_of(result, properties)), missing)
    if as_json:
        show_json(results, properties, seconds, code)
    else:
        show(results, properties, seconds, full)
    if missing:
        raise Interrupted(f"interrupted: {len(results)} of {len(rows)} rows were decided; the others are unknown")
    ctx.exit(code)

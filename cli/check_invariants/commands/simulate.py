"""`check-invariants simulate`: random schedules on the reference core."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from check_invariants.exit import worst
from check_invariants.options import json_option, revision_option, scenario_option, set_option
from check_invariants.output import Counter, emit_json, make_directory

if TYPE_CHECKING:
    from draincheck.core.run import CoreSimulation
    from draincheck.knobs import Setting
    from draincheck.qemu import Scenario
    from draincheck.revisions import Revision
    from drainspecs.mirror.code_base import CodeBase

__all__ = ["command"]


@click.command("simulate")
@revision_option(multiple=True)
@scenario_option(multiple=True)
@set_option
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed gives the same runs.")
@click.option("--runs", type=click.IntRange(min=1), default=10000, show_default=True, help="Runs of each code base.")
@click.option("--all", "every", is_flag=True, help="Every code base, instead of naming some.")
@click.option("--scheduler", type=click.Choice(["random", "pct"]), default="random", show_default=True)
@click.option("--trace-out", metavar="DIR", help="Write the first run of each bad outcome there, as a trace file.")
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    revisions: Sequence[Revision],
    scenarios: Sequence[Scenario],
    settings: Sequence[tuple[str, Setting]],
    seed: int,
    runs: int,
    every: bool,
    scheduler: str,
    trace_out: str | None,
    as_json: bool,
) -> None:
    """Run code bases on the reference core under random schedules.

    And count how the runs end. This is only a search: what it does not find may still be there. `pct` favours rare orders of few events.

    \b
    Exit codes: 0 every outcome is one that is expected of the code base; 10 one is not;
    with --set, where nothing is expected: 12 a write was lost or QEMU aborted, 11 a run hung.

    \b
    Example: check-invariants simulate --revision ab27c3b5e7 --runs 10000 --trace-out runs
    """
    from check_invariants.work.simulate import code_bases_of, code_of, row_json, show, simulated_by, write_traces

    code_bases = code_bases_of(revisions, scenarios, settings, every)
    if trace_out is not None:
        make_directory(trace_out)
    found: list[tuple[CodeBase, CoreSimulation]] = []
    with Counter("code bases simulated", len(code_bases)) as counter:
        for item in code_bases:
            found.append((item, simulated_by(item, seed, runs, scheduler)))
            counter.advance(len(found))
    written = [path for item, result in found for path in write_traces(trace_out, item, result)]
    code = worst(code_of(item, outcome) for item, result in found for outcome in result.outcomes)
    if as_json:
        rows = [row_json(item, result) for item, result in found]
        emit_json("simulate", {"seed": seed, "runs": runs, "rows": rows, "traces": written, "exit_code": int(code)})
    else:
        show(found, written)
    ctx.exit(code)

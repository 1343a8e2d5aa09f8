"""`check-invariants liveness`: what must happen in the end, under stated assumptions of fairness."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from time import perf_counter
from typing import TYPE_CHECKING, Any

import click

from check_invariants.exit import Interrupted, ending
from check_invariants.options import json_option, revision_option, scenario_option
from check_invariants.output import emit_json, until_interrupted

if TYPE_CHECKING:
    pass

__all__ = ["command"]


@click.command("liveness")
@revision_option(multiple=True)
@scenario_option(multiple=True)
@click.option(
    "--notify", is_flag=True, help="QEMU's event notification protocol instead: three models, with and without bugs."
)
@click.option("--full", is_flag=True, help="A line a demand, with what is expected and why.")
@click.option("--trace", "traces", is_flag=True, help="Also a counterexample of everything that is violated.")
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    revisions: Sequence[Any],
    scenarios: Sequence[Any],
    notify: bool,
    full: bool,
    traces: bool,
    as_json: bool,
) -> None:
    """Decide liveness: what must happen in the end.

    Jobs complete, kicks are handled, drains end, nothing spins for ever: for every code base in the default scenarios, or
    for those named. The assumptions of fairness and their reasons are printed below the table. A counterexample is a
    path and a loop that the model really has, or a path to where nothing moves; `check --property L2` shows one, too.

    \b
    Exit codes: 0 every verdict is as expected; 10 one is not, or a model is at fault; 30 unknown; 2 wrong arguments;
    130 interrupted.

    \b
    Example: check-invariants liveness --scenario dataplane
    """
    from check_invariants.work.liveness import codes_of, line_json, lines_of, notify_lines, show, show_traces

    if notify and (revisions or scenarios):
        raise click.UsageError("--notify is about models of its own, which have no --revision and no --scenario")
    started = perf_counter()
    lines, total = notify_lines() if notify else lines_of(revisions, scenarios)
    found, missing = until_interrupted(lines, "rows decided", total)
    code = ending(chain.from_iterable(map(codes_of, found)), missing)
    if as_json:
        emit_json("liveness", {"rows": [line_json(line) for line in found], "exit_code": int(code)})
    else:
        show(found, notify, full, perf_counter() - started)
        if traces:
            show_traces(found)
    if missing:
        raise Interrupted(f"interrupted: {len(found)} rows were decided")
    ctx.exit(code)

"""`check-invariants liveness`: what must happen in the end, under stated assumptions of fairness."""

from __future__ import annotations

import click

from check_invariants import options
from check_invariants.deferred import Deferred


@click.command("liveness", cls=Deferred)
@options.model
@options.settings
@options.revision(multiple=True)
@options.scenario(multiple=True)
@click.option(
    "--notify", is_flag=True, help="QEMU's event notification protocol instead: three models, with and without bugs."
)
@click.option("--full", is_flag=True, help="A line a demand, with what is expected and why.")
@click.option("--trace", "traces", is_flag=True, help="Also a counterexample of everything that is violated.")
@options.budget
@options.as_json
def command() -> None:
    """Decide liveness: what must happen in the end.

    Jobs complete, kicks are handled, drains end, nothing spins for ever: of every code base in the five default scenarios; of
    one that is named, or made by hand, in the ten that `check` asks about; or in the scenarios that are named.

    The assumptions of fairness and their reasons are printed below the table. A counterexample is a path and a loop that the
    model really has, or a path to where nothing moves; `check --property L2` shows one, too.

    Of a model of your own, MODEL.py:FUNCTION with parameters by --set: what it demands of whole runs, as `check` shows it.

    \b
    Exit codes: 0 every verdict is as expected; 10 one is not, or a model is at fault; 30 unknown; 150 a model is
    malformed; 2 wrong arguments; 130 interrupted. With --revision or --set, and of a model of your own, the
    verdicts themselves decide: 13 a demand is violated.

    \b
    Example: check-invariants liveness --scenario dataplane
    """

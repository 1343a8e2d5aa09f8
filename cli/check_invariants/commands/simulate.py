"""`check-invariants simulate`: random schedules on the reference core."""

from __future__ import annotations

import click

from check_invariants import options
from check_invariants.deferred import Deferred


@click.command("simulate", cls=Deferred)
@options.model
@options.revision(multiple=True)
@options.scenario(multiple=True)
@options.settings
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed gives the same runs.")
@click.option(
    "--runs",
    type=click.IntRange(min=1),
    help="Runs of each code base.  [default: 10000; 1000 walks of a model of your own]",
)
@click.option("--all", "every", is_flag=True, help="Every code base, instead of naming some.")
@click.option("--scheduler", type=click.Choice(["random", "pct"]), default="random", show_default=True)
@click.option("--trace-out", metavar="DIR", help="Write the first run of each bad outcome there, as a trace file.")
@options.budget
@options.as_json
def command() -> None:
    """Run code bases on the reference core under random schedules.

    And count how the runs end. This is only a search: what it does not find may still be there. `pct` favours rare orders of few events.

    A model of your own, MODEL.py:FUNCTION with parameters by --set, is walked through at random instead: what a walk violates is shown.

    \b
    Exit codes: 0 nothing bad was found; 12 a write was lost or QEMU aborted; 11 a run hung; 10 an outcome is
    not expected of its code base. With --all only what is not expected counts: 0 or 10. Of a model of your own
    as `check`: 12 or 11 a walk violates a property, 10 one was never asked. Always: 30 a limit was reached
    first; 150 a model is malformed; 2 wrong arguments; 130 interrupted.

    \b
    Example: check-invariants simulate --revision ab27c3b5e7 --runs 10000 --trace-out runs
    """

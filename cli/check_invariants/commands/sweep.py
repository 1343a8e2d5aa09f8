"""`check-invariants sweep`: every code base that a set of knobs can make up, the safe ones as a decision table."""

from __future__ import annotations

import click

from check_invariants import options
from check_invariants.deferred import Deferred


@click.command("sweep", cls=Deferred)
@options.model
@options.scenario(multiple=False)
@options.properties(of_matrix=False)
@click.option(
    "--knob",
    "knobs",
    type=options.Turnable(),
    multiple=True,
    metavar="NAME",
    help="Sweep this knob or parameter; may be given several times.  [default: those that matter in the scenario's story; "
    "all parameters whose values can be listed]",
)
@options.revision(multiple=False)
@options.settings
@options.processes
@options.budget
@options.as_json
def command() -> None:
    """Decide every code base that some knobs can make up.

    Prints the safe ones as a decision table: a code base is safe if and only if it fits some row; an empty cell means that the knob
    does not matter there, and the last column says how many code bases fit. On a terminal that is too narrow the rows are listed.
    Knobs that are not swept are those of --revision. Safe means that S1 holds, or whatever --property says.

    Of a model of your own, MODEL.py:FUNCTION, all values of bool, Literal and Enum parameters are tried, those of others that --set lists
    (--set items=1..3), and what it gives one value stays so. Safe means that all properties hold, or those named.

    \b
    Exit codes: 0 decided; 10 the code base cannot run the scenario; 30 too many code bases or models, or a
    limit;
    150 a model is malformed; 2 wrong arguments; 130 interrupted.

    \b
    Example: check-invariants sweep --scenario timer --property S1 --property F1
    """

"""`check-invariants repair`: which of history's mitigations would mend a code base, and what the others leave open."""

from __future__ import annotations

import click

from check_invariants import options
from check_invariants.deferred import Deferred


@click.command("repair", cls=Deferred)
@options.revision(multiple=False)
@options.scenario(multiple=True)
@options.order
@options.settings
@options.properties(of_matrix=True)
@click.option(
    "--with",
    "chosen",
    type=options.Named("mitigation", "check_invariants.work.repair"),
    multiple=True,
    metavar="MITIGATION",
    help="Only say what these leave open; may be given several times.",
)
@options.processes
@options.budget
@options.as_json
def command() -> None:
    """Find the smallest sets of known mitigations that mend a code base.

    Cheapest first, each with the commits that did it in history. A set that makes the job hang (F1, R1), there or in a scenario that
    varies the same default scenario, or that costs liveness (L1 to L7), is none. Without --property what must hold is S1, S2, S3, S4, S8
    and A1; without --scenario it is asked about mirror alone, and several scenarios must be mended together.

    \b
    Exit codes: 0 there is such a set, or nothing to mend; 10 there is none (with --with: something is left open),
    or the code base cannot run a scenario;
    30 a limit was reached first; 150 the model with these knobs is malformed; 2 wrong arguments; 130 interrupted.

    \b
    Example: check-invariants repair --revision ab27c3b5e7 --scenario mirror --scenario timer
    """

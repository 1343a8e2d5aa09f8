"""`check-invariants matrix`, which is also what runs without a command: every code base in every scenario."""

from __future__ import annotations

import click

from check_invariants import options
from check_invariants.deferred import Deferred


@click.command("matrix", cls=Deferred)
@options.revision(multiple=True)
@options.scenario(multiple=True)
@options.properties(of_matrix=True)
@options.order
@options.settings
@click.option(
    "--all",
    "wide",
    is_flag=True,
    help="In every scenario (`list scenarios`): also two writes, reads, flushes, two disks, two jobs, cancel, errors; and GSources in any order.",
)
@click.option("--full", is_flag=True, help="A line a property, with everything about it.")
@options.strict
@options.processes
@options.budget
@options.as_json
def command() -> None:
    """Check every code base in every scenario (what runs without a command).

    Each line is a code base: QEMU's source right after a commit. Every verdict comes from an exhaustive search and is compared with
    what QEMU's history says. A model that is wrong itself is said to be, and keeps no other from being checked.

    \b
    Exit codes: 0 every verdict as expected, also an expected violation; 10 one is not, a model is at fault,
    or nothing was selected; 30 one was not reached; 150 no code base could have these knobs; 2 wrong
    arguments; 130 interrupted. With --revision or --set the verdicts on the named code bases decide, as
    those of `check` do: 12 safety violated, 11 a hang.

    \b
    Example: check-invariants --scenario mirror --revision ab27c3b5e7~1 --revision ab27c3b5e7
    """

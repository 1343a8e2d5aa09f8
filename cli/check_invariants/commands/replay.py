"""`check-invariants replay`: execute a trace on the reference core."""

from __future__ import annotations

import click

from check_invariants import options
from check_invariants.deferred import Deferred


@click.command("replay", cls=Deferred)
@click.argument("file", metavar="FILE|-")
@options.as_json
def command() -> None:
    """Execute a trace on the reference core, with real bytes.

    The core is a small emulator that aborts where QEMU asserts. It and the model are led along the trace side by side and
    compared after every step. Then the core runs on by a fair schedule, and every acknowledged write is read back
    through it.

    \b
    Exit codes: 12 the core does what the trace says, and it violates the property (13: one of liveness;
    11: a deadlock, or a goal out of reach); 0 it does, and nothing is violated; 14 core and trace part ways
    (the step and both sides' views are printed), the model is not the one the trace belongs to, or the trace
    does not show the property that it names; 30 that was not searched to its end; 150 the file is malformed;
    2 wrong arguments, no such file, or the core cannot execute its model: `trace show` does.

    \b
    Example: check-invariants replay S4.json
    """

"""`check-invariants trace diff`: two traces beside each other."""

from __future__ import annotations

import click

from check_invariants import options
from check_invariants.deferred import Deferred


@click.command("diff", cls=Deferred)
@click.argument("file", metavar="FILE|-")
@click.argument("other", metavar="OTHER|-")
@options.budget
@options.as_json
def command() -> None:
    """Say where two traces part, and what differs at the end.

    Steps are compared by process and label, so the traces may be of different models. What stands in the files is compared: no model is needed, and
    none is run. Traces of QEMU's code bases are executed on the reference core as well, which says what each comes to and what is lost.
    A is the first file, B the second.

    \b
    Exit codes: 0 the traces are the same; 10 they differ; 30 a limit was reached first; 150 a file is
    malformed; 2 wrong arguments, or there is no such file.

    \b
    Example: check-invariants trace diff S1.json S4.json
    """

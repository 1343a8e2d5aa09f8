"""`check-invariants compare`: what a change does to the verdicts."""

from __future__ import annotations

import click

from check_invariants import options
from check_invariants.deferred import Deferred


@click.command("compare", cls=Deferred)
@click.argument("before", type=options.Named("code base or model"), is_eager=True, metavar="A")
@click.argument("after", type=options.Named("code base or model"), required=False, is_eager=True, metavar="[B]")
@options.settings
@options.scenario(multiple=True)
@click.option("--all", "wide", is_flag=True, help="In every scenario, not only the ten that `check` asks about.")
@options.order
@options.properties(of_matrix=False)
@options.strict
@options.short
@click.option("--no-trace", is_flag=True, help="Leave out the new counterexample.")
@click.option(
    "--trace-out",
    type=options.OutputFile(),
    metavar="FILE",
    help="Write the new counterexample as its suffix says (.svg, .md, ...); else as JSON, for `trace show`, `explain` and `replay`.",
)
@options.processes
@options.budget
@options.as_json
def command() -> None:
    """Say what a change mends, breaks and leaves open.

    A and B are code bases, in the ten scenarios that `check` asks about (--all: in every one), as far as they can run there; or
    models of your own, MODEL.py:FUNCTION. With --set these knobs are turned in B (a model's parameters); without a B, B is A with them.
    The shortest new counterexample is shown where something broke.

    \b
    Exit codes: 12 something got worse that a guest can see (or any property of a model of your own);
    10 only rules inside QEMU differ; 30 something is unknown; 0 nothing of this;
    150 a model is malformed; 2 wrong arguments; 130 interrupted.

    \b
    Example: check-invariants compare v2.6.0 --set begin=before_check
    """

"""`check-invariants prove`: certificates for what holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from check_invariants.options import jobs_option, json_option, property_option, selectors
from check_invariants.output import STDOUT

if TYPE_CHECKING:
    pass

__all__ = ["command"]

#: what `--matrix` writes if nobody says where
DIRECTORY = "certificates"


@click.command("prove")
@selectors
@property_option(of_matrix=False)
@click.option(
    "--engine",
    type=click.Choice(["explicit", "induction"]),
    default="explicit",
    show_default=True,
    help="explicit: the invariant is the set of reachable states. induction: it is a formula, k-inductive.",
)
@click.option("--depth", type=click.IntRange(1, 200), help="The largest k that induction tries.  [default: 20]")
@click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="Stop after so much time."
)
@click.option("--matrix", is_flag=True, help="A certificate for each distinct system of the default matrix.")
@click.option(
    "-o",
    "--output",
    metavar="PATH",
    help="The file to write, or with --matrix the directory.  [default: MODEL.smt2, or certificates, in this directory]",
)
@jobs_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    properties: Sequence[str],
    engine: str,
    depth: int | None,
    timeout: float | None,
    matrix: bool,
    output: str | None,
    jobs: int | None,
    as_json: bool,
    **selectors: Any,
) -> None:
    """Write a certificate of what holds.

    An SMT-LIB script with an inductive invariant: the reachable states, as a decision diagram, or a formula that
    k-induction proves. `certificate check` has its queries answered by z3 or cvc5; so can anybody else. It is about
    the properties that are named, or about all that hold; for liveness there are no certificates. With --matrix: a
    file for each distinct system of the default matrix, about all that holds there.

    \b
    Exit codes: 0 written; 10 a property that was named does not hold, or nothing holds, and nothing was
    written; 30 something is not known to hold (of properties that were not named: the others were written
    down); 150 the model is malformed; 2 wrong arguments, or the output cannot be written; 130 interrupted.

    \b
    Example: check-invariants prove --revision 9a0cec664e -o 9a0cec664e.smt2
       Also: check-invariants prove my_model.py:build --engine induction --depth 5
             check-invariants prove --matrix -o certificates
    """
    from check_invariants.work.prove import deliver, file_name, find, prove_matrix, show_matrix

    if matrix:
        others = properties or engine != "explicit" or depth or timeout or any(selectors.values())
        _refuse(
            {"--matrix is about the whole default matrix: of the options, only -o, -j and --json go with it": others}
        )
        done = prove_matrix(output or DIRECTORY, jobs)
        show_matrix(done, as_json)
        ctx.exit(done.code)
    _refuse(
        {
            "--jobs is for --matrix: one certificate is made by one process": jobs is not None,
            "--depth is for --engine induction: explicit search looks at every reachable state": depth is not None
            and engine != "induction",
            "--json and -o - would both write to standard output": as_json and output == STDOUT,
        }
    )
    found = find(properties, engine, depth, timeout, selectors)
    deliver(found, output or file_name(found.certificate.header.model), as_json)
    ctx.exit(found.code)


def _refuse(wrong: Mapping[str, object]) -> None:
    """Raise UsageError with the first message whose case is given."""
    for message, given in wrong.items():
        if given:
            raise click.UsageError(message)

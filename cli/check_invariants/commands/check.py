"""`check-invariants check`: one code base in one scenario, or a model of the user's, with counterexamples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from check_invariants.exit import of_finding, worst
from check_invariants.options import json_option, lemma_option, property_option, selectors
from check_invariants.output import emit_json

if TYPE_CHECKING:
    pass

__all__ = ["command"]


@click.command("check")
@selectors
@property_option(of_matrix=False)
@click.option("--max-states", type=click.IntRange(min=1), help="Stop after so many distinct states.")
@click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="Stop after so much time."
)
@click.option(
    "--depth", type=click.IntRange(min=1), help="Look no further than so many steps (bmc, induction, auto, simulation)."
)
@click.option(
    "--engine",
    type=click.Choice(["explicit", "bmc", "induction", "auto", "simulation"]),
    default="explicit",
    show_default=True,
    help="explicit: every reachable state. bmc: z3, up to a depth. induction: z3, a proof by k-induction. "
    "auto: explicit search and bmc, whoever is first. simulation: random walks, only a search.",
)
@lemma_option
@click.option("--no-trace", is_flag=True, help="Leave out the counterexamples.")
@click.option(
    "--trace-out",
    metavar="PATH",
    help="Write the counterexamples as JSON: the only one to a file, or each to a file of its own in a directory.",
)
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    properties: Sequence[str],
    max_states: int | None,
    timeout: float | None,
    depth: int | None,
    engine: str,
    lemmas: Sequence[str],
    no_trace: bool,
    trace_out: str | None,
    as_json: bool,
    **selectors: Any,
) -> None:
    """Check one code base in one scenario, or a model of your own.

    The verdict on each property, what the search did, the steps of the model it never took, and a shortest counterexample
    for what is violated. MODEL.py:FUNCTION is a Python file and a function in it that returns a draincheck.lang.Model or a
    TransitionSystem. The commit message's bug cases can be asked about as --property 'case 1' and 'case 2', one that it does
    not know as 'case 3', and what must happen in the end as --property L1 to L7s.

    \b
    Exit codes. For a code base of the table without --set the verdicts are compared with the expected ones:
    0 all as expected; 10 one is not. Otherwise, and for what has no expectation, the verdicts themselves:
    0 everything holds; 12 safety violated; 13 liveness violated; 11 deadlock, or a goal out of reach;
    10 nothing good is reachable. Always: 30 unknown; 150 the model is malformed; 2 wrong arguments;
    130 interrupted.

    \b
    Example: check-invariants check --revision ab27c3b5e7 --set drain=nested --property S1
    """
    from check_invariants.judge import checked
    from check_invariants.selection import select
    from check_invariants.work.check import CheckedSubject, show, to_json, write_traces
    from draincheck.verdict import Limits

    if lemmas and engine != "induction":
        raise click.UsageError("--lemma is for --engine induction")
    subject = select(properties=properties, **selectors)
    limits = Limits(max_states, timeout, depth)
    found = CheckedSubject(subject, checked(subject, properties, limits, engine, lemmas))
    if trace_out is not None:
        write_traces(found, trace_out)
    code = worst(map(of_finding, found.result.findings))
    if as_json:
        emit_json("check", to_json(found, code, traces=not no_trace))
    else:
        show(found, traces=not no_trace)
    ctx.exit(code)

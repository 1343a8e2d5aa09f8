"""`check-invariants check`: one code base in the scenarios that its answer rests on, or in one; or a model of the user's, with counterexamples."""

from __future__ import annotations

import click

from check_invariants import options
from check_invariants.deferred import Deferred


@click.command("check", cls=Deferred)
@options.selectors_in("the ten that an answer rests on")
@options.properties(of_matrix=False)
@click.option("--max-states", type=click.IntRange(min=1), help="Stop after so many distinct states.")
@options.budget
@click.option(
    "--depth", type=click.IntRange(min=1), help="Look no further than so many steps (bmc, induction, auto, simulation)."
)
@click.option(
    "--engine",
    type=click.Choice(["explicit", "native", "python", "bmc", "induction", "auto", "simulation"]),
    default="explicit",
    show_default=True,
    help="explicit: every reachable state. native, python: the same, always or never by machine code, which explicit turns to where there "
    "are many. bmc: z3, up to a depth. induction: z3, a proof by k-induction. "
    "auto: explicit search and bmc, whoever is first. simulation: random walks, only a search.",
)
@click.option(
    "--reductions",
    type=click.Choice(["auto", "none", "symmetry", "confluence", "both"]),
    default="auto",
    show_default=True,
    help="Whether explicit search looks at fewer states, with the same verdicts. symmetry: one of those that differ in the order of what the model calls "
    "interchangeable. confluence: steps that commute with all others are taken at once. auto: both, with the engine explicit, above 40,000 states.",
)
@click.option(
    "--lemma",
    "lemmas",
    metavar="PROPERTY",
    multiple=True,
    help="For induction: a property of the kind `always` that helps, and is proved along; may be given several times.",
)
@options.strict
@click.option("--traces", is_flag=True, help="Show every counterexample, not only the shortest of what matters.")
@options.short
@click.option("--no-trace", is_flag=True, help="Leave out the counterexamples. A table of several models has none.")
@click.option(
    "--trace-out",
    type=options.OutputFile(),
    metavar="PATH",
    help="Write the only counterexample to a file, as its suffix says (.svg, .md, ...; else JSON), or each to a JSON file of its own in a directory.",
)
@click.option(
    "--html",
    type=options.OutputFile(),
    metavar="FILE",
    help="Write the explorer: what was found, to look at (see `report`).",
)
@options.processes
@options.as_json
def command() -> None:
    """Check one code base, or a model of your own.

    A code base is asked about in ten scenarios: the five default ones, and those that say under which conditions it is safe. The answer is a
    sentence, a line a scenario, and the shortest counterexample of the worst. With --scenario, or of a model of your own: the verdict on
    each property, what the search did, the steps of the model it never took, and a shortest counterexample for what is violated.

    MODEL.py:FUNCTION is a Python file and a function in it that returns a draincheck.lang.Model or a TransitionSystem; --set
    gives it parameters, and several values (2..4 or 2,3) make a table. MODEL.py alone is all variants that it has (`@variant`),
    against what it expects of them; a property that not all of them have is decided of those that do. The commit
    message's bug cases can be asked about as --property 'case 1' and 'case 2', one that it does not know as 'case 3', and what
    must happen in the end as --property L1 to L7s.

    \b
    Exit codes: 0 everything holds; 12 safety violated; 13 liveness violated; 11 deadlock, or a goal out
    of reach; 10 nothing good is reachable, a property of a model of your own was never asked, or a verdict
    on a code base of the table or on a variant is not the expected one;
    30 unknown; 150 the model is malformed; 2 wrong arguments; 130 interrupted.
    Of a code base what a guest can see decides: S1, S3, S4, A1, F1, R1. The other S and B are rules inside
    QEMU: a violated one alone is shown and ends with 0, unless --strict is given or --property asks for it.

    \b
    Example: check-invariants check --revision ab27c3b5e7 --set drain=nested --property S1
    """

"""`check-invariants why`: which changes of QEMU's history a verdict depends on."""

from __future__ import annotations

import click

from check_invariants import options
from check_invariants.deferred import Deferred


@click.command("why", cls=Deferred)
@options.model
@options.revision(multiple=False)
@options.scenario(multiple=False)
@options.order
@options.settings
@options.properties(of_matrix=False)
@click.option(
    "--against",
    type=options.Named("revision"),
    default="5a7e7a0bad~1",
    show_default=True,
    help="The code base to compare with.",
)
@click.option(
    "--evidence",
    metavar="DIR",
    help="Write a file for each answer: a trace where the property breaks (for `trace show`, `explain` and `replay`), a certificate "
    "where it holds (for `certificate check`).",
)
@options.processes
@options.budget
@options.as_json
def command() -> None:
    """Say which changes a verdict depends on.

    Every minimal set of changes since the code base before the story without which the verdict would be the other one: what exposes
    a bug, or what protects. All sets are accounted for, and none is judged by a smaller or larger one. One property, S1 if none is named, in
    one scenario, mirror if none is named.

    Of a model of your own, MODEL.py:FUNCTION, every minimal set of parameters that turns the verdict if they get other values: all values of
    bool, Literal and Enum parameters, and the default of what --set has changed. One property; the only one if none is named.

    \b
    Exit codes: 0 answered, whatever the answer; 10 the code base cannot run the scenario; 30 a limit was reached;
    150 the model with these knobs is malformed; 2 wrong arguments, or evidence cannot be written; 130 interrupted.

    \b
    Example: check-invariants why --revision ab27c3b5e7 --property S1
    """

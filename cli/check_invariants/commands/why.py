"""`check-invariants why`: which changes of QEMU's history a verdict depends on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from check_invariants.options import (
    jobs_option,
    json_option,
    order_option,
    property_option,
    revision_option,
    scenario_option,
    set_option,
)
from check_invariants.output import emit, emit_json

if TYPE_CHECKING:
    pass

__all__ = ["command"]


@click.command("why")
@revision_option(multiple=False)
@scenario_option(multiple=False)
@order_option
@set_option
@property_option(of_matrix=False)
@click.option(
    "--against", metavar="REVISION", default="5a7e7a0bad~1", show_default=True, help="The code base to compare with."
)
@click.option(
    "--evidence",
    metavar="DIR",
    help="Write a file for each answer: a trace where the property breaks (for `trace show`, `explain` and `replay`), a certificate "
    "where it holds (for `certificate check`).",
)
@jobs_option
@json_option
def command(
    properties: Sequence[str], against: str, evidence: str | None, jobs: int | None, as_json: bool, **selectors: Any
) -> None:
    """Say which changes a verdict depends on.

    Every minimal set of changes since the code base before the story without which the verdict would be the other one: what exposes
    a bug, or what protects. All sets are accounted for, and none is judged by a smaller or larger one. One property; S1 if none is named.

    \b
    Exit codes: 0 answered, whatever the answer; 10 the code base cannot run the scenario;
    150 the model with these knobs is malformed; 2 wrong arguments, or evidence cannot be written; 130 interrupted.

    \b
    Example: check-invariants why --revision ab27c3b5e7 --property S1
    """
    from check_invariants.selection import select_code_base
    from check_invariants.work.why import ask, the_property, to_json, to_text, write_evidence

    name = the_property(properties)
    selected = select_code_base(properties=[name], **selectors)
    answer = ask(selected, name, against, jobs)
    files = write_evidence(selected, name, answer, evidence) if evidence is not None else []
    if as_json:
        emit_json("why", to_json(selected, name, answer, files))
    else:
        emit(to_text(selected, name, answer, files))

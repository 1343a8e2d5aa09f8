"""`check-invariants sweep`: every code base that a set of knobs can make up, the safe ones as a decision table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from check_invariants.options import (
    Named,
    jobs_option,
    json_option,
    property_option,
    revision_option,
    scenario_option,
    set_option,
)
from check_invariants.output import emit_json

if TYPE_CHECKING:
    pass

__all__ = ["command"]


def _find(name: str) -> str:
    from draincheck.knobs import knob_named

    return knob_named(name).name


def _known() -> Iterable[tuple[str, str]]:
    from draincheck.knobs import KNOBS

    return ((knob.name, knob.meaning) for knob in KNOBS)


@click.command("sweep")
@scenario_option(multiple=False)
@property_option(of_matrix=False)
@click.option(
    "--knob",
    "knobs",
    type=Named("knob", _find, _known),
    multiple=True,
    help="Sweep this knob; may be given several times.  [default: those that matter in the scenario's story]",
)
@revision_option(multiple=False)
@set_option
@jobs_option
@json_option
def command(properties: Sequence[str], knobs: Sequence[str], jobs: int | None, as_json: bool, **selectors: Any) -> None:
    """Decide every code base that some knobs can make up.

    Prints the safe ones as a decision table: a code base is safe if and only if it fits some row; an empty cell means that the knob
    does not matter there, and the last column says how many code bases fit. On a terminal that is too narrow the rows are listed.
    Knobs that are not swept are those of --revision. Safe means that S1 holds, or whatever --property says.

    \b
    Exit codes: 0 decided; 10 the code base cannot run the scenario; 30 too many code bases;
    150 a model is malformed; 2 wrong arguments; 130 interrupted.

    \b
    Example: check-invariants sweep --scenario timer --property S1 --property F1
    """
    from check_invariants.selection import select_code_base
    from check_invariants.work.sweep import show, swept_by, to_json

    names = tuple(dict.fromkeys(properties)) or ("S1",)
    selected = select_code_base(properties=names, **selectors)
    found = swept_by(selected, names, knobs, jobs)
    if as_json:
        emit_json("sweep", to_json(found))
    else:
        show(found)
